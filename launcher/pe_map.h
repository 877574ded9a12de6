/* pe_map.h: what a DLL's bytes are made into: an image in memory, and a copy for Windows' loader. Works on the caller's
 * memory and calls nothing of the system, so that tests and the fuzzer run it anywhere. */
#ifndef OX_PE_MAP_H
#define OX_PE_MAP_H

#include "pe.h"

/* Why a DLL must go through Windows' own loader, or NULL when it can be mapped from memory. */
const char *ox_pe_refused(const struct ox_pe *file);

/* Lays the file out in `image`: file->image_size bytes, all zero. Returns NULL, or what is wrong. */
const char *ox_pe_layout(const struct ox_pe *file, uint8_t *image);

/* Moves an image (pe->data is `image`, mapped) from the address in its header to `base`. */
const char *ox_pe_relocate(const struct ox_pe *pe, uint8_t *image, uint64_t base);

/* How much longer ox_pe_rename may make a file. */
#define OX_PE_RENAME_ROOM (3u * 65536u)

/* Changes a file's bytes so that it imports from libraries of other names: `rename` gives a library's new name (at most
 * 1023 bytes), or NULL to let it be. Delayed imports stay. Takes away what no longer holds: check sum and signature.
 * There are `room` bytes at `file`; *size is changed. Returns NULL, or what is wrong. */
const char *ox_pe_rename(uint8_t *file, uint64_t *size, uint64_t room,
    const char *(*rename)(const char *library, void *context), void *context);

#endif
