/* Files into images: the slice, the load commands, the segments in memory. Every offset is checked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

static __thread char message[1024];

bool fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* Into a buffer of its own first: an argument may be the message before. */
    char text[sizeof message];
    vsnprintf(text, sizeof text, format, arguments);
    memcpy(message, text, sizeof message);
    va_end(arguments);
    return false;
}

const char *failure(void)
{
    return message;
}

static uint32_t big32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t big64(const uint8_t *at)
{
    return (uint64_t)big32(at) << 32 | big32(at + 4);
}

/* Where in the file the x86_64 Mach-O is, and how long. */
static bool find_slice(const char *path, int file, uint64_t file_size, uint64_t *offset, uint64_t *size)
{
    uint8_t head[4096];
    ssize_t got = pread(file, head, sizeof head, 0);
    if (got < 0) {
        return fail("%s: %s", path, strerror(errno));
    }
    if (got < 32) {
        return fail("%s: too short to be a Mach-O file", path);
    }
    uint32_t magic = big32(head);
    if (magic != FAT_MAGIC && magic != FAT_MAGIC_64) {
        *offset = 0;
        *size = file_size;
        return true;
    }
    size_t entry = magic == FAT_MAGIC ? 20 : 32;
    for (uint32_t i = 0; i < big32(head + 4); i++) {
        const uint8_t *at = head + 8 + i * entry;
        if ((size_t)(at - head) + entry > (size_t)got) {
            return fail("%s: the list of architectures is longer than the file", path);
        }
        if (big32(at) == CPU_TYPE_X86_64) {
            *offset = magic == FAT_MAGIC ? big32(at + 8) : big64(at + 8);
            *size = magic == FAT_MAGIC ? big32(at + 12) : big64(at + 16);
            if (*offset > file_size || *size > file_size - *offset || *offset % MACHO_PAGE) {
                return fail("%s: the x86_64 slice is not inside the file, or not aligned to a page", path);
            }
            return true;
        }
    }
    return fail("%s: mach-o file, but is an incompatible architecture (no x86_64 slice)", path);
}

struct bytes image_bytes(const struct image *image, uint64_t offset, uint64_t size, bool *ok)
{
    if (offset > image->bytes.size || size > image->bytes.size - offset) {
        *ok = fail("%s: data at %#lx of %lu bytes is outside the file", image->path, offset, size);
        return (struct bytes){0};
    }
    return (struct bytes){image->bytes.start + offset, size};
}

/* A string inside a load command. */
static const char *command_string(const struct load_command *command, uint32_t offset)
{
    if (offset >= command->cmdsize || !memchr((const char *)command + offset, 0, command->cmdsize - offset)) {
        return NULL;
    }
    return (const char *)command + offset;
}

static void *grow(void *array, size_t count, size_t size)
{
    void *larger = realloc(array, (count + 1) * size);
    if (!larger) {
        abort();
    }
    memset((char *)larger + count * size, 0, size);
    return larger;
}

static bool read_segment(struct image *image, const struct segment_command_64 *command)
{
    if (command->cmdsize < sizeof *command ||
        command->nsects > (command->cmdsize - sizeof *command) / sizeof(struct section_64)) {
        return fail("%s: a segment command is too short", image->path);
    }
    image->segments = grow(image->segments, image->segment_count, sizeof *image->segments);
    struct segment *segment = &image->segments[image->segment_count++];
    memcpy(segment->name, command->segname, 16);
    segment->vmaddr = command->vmaddr;
    segment->vmsize = command->vmsize;
    segment->fileoff = command->fileoff;
    segment->filesize = command->filesize;
    segment->initprot = command->initprot;
    segment->flags = command->flags;
    if (segment->vmaddr % MACHO_PAGE || segment->vmaddr + segment->vmsize < segment->vmaddr ||
        segment->filesize > segment->vmsize) {
        return fail("%s: segment %s has impossible addresses", image->path, segment->name);
    }
    bool ok = true;
    image_bytes(image, segment->fileoff, segment->filesize, &ok);
    const struct section_64 *sections = (const struct section_64 *)(command + 1);
    for (uint32_t i = 0; i < command->nsects; i++) {
        image->sections = grow(image->sections, image->section_count, sizeof *image->sections);
        struct section *section = &image->sections[image->section_count++];
        memcpy(section->segment, sections[i].segname, 16);
        memcpy(section->name, sections[i].sectname, 16);
        section->addr = sections[i].addr;
        section->size = sections[i].size;
        section->flags = sections[i].flags;
        uint32_t type = section->flags & SECTION_TYPE;
        bool filled = type != S_ZEROFILL && type != S_GB_ZEROFILL && type != S_THREAD_LOCAL_ZEROFILL;
        if (section->addr < segment->vmaddr || section->size > segment->vmsize ||
            section->addr - segment->vmaddr > segment->vmsize - section->size ||
            (filled && section->size &&
             section->addr - segment->vmaddr + section->size > segment->filesize)) {
            return fail("%s: section %s,%s is not inside its segment", image->path, section->segment,
                        section->name);
        }
    }
    return ok;
}

