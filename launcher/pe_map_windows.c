/* Portable, as pe_windows.c. */
#include "pe_map.h"

#include <string.h>

enum {
    PAGE = 4096,
    HEADER_SECTION_COUNT = 6, /* offsets from "PE\0\0" */
    HEADER_IMAGE_SIZE = 24 + 56,
    HEADER_CHECK_SUM = 24 + 64,
    HEADER_DLL_CHARACTERISTICS = 24 + 70,
    HEADER_DIRECTORIES = 24 + 112,
    DESCRIPTOR_NAME = 12,
    SECTION_SIZE = 40,
    BLOCK_SIZE = 8,
    ABSOLUTE = 0,
    DIR64 = 10,
    NEW_NAME_MAX = 1024
};

static uint32_t take32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void put16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, sizeof value);
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static uint64_t round_up(uint64_t value, uint32_t alignment)
{
    return (value + alignment - 1) & ~(uint64_t)(alignment - 1);
}

/* A directory of thread-local storage is no hindrance when there is nothing in it but callbacks: MinGW's run time always
 * makes one, with the pointer that marks where variables begin. A variable is read through gs:[0x58], so where
 * no code does that there is none, and nothing of Windows' own table is needed. */
static bool has_variables(const struct ox_pe *file)
{
    enum { MARKS = 8 };
    struct ox_pe_tls tls;
    return ox_pe_has_tls(file)
        && (!ox_pe_tls(file, file->image_base, &tls) || tls.size > MARKS || ox_pe_reads_tls(file));
}

const char *ox_pe_refused(const struct ox_pe *file)
{
    if ((file->characteristics & OX_PE_DLL) == 0) {
        return "it is a program";
    }
    if (has_variables(file)) {
        return "it has variables for each thread";
    }
    if ((file->characteristics & OX_PE_RELOCS_STRIPPED) != 0) {
        return "it cannot be moved";
    }
    if (file->directories[OX_PE_CLR].size != 0) {
        return "it is made for .NET";
    }
    if (file->section_alignment < PAGE) {
        return "its sections share pages";
    }
    for (unsigned i = 0; i < file->section_count; i++) {
        uint32_t flags = ox_pe_section(file, i).flags;
        if ((flags & (uint32_t)OX_PE_WRITE) != 0 && (flags & (OX_PE_EXECUTE | OX_PE_SHARED)) != 0) {
            return "a section is written to and run, or shared by processes";
        }
    }
    return NULL;
}

/* That all fits was checked by ox_pe_open. */
const char *ox_pe_layout(const struct ox_pe *file, uint8_t *image)
{
    if (file->mapped) {
        return "it is laid out already";
    }
    memcpy(image, file->data, file->headers_size);
    for (unsigned i = 0; i < file->section_count; i++) {
        struct ox_pe_section section = ox_pe_section(file, i);
        uint64_t used = round_up(section.size, PAGE);
        used = used < section.stored ? used : section.stored;
        if (used > file->image_size - section.address) {
            used = file->image_size - section.address;
        }
        if (used != 0) {
            memcpy(image + section.address, file->data + section.offset, (size_t)used);
        }
    }
    return NULL;
}

const char *ox_pe_relocate(const struct ox_pe *pe, uint8_t *image, uint64_t base)
{
    static const char damaged[] = "its table of relocations is damaged";
    struct ox_pe_range range = pe->directories[OX_PE_RELOCATIONS];
    uint64_t moved = base - pe->image_base;
    if (range.size == 0 || moved == 0) {
        return NULL;
    }
    if (range.address > pe->image_size || range.size > pe->image_size - range.address) {
        return damaged;
    }
    uint64_t at = range.address;
    uint64_t end = at + range.size;
    while (end - at >= BLOCK_SIZE) {
        uint64_t page = take32(image + at);
        uint64_t size = take32(image + at + 4);
        if (size == 0) {
            break; /* padding, as some linkers leave it */
        }
        if (size < BLOCK_SIZE || size % 2 != 0 || size > end - at) {
            return damaged;
        }
        for (uint64_t entry = at + BLOCK_SIZE; entry < at + size; entry += 2) {
            unsigned value = image[entry] | (unsigned)image[entry + 1] << 8;
            uint64_t place = page + (value & 0xfff);
            uint64_t address;
            if (value >> 12 == ABSOLUTE) {
                continue;
            }
            /* Not in the headers, which were checked. */
            if (value >> 12 != DIR64 || place < pe->headers_size || place + sizeof address > pe->image_size) {
                return damaged;
            }
            memcpy(&address, image + place, sizeof address);
            address += moved;
            memcpy(image + place, &address, sizeof address);
        }
        at += size;
    }
    return NULL;
}

/* A file whose bytes are changed. */
struct edited {
    struct ox_pe pe;
    uint8_t *file;
    uint64_t size, room;
    uint64_t slack;    /* where the headers' unused bytes begin, behind room for one more row of sections */
    uint32_t added;    /* address of the section that was added, or 0 */
    uint32_t used;     /* of it */
    uint64_t added_at; /* where in the file it lies */
    const char *last;  /* the name that was placed last, and its address */
    uint32_t last_address;
};

/* Whether the headers have bytes there that nothing uses: zero, and behind all that the header speaks of. */
static bool is_slack(const struct edited *edited, uint64_t at, size_t size)
{
    if (at > edited->pe.headers_size || size > edited->pe.headers_size - at) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (edited->file[at + i] != 0) {
            return false;
        }
    }
    return true;
}

