/* Allocation zones: there is one, glibc's heap, whoever makes another. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "darwin.h"
#include "system.h"

struct malloc_zone { /* malloc_zone_t: its functions, which some programs call directly */
    void *reserved[2];
    size_t (*size)(struct malloc_zone *zone, const void *pointer);
    void *(*malloc)(struct malloc_zone *zone, size_t size);
    void *(*calloc)(struct malloc_zone *zone, size_t count, size_t size);
    void *(*valloc)(struct malloc_zone *zone, size_t size);
    void (*free)(struct malloc_zone *zone, void *pointer);
    void *(*realloc)(struct malloc_zone *zone, void *pointer, size_t size);
    void (*destroy)(struct malloc_zone *zone);
    const char *name;
    void *rest[16];
};

static size_t darwin_malloc_size(const void *pointer)
{
    return malloc_usable_size((void *)pointer);
}

static size_t darwin_malloc_good_size(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static void *darwin_reallocf(void *pointer, size_t size)
{
    void *result = realloc(pointer, size);
    if (!result && size) {
        free(pointer);
    }
    return result;
}

static size_t zone_size(struct malloc_zone *zone, const void *pointer)
{
    (void)zone;
    return malloc_usable_size((void *)pointer);
}

static void *darwin_malloc_zone_malloc(struct malloc_zone *zone, size_t size)
{
    (void)zone;
    return malloc(size);
}

static void *darwin_malloc_zone_calloc(struct malloc_zone *zone, size_t count, size_t size)
{
    (void)zone;
    return calloc(count, size);
}

static void *darwin_malloc_zone_valloc(struct malloc_zone *zone, size_t size)
{
    (void)zone;
    return aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
}

static void *darwin_malloc_zone_memalign(struct malloc_zone *zone, size_t alignment, size_t size)
{
    (void)zone;
    return memalign(alignment, size);
}

static void *darwin_malloc_zone_realloc(struct malloc_zone *zone, void *pointer, size_t size)
{
    (void)zone;
    return realloc(pointer, size);
}

static void darwin_malloc_zone_free(struct malloc_zone *zone, void *pointer)
{
    (void)zone;
    free(pointer);
}

static void darwin_malloc_destroy_zone(struct malloc_zone *zone)
{
    (void)zone; /* what is in it stays: it is the one heap */
}

static struct malloc_zone default_zone = {
    .size = zone_size,
    .malloc = darwin_malloc_zone_malloc,
    .calloc = darwin_malloc_zone_calloc,
    .valloc = darwin_malloc_zone_valloc,
    .free = darwin_malloc_zone_free,
    .realloc = darwin_malloc_zone_realloc,
    .destroy = darwin_malloc_destroy_zone,
    .name = "DefaultMallocZone",
};

static struct malloc_zone *darwin_malloc_default_zone(void)
{
    return &default_zone;
}

static struct malloc_zone *darwin_malloc_create_zone(size_t size, unsigned flags)
{
    (void)size;
    (void)flags;
    return &default_zone;
}

static struct malloc_zone *darwin_malloc_zone_from_ptr(const void *pointer)
{
    return pointer ? &default_zone : NULL;
}

static void darwin_malloc_set_zone_name(struct malloc_zone *zone, const char *name)
{
    (void)zone;
    (void)name;
}

static size_t darwin_malloc_zone_pressure_relief(struct malloc_zone *zone, size_t goal)
{
    (void)zone;
    (void)goal;
    return 0;
}

static const struct symbol malloc_symbols[] = {
    SHIM(malloc_size),          SHIM(malloc_good_size),    SHIM(reallocf),
    SHIM(malloc_zone_malloc),   SHIM(malloc_zone_calloc),  SHIM(malloc_zone_valloc),
    SHIM(malloc_zone_memalign), SHIM(malloc_zone_realloc), SHIM(malloc_zone_free),
    SHIM(malloc_destroy_zone),  SHIM(malloc_default_zone), SHIM(malloc_create_zone),
    SHIM(malloc_zone_from_ptr), SHIM(malloc_set_zone_name), SHIM(malloc_zone_pressure_relief),
};

SYMBOL_TABLE(malloc);