static bool read_dependency(struct image *image, const struct load_command *command)
{
    const char *path = command->cmdsize < sizeof(struct dylib_command)
                           ? NULL
                           : command_string(command, ((const struct dylib_command *)command)->name);
    if (!path) {
        return fail("%s: a library's name is outside its load command", image->path);
    }
    if (command->cmd == LC_ID_DYLIB) {
        image->install_name = path;
        return true;
    }
    image->dependencies = grow(image->dependencies, image->dependency_count, sizeof *image->dependencies);
    struct dependency *dependency = &image->dependencies[image->dependency_count++];
    dependency->path = path;
    dependency->weak = command->cmd == LC_LOAD_WEAK_DYLIB;
    dependency->reexported = command->cmd == LC_REEXPORT_DYLIB;
    return true;
}

static bool read_linkedit(struct image *image, const struct load_command *command)
{
    bool ok = true;
    switch (command->cmd) {
    case LC_SYMTAB: {
        if (command->cmdsize < sizeof(struct symtab_command)) {
            break;
        }
        const struct symtab_command *table = (const struct symtab_command *)command;
        image->symbols = image_bytes(image, table->symoff, (uint64_t)table->nsyms * sizeof(struct nlist_64), &ok);
        image->strings = image_bytes(image, table->stroff, table->strsize, &ok);
        return ok;
    }
    case LC_DYLD_INFO:
    case LC_DYLD_INFO_ONLY: {
        if (command->cmdsize < sizeof(struct dyld_info_command)) {
            break;
        }
        const struct dyld_info_command *info = (const struct dyld_info_command *)command;
        image->rebases = image_bytes(image, info->rebase_off, info->rebase_size, &ok);
        image->binds = image_bytes(image, info->bind_off, info->bind_size, &ok);
        image->weak_binds = image_bytes(image, info->weak_bind_off, info->weak_bind_size, &ok);
        image->lazy_binds = image_bytes(image, info->lazy_bind_off, info->lazy_bind_size, &ok);
        image->exports = image_bytes(image, info->export_off, info->export_size, &ok);
        return ok;
    }
    case LC_DYLD_CHAINED_FIXUPS:
    case LC_DYLD_EXPORTS_TRIE: {
        if (command->cmdsize < sizeof(struct linkedit_data_command)) {
            break;
        }
        const struct linkedit_data_command *data = (const struct linkedit_data_command *)command;
        struct bytes bytes = image_bytes(image, data->dataoff, data->datasize, &ok);
        *(command->cmd == LC_DYLD_EXPORTS_TRIE ? &image->exports : &image->chained) = bytes;
        return ok;
    }
    }
    return fail("%s: load command %#x is too short", image->path, command->cmd);
}

