/* image.h: a launcher stored compressed, between squeeze.c, which makes it, and stub_linux.c, which starts it.
 *
 * The image is the launcher as it lies in memory: an ELF file in which every segment's offset is its address.
 * It is stored as one zstd frame with a checksum.
 */
#ifndef OX_IMAGE_H
#define OX_IMAGE_H

#include <stdint.h>

#define OX_SQUEEZED_MAGIC "OXCROSS-SQUEEZED" /* 16 bytes, no terminator */

/* In the stub's read-only data; `oxcross inspect` finds it by its magic. */
struct ox_squeezed { /* 48 bytes */
    uint8_t magic[16];
    uint64_t offset;  /* of the frame, from this structure's first byte */
    uint64_t stored;  /* bytes of the frame */
    uint64_t size;    /* bytes of the image */
    uint64_t locator; /* where the launcher's struct ox_locator lies in the image */
};

#endif
