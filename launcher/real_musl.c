#define _GNU_SOURCE 1
#include "real_posix.h"

#include <stdlib.h>

/* libc's function behind each of ours: the linker knows it as __real_NAME. */
#define DECLARE(name) extern void real_##name(void) __asm__("__real_" #name);
OX_REAL_NAMES(DECLARE)
#undef DECLARE

#define ADDRESS(name) [OX_REAL_##name] = (void *)real_##name,
_Atomic(void *) ox_real_known[OX_REAL_COUNT] = {OX_REAL_NAMES(ADDRESS)};
#undef ADDRESS

void *ox_real_find(enum ox_real_name name)
{
    (void)name;
    abort(); /* all are known */
}