static bool read_command(struct image *image, const struct load_command *command)
{
    switch (command->cmd) {
    case LC_SEGMENT_64:
        return read_segment(image, (const struct segment_command_64 *)command);
    case LC_ID_DYLIB:
    case LC_LOAD_DYLIB:
    case LC_LOAD_WEAK_DYLIB:
    case LC_REEXPORT_DYLIB:
    case LC_LOAD_UPWARD_DYLIB:
        return read_dependency(image, command);
    case LC_SYMTAB:
    case LC_DYLD_INFO:
    case LC_DYLD_INFO_ONLY:
    case LC_DYLD_CHAINED_FIXUPS:
    case LC_DYLD_EXPORTS_TRIE:
        return read_linkedit(image, command);
    case LC_RPATH: {
        const char *path = command->cmdsize < sizeof(struct rpath_command)
                               ? NULL
                               : command_string(command, ((const struct rpath_command *)command)->path);
        if (!path) {
            return fail("%s: an rpath is outside its load command", image->path);
        }
        image->rpaths = grow(image->rpaths, image->rpath_count, sizeof *image->rpaths);
        image->rpaths[image->rpath_count++] = path;
        return true;
    }
    case LC_MAIN:
        if (command->cmdsize < sizeof(struct entry_point_command)) {
            return fail("%s: LC_MAIN is too short", image->path);
        }
        image->entry = ((const struct entry_point_command *)command)->entryoff;
        image->stack_size = ((const struct entry_point_command *)command)->stacksize;
        image->has_entry = true;
        return true;
    }
    return true;
}

static bool read_commands(struct image *image)
{
    const struct mach_header_64 *header = (const struct mach_header_64 *)image->bytes.start;
    if (image->bytes.size < sizeof *header || header->magic != MH_MAGIC_64) {
        return fail("%s: not a mach-o file", image->path);
    }
    if (header->cputype != CPU_TYPE_X86_64) {
        return fail("%s: mach-o file, but is an incompatible architecture (cputype %#x, need x86_64)", image->path,
                    header->cputype);
    }
    if (header->filetype != MH_EXECUTE && header->filetype != MH_DYLIB && header->filetype != MH_BUNDLE) {
        return fail("%s: neither an executable nor a dylib nor a bundle (file type %u)", image->path,
                    header->filetype);
    }
    if (header->sizeofcmds > image->bytes.size - sizeof *header) {
        return fail("%s: the load commands are longer than the file", image->path);
    }
    const uint8_t *at = image->bytes.start + sizeof *header;
    const uint8_t *end = at + header->sizeofcmds;
    for (uint32_t i = 0; i < header->ncmds; i++) {
        const struct load_command *command = (const struct load_command *)at;
        if ((size_t)(end - at) < sizeof *command || command->cmdsize < sizeof *command ||
            command->cmdsize > (size_t)(end - at) || command->cmdsize % 8) {
            return fail("%s: load command %u is damaged", image->path, i);
        }
        if (!read_command(image, command)) {
            return false;
        }
        at += command->cmdsize;
    }
    return true;
}

static bool is_pagezero(const struct segment *segment)
{
    return strcmp(segment->name, "__PAGEZERO") == 0;
}

static uint64_t page_up(uint64_t size)
{
    return (size + MACHO_PAGE - 1) & ~(uint64_t)(MACHO_PAGE - 1);
}

/* One segment in the reserved range, readable and writable until image_protect. */
static bool map_segment(struct image *image, const struct segment *segment)
{
    uint8_t *start = (uint8_t *)(segment->vmaddr + image->slide);
    uint64_t filled = page_up(segment->filesize);
    off_t offset = image->slice + (off_t)segment->fileoff;
    if (mprotect(start, page_up(segment->vmsize), PROT_READ | PROT_WRITE)) {
        return fail("%s: segment %s: %s", image->path, segment->name, strerror(errno));
    }
    if (!segment->filesize) {
        return true;
    }
    if (offset % MACHO_PAGE) { /* Linux could not map it; neither could macOS */
        return fail("%s: segment %s is not aligned to a page in the file", image->path, segment->name);
    }
    if (mmap(start, filled, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, image->file, offset) == MAP_FAILED) {
        return fail("%s: segment %s: %s", image->path, segment->name, strerror(errno));
    }
    if (segment->filesize % MACHO_PAGE && segment->vmsize > segment->filesize) {
        memset(start + segment->filesize, 0, filled - segment->filesize);
    }
    return true;
}

