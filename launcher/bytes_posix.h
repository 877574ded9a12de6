/* bytes_posix.h: the bytes of a virtual file, decoded: the blob's own, or a mapping. */
#ifndef OX_BYTES_POSIX_H
#define OX_BYTES_POSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "blob.h"

struct ox_bytes {
    const uint8_t *data;
    uint64_t size;
    bool mapped;
};

/* The bytes of a file's node; false with errno (EIO: damaged). `apart`: without a lock or an allocation, as a child of
 * vfork(2) must. */
bool ox_bytes_open(uint32_t node, struct ox_bytes *bytes, bool apart);
void ox_bytes_close(struct ox_bytes *bytes);

/* Decodes an opened payload (payload.h) to `out`, with memory of its own that is given back at once when it is `apart`. */
bool ox_bytes_decode(const struct ox_payload *payload, const uint8_t *stored, void *out, bool apart);

/* Puts the bytes at the file's beginning. False with errno. */
bool ox_bytes_write(int fd, const uint8_t *data, uint64_t size);

#endif
