/* Fuzzes the reader of Windows' DLLs, and what maps and changes them. */
#include "exercise_pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    exercise_pe(data, size);
    return 0;
}