static bool map_segments(struct image *image)
{
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (is_pagezero(segment) || !segment->vmsize) {
            continue;
        }
        low = segment->vmaddr < low ? segment->vmaddr : low;
        high = page_up(segment->vmaddr + segment->vmsize) > high ? page_up(segment->vmaddr + segment->vmsize) : high;
    }
    if (high <= low || high - low > (uint64_t)1 << 40) {
        return fail("%s: no segments, or absurd ones", image->path);
    }
    /* The order of segments in memory must not overlap. */
    for (size_t i = 0; i < image->segment_count; i++) {
        for (size_t k = i + 1; k < image->segment_count; k++) {
            const struct segment *a = &image->segments[i];
            const struct segment *b = &image->segments[k];
            if (a->vmaddr < b->vmaddr + b->vmsize && b->vmaddr < a->vmaddr + a->vmsize) {
                return fail("%s: segments %s and %s overlap", image->path, a->name, b->name);
            }
        }
    }
    const struct mach_header_64 *header = (const struct mach_header_64 *)image->bytes.start;
    bool fixed = header->filetype == MH_EXECUTE && !(header->flags & MH_PIE);
    image->lowest = low;
    image->span = high - low;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (fixed ? MAP_FIXED_NOREPLACE : 0);
    image->base = mmap(fixed ? (void *)low : NULL, image->span, PROT_NONE, flags, -1, 0);
    if (image->base == MAP_FAILED) {
        return fail("%s: no room for its segments: %s", image->path, strerror(errno));
    }
    image->slide = (intptr_t)((uint64_t)image->base - low);
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (is_pagezero(segment) || !segment->vmsize) {
            continue;
        }
        if (!map_segment(image, segment)) {
            return false;
        }
        if (segment->fileoff == 0 && segment->filesize >= sizeof *header) {
            image->header = (const struct mach_header_64 *)(segment->vmaddr + image->slide);
        }
    }
    if (!image->header) {
        return fail("%s: no segment has the header", image->path);
    }
    return true;
}

bool image_protect(const struct image *image)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (is_pagezero(segment) || !segment->vmsize) {
            continue;
        }
        uint32_t wanted = segment->flags & SG_READ_ONLY ? VM_PROT_READ : segment->initprot;
        int protection = (wanted & VM_PROT_READ ? PROT_READ : 0) | (wanted & VM_PROT_WRITE ? PROT_WRITE : 0) |
                         (wanted & VM_PROT_EXECUTE ? PROT_EXEC : 0);
        if (mprotect((void *)(segment->vmaddr + image->slide), page_up(segment->vmsize), protection)) {
            return fail("%s: segment %s: %s", image->path, segment->name, strerror(errno));
        }
    }
    return true;
}

const struct segment *image_segment_of(const struct image *image, uint64_t address)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (!is_pagezero(segment) && address >= segment->vmaddr && address - segment->vmaddr < segment->vmsize) {
            return segment;
        }
    }
    return NULL;
}

void *image_at(const struct image *image, uint64_t address, size_t size)
{
    const struct segment *segment = image_segment_of(image, address);
    if (!segment || size > segment->vmsize - (address - segment->vmaddr)) {
        return NULL;
    }
    return (void *)(address + (uint64_t)image->slide);
}

struct image *image_of(const void *address)
{
    for (struct image *image = images; image; image = image->next) {
        if ((uintptr_t)address - (uintptr_t)image->base < image->span) {
            return image;
        }
    }
    return NULL;
}

static bool map(struct image *image)
{
    image->file = open(image->path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (image->file < 0 || fstat(image->file, &status)) {
        return fail("%s: %s", image->path, errno == ENOENT ? "no such file" : strerror(errno));
    }
    image->device = status.st_dev;
    image->inode = status.st_ino;
    uint64_t offset;
    uint64_t size;
    if (!S_ISREG(status.st_mode)) {
        return fail("%s: not a file", image->path);
    }
    if (!find_slice(image->path, image->file, (uint64_t)status.st_size, &offset, &size)) {
        return false;
    }
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, image->file, (off_t)offset);
    if (bytes == MAP_FAILED) {
        return fail("%s: %s", image->path, strerror(errno));
    }
    image->slice = (off_t)offset;
    image->bytes = (struct bytes){bytes, size};
    return read_commands(image) && map_segments(image);
}

struct image *image_map(const char *path)
{
    struct image *image = calloc(1, sizeof *image);
    if (!image) {
        abort();
    }
    image->path = strdup(path);
    image->file = -1;
    bool ok = map(image);
    if (image->file >= 0) {
        close(image->file);
        image->file = -1;
    }
    return ok ? image : NULL; /* a failed one is rare and stays allocated */
}
