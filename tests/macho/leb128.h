/* Numbers as dyld's opcodes and tries have them. False: cut off, or more than 64 bits. */
#ifndef MACHO_LEB128_H
#define MACHO_LEB128_H

#include <stdbool.h>
#include <stdint.h>

static inline bool uleb128(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *value = result;
            return true;
        }
    }
    return false;
}

static inline bool sleb128(const uint8_t **at, const uint8_t *end, int64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if (byte & 0x40 && shift + 7 < 64) {
                result |= ~(uint64_t)0 << (shift + 7);
            }
            *value = (int64_t)result;
            return true;
        }
    }
    return false;
}

#endif
