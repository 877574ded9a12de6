/* C++'s operators new and delete, for the one file of CPython that is C++ (PC/_wmimodule.cpp), in place of a C++ library. They
 * have the names that the Itanium ABI gives them. */
#include <stdlib.h>

void *ox_new(size_t size) __asm__("_Znwy");
void ox_delete(void *memory) __asm__("_ZdlPv");
void ox_delete_array(void *memory) __asm__("_ZdaPv");

void *ox_new(size_t size)
{
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == NULL) {
        abort(); /* nobody there expects an exception */
    }
    return memory;
}

void ox_delete(void *memory)
{
    free(memory);
}

void ox_delete_array(void *memory)
{
    free(memory);
}
