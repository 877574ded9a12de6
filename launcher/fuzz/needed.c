/* Fuzzes the reader of shared libraries. */
#include "needed.h"

static bool each(const char *name, size_t length, void *context)
{
    *(size_t *)context += length + (name[length] == '\0');
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total = 0;
    ox_elf_needed(data, size, each, &total);
    return 0;
}