/* Adds a section of one block for names. */
static const char *add_section(struct edited *edited)
{
    struct ox_pe *pe = &edited->pe;
    uint64_t row = pe->sections + (uint64_t)pe->section_count * SECTION_SIZE;
    if (pe->section_count >= OX_PE_SECTIONS_MAX || !is_slack(edited, row, SECTION_SIZE)) {
        return "its headers have no room for another section";
    }
    uint32_t block = pe->file_alignment > PAGE ? pe->file_alignment : PAGE;
    uint64_t address = round_up(pe->image_size, pe->section_alignment);
    uint64_t at = round_up(edited->size, pe->file_alignment < 512 ? 512 : pe->file_alignment);
    if (at + block > edited->room || at > UINT32_MAX || address + block > INT32_MAX) {
        return "it is too large";
    }
    memset(edited->file + edited->size, 0, (size_t)(at + block - edited->size));
    uint8_t *section = edited->file + row;
    memcpy(section, ".oxcross", 8);
    put32(section + 8, block);
    put32(section + 12, (uint32_t)address);
    put32(section + 16, block);
    put32(section + 20, (uint32_t)at);
    put32(section + 36, OX_PE_READ | 0x40u); /* initialised data */
    uint8_t *header = edited->file + pe->header;
    pe->section_count++;
    put16(header + HEADER_SECTION_COUNT, pe->section_count);
    pe->image_size = (uint32_t)round_up(address + block, pe->section_alignment);
    put32(header + HEADER_IMAGE_SIZE, pe->image_size);
    edited->size = at + block;
    pe->size = edited->size;
    edited->added = (uint32_t)address;
    edited->added_at = at;
    edited->used = 0;
    return NULL;
}

/* Writes a name to where the loader finds it, and its address to *address. */
static const char *place(struct edited *edited, const char *name, uint32_t *address)
{
    size_t size = strlen(name) + 1;
    if (edited->last != NULL && strcmp(edited->last, name) == 0) {
        *address = edited->last_address;
        return NULL;
    }
    edited->last = name;
    if (edited->added == 0 && is_slack(edited, edited->slack, size)) {
        memcpy(edited->file + edited->slack, name, size);
        *address = edited->last_address = (uint32_t)edited->slack;
        edited->slack += size;
        return NULL;
    }
    const char *wrong = edited->added == 0 ? add_section(edited) : NULL;
    if (wrong == NULL && size > PAGE - edited->used) {
        wrong = "it imports from too many libraries";
    }
    if (wrong == NULL) {
        memcpy(edited->file + edited->added_at + edited->used, name, size);
        *address = edited->last_address = edited->added + edited->used;
        edited->used += (uint32_t)size;
    }
    return wrong;
}

static const char *rename_one(struct edited *edited, const struct ox_pe_library *library, const char *name)
{
    size_t length = strlen(name);
    if (length >= NEW_NAME_MAX) {
        return "a library's new name is too long";
    }
    if (length <= strlen(library->name)) {
        memcpy(edited->file + ((const uint8_t *)library->name - edited->file), name, length + 1);
        return NULL;
    }
    uint32_t address;
    const char *wrong = place(edited, name, &address);
    const uint8_t *row = ox_pe_at(&edited->pe, library->descriptor, DESCRIPTOR_NAME + 4);
    if (wrong == NULL && row == NULL) {
        wrong = "its table of imports is damaged";
    }
    if (wrong == NULL) {
        put32(edited->file + (row - edited->file) + DESCRIPTOR_NAME, address);
    }
    return wrong;
}

static void clear_directory(struct edited *edited, enum ox_pe_directory directory)
{
    struct ox_pe_range *range = &edited->pe.directories[directory];
    if (range->address != 0 || range->size != 0) { /* else the header may not even have it */
        memset(edited->file + edited->pe.header + HEADER_DIRECTORIES + 8 * directory, 0, 8);
        *range = (struct ox_pe_range){0, 0};
    }
}

const char *ox_pe_rename(uint8_t *file, uint64_t *size, uint64_t room,
    const char *(*rename)(const char *library, void *context), void *context)
{
    struct edited edited = {.file = file, .size = *size, .room = room};
    struct ox_pe_library library = {0};
    const char *wrong = ox_pe_open(&edited.pe, file, *size, false);
    if (wrong != NULL) {
        return wrong;
    }
    uint8_t *header = file + edited.pe.header;
    clear_directory(&edited, OX_PE_CERTIFICATES);
    clear_directory(&edited, OX_PE_BOUND);
    put32(header + HEADER_CHECK_SUM, 0);
    put16(header + HEADER_DLL_CHARACTERISTICS, (uint16_t)(edited.pe.dll_characteristics & ~OX_PE_FORCE_INTEGRITY));
    edited.slack = edited.pe.sections + (edited.pe.section_count + (uint64_t)1) * SECTION_SIZE;
    while (ox_pe_next_library(&edited.pe, &library) && !library.delayed) {
        const char *name = rename(library.name, context);
        wrong = name != NULL ? rename_one(&edited, &library, name) : NULL;
        if (wrong != NULL) {
            return wrong;
        }
    }
    *size = edited.size;
    return library.wrong;
}
