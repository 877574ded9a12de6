/* A Mach-O file in memory, and what is known of it. One list, in load order; nothing is ever unloaded. */
#ifndef MACHO_IMAGE_H
#define MACHO_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "format.h"
#include "system.h"

struct segment {
    char name[17];
    uint64_t vmaddr, vmsize, fileoff, filesize;
    uint32_t initprot, flags;
};

struct section {
    char segment[17], name[17];
    uint64_t addr, size;
    uint32_t flags;
};

/* A range of the slice's bytes, checked. */
struct bytes {
    const uint8_t *start;
    size_t size;
};

struct dependency {
    const char *path; /* as the load command says */
    bool weak, reexported;
    struct image *image;                 /* a Mach-O library … */
    const struct system_library *system; /* … or one of macOS that this program stands in for */
};

struct image {
    struct image *next;
    char *path;
    const struct image *loader; /* who needed it first: @rpath goes up this way */
    dev_t device;
    ino_t inode;
    off_t slice; /* of the slice in the file */
    int file;    /* while it is mapped */
    struct bytes bytes;
    const struct mach_header_64 *header; /* in memory */
    uint8_t *base;
    uint64_t lowest; /* vmaddr of base */
    size_t span;
    intptr_t slide;
    struct segment *segments;
    struct section *sections;
    struct dependency *dependencies;
    const char **rpaths;
    size_t segment_count, section_count, dependency_count, rpath_count;
    const char *install_name;
    struct bytes symbols, strings, exports, chained;
    struct bytes rebases, binds, weak_binds, lazy_binds;
    uint64_t entry, stack_size;
    bool has_entry, bound, initialised;
};

extern struct image *images; /* the first is the program */

/* The image of a path, loaded if it is not yet, with all it needs: mapped, bound, not initialised. NULL: failure(). */
struct image *image_load(const char *path, const struct image *loader, bool existing_only);
/* Run the initialisers of an image after those of the images that it needs. */
void image_initialise(struct image *image);
/* Run every image's terminators, last loaded first. */
void image_terminate_all(void);

/* map.c: open, choose the x86_64 slice, read the load commands, map the segments. NULL: failure(). */
struct image *image_map(const char *path);
/* Give the segments their final protections. */
bool image_protect(const struct image *image);
/* size bytes at an address as linked, when all of them lie in one mapped segment; else NULL. */
void *image_at(const struct image *image, uint64_t address, size_t size);
const struct segment *image_segment_of(const struct image *image, uint64_t address);
/* The image that an address in memory belongs to; NULL when it is none. */
struct image *image_of(const void *address);
struct bytes image_bytes(const struct image *image, uint64_t offset, uint64_t size, bool *ok);

/* fixups.c */
bool image_bind(struct image *image);
/* Tell every import; for lists of what is missing. */
typedef void import_visitor(const struct image *image, int64_t ordinal, const char *name, bool weak, void *data);
bool image_imports(struct image *image, import_visitor *visit, void *data);

/* exports.c: the value of an exported name (with its leading underscore), following re-exports. */
bool image_export(const struct image *image, const char *name, uintptr_t *value);
/* The nearest symbol at or below an address. */
const char *image_symbol_at(const struct image *image, const void *address, const void **start);

/* resolve.c */
struct import {
    const char *name;
    int64_t ordinal;
    bool weak, lazy;
};
bool resolve_import(const struct image *image, const struct import *import, uintptr_t *value);
/* In every image in load order, then in the system's libraries. */
bool resolve_flat(const char *name, uintptr_t *value);
bool resolve_from(const struct image *first, const char *name, uintptr_t *value);
bool resolve_weak(const char *name, uintptr_t *value);
/* In one library that an image depends on. */
bool resolve_dependency(const struct dependency *dependency, const char *name, uintptr_t *value);

/* tlv.c */
bool tlv_prepare(struct image *image);

/* A function that says what is missing and aborts. */
uintptr_t missing_stub(const char *name, const char *library);

/* Set the thread's message and return false (NULL in pointers' places). */
bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *failure(void);

#endif
