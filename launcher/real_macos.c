#include "real_posix.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

_Atomic(void *) ox_real_known[OX_REAL_COUNT];

/* In the place of functions that are newer than this system. */
static int no_function(void)
{
    errno = ENOSYS;
    return -1;
}

void *ox_real_find(enum ox_real_name name)
{
    static const char *const names[OX_REAL_COUNT] = {
#define INODE_TEXT(one) [OX_REAL_##one] = #one OX_INODE,
#define EXTENDED_TEXT(one) [OX_REAL_##one] = #one OX_EXTENDED,
#define PLAIN_TEXT(one) [OX_REAL_##one] = #one,
        OX_REAL_INODE_NAMES(INODE_TEXT) OX_REAL_EXTENDED_NAMES(EXTENDED_TEXT) OX_REAL_PLAIN_NAMES(PLAIN_TEXT)
            OX_REAL_SYSTEM_NAMES(PLAIN_TEXT)
    };
    int error = errno;
    void *found = dlsym(RTLD_NEXT, names[name]);
    if (found == NULL && (name == OX_REAL_mkfifoat || name == OX_REAL_mknodat)) { /* macOS 13 */
        found = (union { int (*f)(void); void *p; }){.f = no_function}.p;
    }
    if (found == NULL) {
        abort(); /* every other name is in every libSystem since macOS 11 */
    }
    atomic_store_explicit(&ox_real_known[name], found, memory_order_relaxed);
    errno = error;
    return found;
}
