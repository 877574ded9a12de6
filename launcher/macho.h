/* macho.h: reads what a library or program for macOS (Mach-O, 64 bits, little-endian; alone or in a fat file) needs.
 *
 * After Apple's mach-o/loader.h and mach-o/fat.h. Nothing in the bytes is trusted: every offset is checked before it is
 * used, the work is bounded by the size, and a damaged file comes to a text that says what is wrong. Allocates nothing,
 * safe in any thread. Where a library is looked for is dyld(1)'s rules.
 */
#ifndef OX_MACHO_H
#define OX_MACHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OX_MACHO_X64 = 0x01000007, OX_MACHO_ARM64 = 0x0100000c }; /* cputype */

struct ox_macho {
    const uint8_t *data; /* the slice's first byte */
    uint64_t size;       /* of the slice */
    uint32_t type;       /* MH_… of mach-o/loader.h */
    uint32_t count;      /* of load commands */
    uint32_t commands;   /* their bytes */
};

/* Finds what the file has for this machine, checks its header and fills in *macho. Returns NULL, or what is wrong. */
const char *ox_macho_open(struct ox_macho *macho, const void *data, uint64_t size, uint32_t machine);

enum ox_macho_kind {
    OX_MACHO_NEEDED, /* a library that is loaded with it, also where the file can do without */
    OX_MACHO_FOLDER  /* where libraries are looked for that are called @rpath/… */
};

/* A name in the load commands. All zero before the first call. */
struct ox_macho_name {
    enum ox_macho_kind kind;
    const char *text;    /* NUL-terminated, inside the slice */
    uint32_t next, left; /* where the reader stands: bytes behind the header, commands read */
    const char *wrong;   /* when the last call returned false: NULL, or what is damaged */
};

/* Goes to the next one. False at the end. */
bool ox_macho_next(const struct ox_macho *macho, struct ox_macho_name *name);

/* Where a name leads, below the executable: "@loader_path/../x" in a file of `folder`, which begins and ends with no slash
 * and is as the blob has it. Writes the path to `out`, of `room` bytes with its NUL, and its size to *size. False when the name
 * does not begin with `start` ("@loader_path", "@rpath" …), or leads out of the virtual tree. */
bool ox_macho_place(const char *name, const char *start, const char *folder, size_t folder_size, char *out, size_t room,
    size_t *size);

#endif
