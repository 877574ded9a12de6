/* sha256.h: SHA-256 (FIPS 180-4). */
#ifndef OX_SHA256_H
#define OX_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct ox_sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    uint8_t block[64];
};

void ox_sha256_start(struct ox_sha256 *hash);
void ox_sha256_add(struct ox_sha256 *hash, const void *data, size_t size);
void ox_sha256_finish(struct ox_sha256 *hash, uint8_t digest[32]);

#endif
