/* hooks_windows.h: functions of Windows and of its C library that the launcher stands before.
 *
 * What is linked into the executable calls a function of a DLL through a pointer that the import library would define
 * (__imp_NAME). hooks_windows.c defines those of the functions listed here, and they lead to the launcher's ox_NAME.
 * Libraries that are mapped from memory, and those that the launcher has loaded from its cache, get the same functions
 * in their import tables (memload_windows.c). DLLs of the system keep Windows' own.
 */
#ifndef OX_HOOKS_WINDOWS_H
#define OX_HOOKS_WINDOWS_H

#include "memload_windows.h"
#include "vfs_windows.h"

/* X(name, dll): the DLL that has the real one. */
#define OX_HOOK_NAMES(X) OX_FILE_HOOKS(X) OX_LOAD_HOOKS(X)

enum ox_hook_number {
#define OX_HOOK_NUMBER(name, dll) OX_HOOK_##name,
    OX_HOOK_NAMES(OX_HOOK_NUMBER)
#undef OX_HOOK_NUMBER
        OX_HOOK_COUNT
};

/* Windows' own function; the process ends with a message when it has none of that name. Safe in any thread. */
void *ox_real(enum ox_hook_number number);

/* Calls Windows' own: OX_REAL(CreateFileW)(path, ...). ox_NAME must be declared with the function's type. */
#define OX_REAL(name) ((__typeof__(&ox_##name))ox_real(OX_HOOK_##name))

/* The launcher's function that stands before the one of this name, or NULL. */
void *ox_hook(const char *name);

#endif
