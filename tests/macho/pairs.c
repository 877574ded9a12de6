/* Tables of numbers, in both directions. */
#include "darwin.h"

int64_t pair_from(const struct pair *table, size_t count, int64_t darwin)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].darwin == darwin) {
            return table[i].native;
        }
    }
    return -1;
}

int64_t pair_to(const struct pair *table, size_t count, int64_t native)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].native == native) {
            return table[i].darwin;
        }
    }
    return -1;
}

uint64_t bits_from(const struct pair *table, size_t count, uint64_t darwin)
{
    uint64_t native = 0;
    for (size_t i = 0; i < count; i++) {
        if (darwin & (uint64_t)table[i].darwin) {
            native |= (uint64_t)table[i].native;
        }
    }
    return native;
}

uint64_t bits_to(const struct pair *table, size_t count, uint64_t native)
{
    uint64_t darwin = 0;
    for (size_t i = 0; i < count; i++) {
        if (native & (uint64_t)table[i].native) {
            darwin |= (uint64_t)table[i].darwin;
        }
    }
    return darwin;
}
