#include "needed.h"

#include <string.h>

/* System V ABI, "Object Files" and "Program Loading and Dynamic Linking"; <elf.h> is not on every build machine. */
struct file_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t size, program_header_size, program_header_count, rest[3];
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, align;
};

struct dynamic {
    int64_t tag;
    uint64_t value;
};

enum { PT_LOAD = 1, PT_DYNAMIC = 2, DT_NULL = 0, DT_NEEDED = 1, DT_STRTAB = 5 };

struct image {
    const uint8_t *data;
    uint64_t size;
    struct file_header header;
};

/* Copies out what may lie unaligned; false when it is not all inside. */
static bool take(const struct image *image, uint64_t offset, void *out, size_t size)
{
    if (offset > image->size || size > image->size - offset) {
        return false;
    }
    memcpy(out, image->data + offset, size);
    return true;
}

static bool take_program_header(const struct image *image, unsigned index, struct program_header *out)
{
    uint64_t at = (uint64_t)index * sizeof *out;
    return image->header.program_headers <= image->size
        && take(image, image->header.program_headers + at, out, sizeof *out);
}

/* Where in the file the byte lies that is loaded at this address. */
static bool file_offset(const struct image *image, uint64_t address, uint64_t *offset)
{
    struct program_header segment;
    for (unsigned i = 0; i < image->header.program_header_count; i++) {
        if (!take_program_header(image, i, &segment)) {
            return false;
        }
        if (segment.type == PT_LOAD && address >= segment.address && address - segment.address < segment.file_size
            && segment.offset <= image->size) {
            *offset = segment.offset + (address - segment.address);
            return *offset >= segment.offset;
        }
    }
    return false;
}

static bool find_dynamic(const struct image *image, struct program_header *segment)
{
    for (unsigned i = 0; i < image->header.program_header_count; i++) {
        if (!take_program_header(image, i, segment)) {
            return false;
        }
        if (segment->type == PT_DYNAMIC) {
            return segment->offset <= image->size && segment->file_size <= image->size - segment->offset;
        }
    }
    return false;
}

bool ox_elf_needed(
    const uint8_t *data, uint64_t size, bool (*each)(const char *name, size_t length, void *context), void *context)
{
    struct image image = {.data = data, .size = size};
    struct program_header segment;
    if (!take(&image, 0, &image.header, sizeof image.header) || memcmp(image.header.ident, "\177ELF\2\1", 6) != 0
        || image.header.program_header_size != sizeof(struct program_header) || !find_dynamic(&image, &segment)) {
        return false;
    }
    struct dynamic entry;
    uint64_t strings = 0;
    bool known = false;
    uint64_t count = segment.file_size / sizeof entry;
    for (uint64_t i = 0; i < count; i++) {
        if (!take(&image, segment.offset + i * sizeof entry, &entry, sizeof entry) || entry.tag == DT_NULL) {
            break;
        }
        if (entry.tag == DT_STRTAB) {
            known = file_offset(&image, entry.value, &strings);
        }
    }
    for (uint64_t i = 0; known && i < count; i++) {
        if (!take(&image, segment.offset + i * sizeof entry, &entry, sizeof entry) || entry.tag == DT_NULL) {
            break;
        }
        if (entry.tag != DT_NEEDED) {
            continue;
        }
        if (strings > size || entry.value >= size - strings) {
            return false;
        }
        const char *name = (const char *)data + strings + entry.value;
        const char *end = memchr(name, '\0', (size_t)(size - strings - entry.value));
        if (end == NULL || !each(name, (size_t)(end - name), context)) {
            return false;
        }
    }
    return known;
}
