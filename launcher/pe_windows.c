/* Portable: only Windows' launcher needs it, tests and the fuzzer run it anywhere. */
#include "pe.h"

#include <string.h>

/* Sizes and places of the specification's structures. */
enum {
    DOS_SIZE = 64,
    DOS_HEADER_AT = 60,
    COFF_SIZE = 24, /* with the signature */
    OPTIONAL_SIZE = 112,
    DIRECTORY_SIZE = 8,
    SECTION_SIZE = 40,
    DESCRIPTOR_SIZE = 20,
    DELAYED_SIZE = 32,
    EXPORTS_SIZE = 40,
    FUNCTION_SIZE = 12,
    TLS_SIZE = 40,
    COOKIE_AT = 88,
    MACHINE_X64 = 0x8664,
    PE32_PLUS = 0x20b,
    PAGE = 4096
};

#define ORDINAL_FLAG 0x8000000000000000u

/* Unaligned little-endian numbers; all targets are little-endian (resources.h). */
static uint16_t take16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t take32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t take64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static bool is_power(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Never overflows: addresses are below 2^31, see open_optional. */
static uint64_t round_up(uint64_t value, uint32_t alignment)
{
    return (value + alignment - 1) & ~(uint64_t)(alignment - 1);
}

struct ox_pe_section ox_pe_section(const struct ox_pe *pe, unsigned index)
{
    const uint8_t *row = pe->data + pe->sections + (size_t)index * SECTION_SIZE;
    struct ox_pe_section section = {
        .size = take32(row + 8),
        .address = take32(row + 12),
        .stored = take32(row + 16),
        .offset = take32(row + 20),
        .flags = take32(row + 36),
    };
    if (section.size == 0) {
        section.size = section.stored; /* as Windows' loader */
    }
    return section;
}

static const char *open_optional(struct ox_pe *pe, const uint8_t *optional, uint16_t size)
{
    if (size < OPTIONAL_SIZE || take16(optional) != PE32_PLUS) {
        return "it is not for 64 bits";
    }
    pe->entry = take32(optional + 16);
    pe->image_base = take64(optional + 24);
    pe->section_alignment = take32(optional + 32);
    pe->file_alignment = take32(optional + 36);
    pe->image_size = take32(optional + 56);
    pe->headers_size = take32(optional + 60);
    pe->dll_characteristics = take16(optional + 70);
    if (!is_power(pe->section_alignment) || !is_power(pe->file_alignment) || pe->file_alignment > 65536
        || pe->section_alignment < pe->file_alignment || pe->section_alignment > 0x1000000) {
        return "its alignment is damaged";
    }
    if (pe->image_size == 0 || pe->image_size > INT32_MAX || pe->entry >= pe->image_size
        || pe->headers_size > pe->image_size || (!pe->mapped && pe->headers_size > pe->size)
        || (pe->mapped && pe->image_size > pe->size)) {
        return "its size is damaged";
    }
    uint32_t count = take32(optional + 108);
    count = count < OX_PE_DIRECTORIES ? count : OX_PE_DIRECTORIES;
    if (count * DIRECTORY_SIZE > (uint32_t)size - OPTIONAL_SIZE) {
        return "its header is damaged";
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *row = optional + OPTIONAL_SIZE + (size_t)i * DIRECTORY_SIZE;
        pe->directories[i] = (struct ox_pe_range){take32(row), take32(row + 4)};
    }
    return NULL;
}

/* Sections lie one behind the other in memory and inside the file, each on its boundary. */
static const char *check_sections(const struct ox_pe *pe)
{
    uint64_t free_from = round_up(pe->headers_size, pe->section_alignment);
    for (unsigned i = 0; i < pe->section_count; i++) {
        struct ox_pe_section section = ox_pe_section(pe, i);
        if (section.address % pe->section_alignment != 0 || section.address < free_from
            || section.address > pe->image_size || section.size > pe->image_size - section.address) {
            return "a section lies outside the image";
        }
        if (!pe->mapped && section.stored != 0
            && (section.offset % 512 != 0 || section.offset > pe->size
                || section.stored > pe->size - section.offset)) {
            return "a section lies outside the file";
        }
        free_from = round_up((uint64_t)section.address + section.size, pe->section_alignment);
    }
    return NULL;
}

const char *ox_pe_open(struct ox_pe *pe, const void *data, uint64_t size, bool mapped)
{
    memset(pe, 0, sizeof *pe);
    pe->data = data;
    pe->size = size;
    pe->mapped = mapped;
    if (size < DOS_SIZE || memcmp(data, "MZ", 2) != 0) {
        return "it is no DLL";
    }
    pe->header = take32(pe->data + DOS_HEADER_AT);
    if (pe->header % 4 != 0 || pe->header > size || size - pe->header < COFF_SIZE
        || memcmp(pe->data + pe->header, "PE\0", 4) != 0) {
        return "it is no DLL";
    }
    const uint8_t *coff = pe->data + pe->header;
    uint16_t optional_size = take16(coff + 20);
    pe->section_count = take16(coff + 6);
    pe->characteristics = take16(coff + 22);
    if (take16(coff + 4) != MACHINE_X64) {
        return "it is not for x86-64";
    }
    uint64_t sections = (uint64_t)pe->header + COFF_SIZE + optional_size;
    if (pe->section_count > OX_PE_SECTIONS_MAX
        || sections + (uint64_t)pe->section_count * SECTION_SIZE > size) {
        return "it is truncated";
    }
    pe->sections = (uint32_t)sections;
    const char *wrong = open_optional(pe, coff + COFF_SIZE, optional_size);
    if (wrong == NULL && sections + (uint64_t)pe->section_count * SECTION_SIZE > pe->headers_size) {
        wrong = "its header is damaged";
    }
    return wrong != NULL ? wrong : check_sections(pe);
}

/* How many bytes can be read from an address on; their first one in *at. */
static uint64_t reach(const struct ox_pe *pe, uint32_t address, const uint8_t **at)
{
    if (pe->mapped) {
        *at = pe->data + address;
        return address < pe->image_size ? pe->image_size - address : 0;
    }
    if (address < pe->headers_size) {
        *at = pe->data + address;
        return pe->headers_size - address;
    }
    for (unsigned i = 0; i < pe->section_count; i++) {
        struct ox_pe_section section = ox_pe_section(pe, i);
        uint64_t used = round_up(section.size, PAGE); /* what is stored behind the size is mapped to the page's end */
        used = used < section.stored ? used : section.stored;
        if (address >= section.address && address - section.address < used) {
            *at = pe->data + section.offset + (address - section.address);
            return used - (address - section.address);
        }
    }
    return 0;
}

const uint8_t *ox_pe_at(const struct ox_pe *pe, uint32_t address, uint64_t size)
{
    const uint8_t *at = NULL;
    return size <= reach(pe, address, &at) ? at : NULL;
}

const char *ox_pe_text(const struct ox_pe *pe, uint32_t address)
{
    const uint8_t *at = NULL;
    uint64_t size = reach(pe, address, &at);
    size = size < OX_PE_NAME_MAX ? size : OX_PE_NAME_MAX;
    return size != 0 && memchr(at, '\0', (size_t)size) != NULL ? (const char *)at : NULL;
}

static bool stop(struct ox_pe_library *library, const char *wrong)
{
    library->wrong = wrong;
    return false;
}

/* The table's row at which the reader stands; NULL at the end of the table, or with library->wrong set. */
static const uint8_t *next_row(const struct ox_pe *pe, struct ox_pe_library *library, uint32_t size, uint32_t name_at)
{
    const uint8_t *row = ox_pe_at(pe, library->next, size);
    if (row == NULL) {
        library->wrong = "its table of imports is damaged";
        return NULL;
    }
    if (take32(row + name_at) == 0) {
        return NULL;
    }
    library->descriptor = library->next;
    library->next += size;
    library->name = ox_pe_text(pe, take32(row + name_at));
    if (library->name == NULL) {
        library->wrong = "the name of a library that it imports is damaged";
        return NULL;
    }
    return row;
}

bool ox_pe_next_library(const struct ox_pe *pe, struct ox_pe_library *library)
{
    const struct ox_pe_range *imports = &pe->directories[OX_PE_IMPORTS];
    const struct ox_pe_range *delayed = &pe->directories[OX_PE_DELAYED];
    const uint8_t *row;
    if (library->left == 0) {
        /* Each symbol has its own 8 bytes to be filled in: there are not more of them in any sound file. */
        uint64_t most = pe->size / 8;
        library->left = most < INT32_MAX ? (uint32_t)most + 1 : INT32_MAX;
        library->next = imports->address;
        library->delayed = imports->address == 0 || imports->size == 0;
        if (library->delayed) {
            library->next = delayed->address;
        }
    }
    if (--library->left == 0) {
        return stop(library, "it imports too much");
    }
    if (!library->delayed) {
        row = next_row(pe, library, DESCRIPTOR_SIZE, 12);
        if (row != NULL) {
            library->lookup = take32(row);
            library->slots = take32(row + 16);
            return true;
        }
        if (library->wrong != NULL) {
            return false;
        }
        library->delayed = true;
        library->next = delayed->address;
    }
    if (delayed->address == 0 || delayed->size == 0) {
        return false;
    }
    row = next_row(pe, library, DELAYED_SIZE, 4);
    if (row == NULL) {
        return false;
    }
    if ((take32(row) & 1) == 0) {
        return stop(library, "its delayed imports are of a kind that 64 bits do not have");
    }
    library->lookup = take32(row + 16);
    library->slots = take32(row + 12);
    return true;
}

bool ox_pe_next_symbol(const struct ox_pe *pe, struct ox_pe_library *library, struct ox_pe_symbol *symbol)
{
    uint64_t offset = (uint64_t)symbol->index * 8;
    uint32_t table = library->lookup != 0 ? library->lookup : library->slots;
    const uint8_t *row = table + offset <= INT32_MAX ? ox_pe_at(pe, (uint32_t)(table + offset), 8) : NULL;
    if (row == NULL || --library->left == 0) {
        library->left += library->left == 0;
        return stop(library, "its table of imported symbols is damaged");
    }
    uint64_t value = take64(row);
    if (value == 0) {
        return false;
    }
    /* Not in the headers, which were checked: the slots are written to. */
    if (library->slots < pe->headers_size || library->slots + offset > INT32_MAX
        || library->slots + offset + 8 > pe->image_size) {
        return stop(library, "its table of imported addresses is damaged");
    }
    symbol->slot = (uint32_t)(library->slots + offset);
    symbol->index++;
    symbol->ordinal = (uint16_t)value;
    symbol->name = NULL;
    if ((value & ORDINAL_FLAG) == 0) {
        symbol->name = value <= INT32_MAX ? ox_pe_text(pe, (uint32_t)value + 2) : NULL; /* behind the hint */
        if (symbol->name == NULL) {
            return stop(library, "the name of a symbol that it imports is damaged");
        }
    }
    return true;
}

struct exports {
    uint32_t base, count, name_count;
    const uint8_t *addresses, *names, *ordinals;
};

static bool open_exports(const struct ox_pe *pe, struct exports *exports)
{
    const struct ox_pe_range *range = &pe->directories[OX_PE_EXPORTS];
    const uint8_t *table = range->address != 0 && range->size != 0 ? ox_pe_at(pe, range->address, EXPORTS_SIZE) : NULL;
    if (table == NULL) {
        return false;
    }
    exports->base = take32(table + 16);
    exports->count = take32(table + 20);
    exports->name_count = take32(table + 24);
    exports->addresses = ox_pe_at(pe, take32(table + 28), (uint64_t)exports->count * 4);
    if (exports->count == 0 || exports->addresses == NULL) {
        return false;
    }
    exports->names = ox_pe_at(pe, take32(table + 32), (uint64_t)exports->name_count * 4);
    exports->ordinals = ox_pe_at(pe, take32(table + 36), (uint64_t)exports->name_count * 2);
    if (exports->names == NULL || exports->ordinals == NULL) {
        exports->name_count = 0;
    }
    return true;
}

static bool export_at(const struct ox_pe *pe, const struct exports *exports, uint32_t index, struct ox_pe_export *found)
{
    const struct ox_pe_range *range = &pe->directories[OX_PE_EXPORTS];
    if (index >= exports->count) {
        return false;
    }
    found->address = take32(exports->addresses + (size_t)index * 4);
    found->forwarder = NULL;
    if (found->address - range->address < range->size) {
        found->forwarder = ox_pe_text(pe, found->address);
        return found->forwarder != NULL;
    }
    return found->address != 0 && found->address < pe->image_size;
}

bool ox_pe_export(const struct ox_pe *pe, const char *name, struct ox_pe_export *found)
{
    struct exports exports;
    if (!open_exports(pe, &exports)) {
        return false;
    }
    uint32_t low = 0;
    uint32_t high = exports.name_count; /* names are sorted by their bytes */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *there = ox_pe_text(pe, take32(exports.names + (size_t)middle * 4));
        if (there == NULL) {
            return false;
        }
        int order = strcmp(name, there);
        if (order == 0) {
            return export_at(pe, &exports, take16(exports.ordinals + (size_t)middle * 2), found);
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

bool ox_pe_export_ordinal(const struct ox_pe *pe, uint32_t ordinal, struct ox_pe_export *found)
{
    struct exports exports;
    return open_exports(pe, &exports) && ordinal >= exports.base
        && export_at(pe, &exports, ordinal - exports.base, found);
}

bool ox_pe_has_tls(const struct ox_pe *pe)
{
    return pe->directories[OX_PE_TLS].address != 0 || pe->directories[OX_PE_TLS].size != 0;
}

static bool take_place(const struct ox_pe *pe, uint64_t base, uint64_t pointer, uint32_t size, uint32_t *address)
{
    uint64_t place = pointer - base; /* far outside when it is too small */
    *address = (uint32_t)place;
    return place >= pe->headers_size && place < pe->image_size && size <= pe->image_size - place;
}

bool ox_pe_tls(const struct ox_pe *pe, uint64_t base, struct ox_pe_tls *tls)
{
    const uint8_t *row = ox_pe_at(pe, pe->directories[OX_PE_TLS].address, TLS_SIZE);
    if (row == NULL || take64(row + 8) < take64(row)) {
        return false;
    }
    uint64_t callbacks = take64(row + 24);
    tls->size = take64(row + 8) - take64(row) + take32(row + 32);
    tls->callbacks = 0;
    return take_place(pe, base, take64(row + 16), sizeof tls->index, &tls->index)
        && (callbacks == 0 || take_place(pe, base, callbacks, sizeof callbacks, &tls->callbacks));
}

uint32_t ox_pe_tls_callback(const struct ox_pe *pe, uint64_t base, const struct ox_pe_tls *tls, uint32_t index)
{
    uint64_t place = tls->callbacks + (uint64_t)index * 8;
    const uint8_t *row = tls->callbacks != 0 && place <= INT32_MAX ? ox_pe_at(pe, (uint32_t)place, 8) : NULL;
    uint32_t address = 0;
    return row != NULL && take_place(pe, base, take64(row), 1, &address) ? address : 0;
}

/* 65 [REX] opcode ModRM SIB 58 00 00 00, where ModRM and SIB say that there is no base register; or
 * 65 [REX] A0…A3 58 00 00 00 00 00 00 00. `size` bytes follow the prefix. */
static bool is_tls_access(const uint8_t *behind, uint64_t size)
{
    static const uint8_t displacement[] = {0x58, 0, 0, 0};
    const uint64_t farthest = 6; /* another prefix, REX, an opcode of two bytes, ModRM, SIB */
    for (uint64_t i = 1; i <= farthest && i + sizeof displacement <= size; i++) {
        bool direct = (behind[i - 1] & 0xFC) == 0xA0;
        bool plain = i >= 3 && (behind[i - 2] & 0xC7) == 0x04 && (behind[i - 1] & 0x07) == 0x05;
        if ((direct || plain) && memcmp(behind + i, displacement, sizeof displacement) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_tls_access(const uint8_t *code, uint64_t size)
{
    const uint8_t *end = code + size;
    const uint8_t *prefix = code;
    while (prefix != end && (prefix = memchr(prefix, 0x65, (size_t)(end - prefix))) != NULL) {
        prefix++;
        if (is_tls_access(prefix, (uint64_t)(end - prefix))) {
            return true;
        }
    }
    return false;
}

bool ox_pe_reads_tls(const struct ox_pe *pe)
{
    for (unsigned i = 0; i < pe->section_count; i++) {
        struct ox_pe_section section = ox_pe_section(pe, i);
        if ((section.flags & OX_PE_EXECUTE) != 0) {
            const uint8_t *code = NULL;
            uint64_t size = reach(pe, section.address, &code);
            if (size != 0 && has_tls_access(code, size)) {
                return true;
            }
        }
    }
    return false;
}

bool ox_pe_functions(const struct ox_pe *pe, uint32_t *address, uint32_t *count)
{
    const struct ox_pe_range *range = &pe->directories[OX_PE_FUNCTIONS];
    *address = range->address;
    *count = range->size / FUNCTION_SIZE;
    return *count == 0 || ox_pe_at(pe, range->address, range->size) != NULL;
}

uint64_t ox_pe_cookie(const struct ox_pe *pe)
{
    const struct ox_pe_range *range = &pe->directories[OX_PE_LOAD_CONFIG];
    const uint8_t *config = range->size != 0 ? ox_pe_at(pe, range->address, 4) : NULL;
    if (config == NULL || take32(config) < COOKIE_AT + 8) {
        return 0;
    }
    config = ox_pe_at(pe, range->address, COOKIE_AT + 8);
    return config != NULL ? take64(config + COOKIE_AT) : 0;
}
