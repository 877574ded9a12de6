/* String functions that only BSDs have. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "darwin.h"
#include "system.h"

static size_t darwin_strlcpy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);
    if (size) {
        size_t kept = length < size ? length : size - 1;
        memcpy(to, from, kept);
        to[kept] = '\0';
    }
    return length;
}

static size_t darwin_strlcat(char *to, const char *from, size_t size)
{
    size_t used = strnlen(to, size);
    return used == size ? size + strlen(from) : used + darwin_strlcpy(to + used, from, size - used);
}

static size_t darwin___strlcpy_chk(char *to, const char *from, size_t size, size_t room)
{
    if (size > room) {
        abort();
    }
    return darwin_strlcpy(to, from, size);
}

static size_t darwin___strlcat_chk(char *to, const char *from, size_t size, size_t room)
{
    if (size > room) {
        abort();
    }
    return darwin_strlcat(to, from, size);
}

static char *darwin_strnstr(const char *text, const char *part, size_t size)
{
    size_t length = strlen(part);
    size_t room = strnlen(text, size);
    for (size_t i = 0; i + length <= room; i++) {
        if (memcmp(text + i, part, length) == 0) {
            return (char *)text + i;
        }
    }
    return NULL;
}

static void fill(char *to, const char *pattern, size_t pattern_size, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = pattern[i % pattern_size];
    }
}

static void darwin_memset_pattern4(void *to, const void *pattern, size_t size)
{
    fill(to, pattern, 4, size);
}

static void darwin_memset_pattern8(void *to, const void *pattern, size_t size)
{
    fill(to, pattern, 8, size);
}

static void darwin_memset_pattern16(void *to, const void *pattern, size_t size)
{
    fill(to, pattern, 16, size);
}

static int darwin_memset_s(void *to, size_t room, int c, size_t size)
{
    memset(to, c, size < room ? size : room);
    return size > room ? 84 : 0; /* EOVERFLOW */
}

static void darwin___bzero(void *to, size_t size)
{
    memset(to, 0, size);
}

static int darwin_timingsafe_bcmp(const void *a, const void *b, size_t size)
{
    const volatile unsigned char *one = a;
    const volatile unsigned char *other = b;
    unsigned char difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference |= one[i] ^ other[i];
    }
    return difference != 0;
}

static int darwin_fls(int value)
{
    return value ? 32 - __builtin_clz((unsigned)value) : 0;
}

static int darwin_flsl(long value)
{
    return value ? 64 - __builtin_clzl((unsigned long)value) : 0;
}

/* BSD's order of arguments. */
struct comparison {
    void *data;
    int (*compare)(void *data, const void *a, const void *b);
};

static int compare_by(const void *a, const void *b, void *data)
{
    const struct comparison *comparison = data;
    return comparison->compare(comparison->data, a, b);
}

static void darwin_qsort_r(void *base, size_t count, size_t size, void *data,
                           int (*compare)(void *data, const void *a, const void *b))
{
    struct comparison comparison = {data, compare};
    qsort_r(base, count, size, compare_by, &comparison);
}

static const struct symbol strings_symbols[] = {
    SHIM(strlcpy),         SHIM(strlcat),         SHIM(__strlcpy_chk),    SHIM(__strlcat_chk), SHIM(strnstr),
    SHIM(memset_pattern4), SHIM(memset_pattern8), SHIM(memset_pattern16), SHIM(memset_s),      SHIM(__bzero),
    SHIM(timingsafe_bcmp), SHIM(fls),             SHIM(flsl),             SHIM_AS("_flsll", flsl), SHIM(qsort_r),
};

SYMBOL_TABLE(strings);
