/* Fuzzes the reader of Mach-O files. */
#include "exercise_macho.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    exercise_macho(data, size, OX_MACHO_ARM64);
    exercise_macho(data, size, OX_MACHO_X64);
    return 0;
}
