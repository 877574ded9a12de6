/* Random bytes and UUIDs. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "darwin.h"
#include "system.h"

static int darwin_CCRandomGenerateBytes(void *bytes, size_t size)
{
    arc4random_buf(bytes, size);
    return 0;
}

static void darwin_srandomdev(void)
{
    srandom(arc4random());
}

static void darwin_uuid_generate_random(uint8_t uuid[16])
{
    arc4random_buf(uuid, 16);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* Version 1: hundreds of nanoseconds since 1582, and a random node with the multicast bit, as RFC 9562 has it. */
static void darwin_uuid_generate_time(uint8_t uuid[16])
{
    static _Atomic uint64_t last;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ticks = 0x01b21dd213814000u + (uint64_t)now.tv_sec * 10000000u + (uint64_t)now.tv_nsec / 100;
    uint64_t before = last;
    do {
        ticks = ticks <= before ? before + 1 : ticks;
    } while (!__atomic_compare_exchange_n(&last, &before, ticks, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    arc4random_buf(uuid + 8, 8);
    for (int i = 0; i < 4; i++) {
        uuid[i] = (uint8_t)(ticks >> (24 - 8 * i));
    }
    uuid[4] = (uint8_t)(ticks >> 40);
    uuid[5] = (uint8_t)(ticks >> 32);
    uuid[6] = (uint8_t)((ticks >> 56 & 0x0f) | 0x10);
    uuid[7] = (uint8_t)(ticks >> 48);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    uuid[10] |= 1;
}

static void unparse(const uint8_t uuid[16], char text[37], const char *digit)
{
    for (int i = 0; i < 16; i++) {
        text += sprintf(text, digit, uuid[i]);
        if (i == 3 || i == 5 || i == 7 || i == 9) {
            *text++ = '-';
        }
    }
}

static void darwin_uuid_unparse_upper(const uint8_t uuid[16], char text[37])
{
    unparse(uuid, text, "%02X");
}

static void darwin_uuid_unparse_lower(const uint8_t uuid[16], char text[37])
{
    unparse(uuid, text, "%02x");
}

static int darwin_gethostuuid(uint8_t uuid[16], const struct timespec *wait)
{
    (void)wait;
    memcpy(uuid, "macho on Linux..", 16);
    return 0;
}

static const struct symbol random_symbols[] = {
    SHIM(CCRandomGenerateBytes),
    SHIM(srandomdev),
    SHIM(uuid_generate_random),
    SHIM_AS("_uuid_generate", uuid_generate_random),
    SHIM(uuid_generate_time),
    SHIM(uuid_unparse_upper),
    SHIM_AS("_uuid_unparse", uuid_unparse_upper),
    SHIM(uuid_unparse_lower),
    SHIM(gethostuuid),
};

SYMBOL_TABLE(random);
