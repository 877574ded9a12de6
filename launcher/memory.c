#include "memory.h"

#include <stdlib.h>

void *ox_alloc(size_t size)
{
    return malloc(size == 0 ? 1 : size);
}

void *ox_realloc(void *memory, size_t size)
{
    return realloc(memory, size == 0 ? 1 : size);
}

void ox_free(void *memory)
{
    free(memory);
}
