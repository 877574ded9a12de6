/* The working directory, which may be a virtual one. Windows knows nothing of that: its own stays where it was, and other programs
 * start there. */
#include <direct.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "crt_windows.h"
#include "hooks_windows.h"
#include "vfs_windows.h"

__typeof__(SetCurrentDirectoryW) ox_SetCurrentDirectoryW;
__typeof__(GetCurrentDirectoryW) ox_GetCurrentDirectoryW;
__typeof__(GetFullPathNameW) ox_GetFullPathNameW;
wchar_t *ox__wgetcwd(wchar_t *buffer, int room);
char *ox__getcwd(char *buffer, int room);
int ox__wchdir(const wchar_t *path);
int ox__chdir(const char *path);
OX_CRT_ALIAS(_getcwd, getcwd);
OX_CRT_ALIAS(_chdir, chdir);

static uint32_t working_node(void)
{
    return atomic_load_explicit(&ox.working.node, memory_order_relaxed);
}

BOOL WINAPI ox_SetCurrentDirectoryW(LPCWSTR path)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup)) {
        uint32_t node = lookup.place == OX_SELF ? 0 : lookup.node;
        if (lookup.place == OX_MISSING || ox.blob.nodes[node].kind != OX_DIR) {
            SetLastError(lookup.place == OX_MISSING ? (DWORD)lookup.error : ERROR_DIRECTORY);
            return FALSE;
        }
        ox_vfs_moved(node);
        return TRUE;
    }
    if (!OX_REAL(SetCurrentDirectoryW)(path)) {
        return FALSE;
    }
    ox_vfs_moved(OX_NONE);
    return TRUE;
}

/* The virtual working directory; 0: it is not virtual. */
static size_t working(wchar_t out[OX_PATH_MAX])
{
    uint32_t node = working_node();
    return node == OX_NONE ? 0 : ox_vfs_wide(node, out);
}

static DWORD give(const wchar_t *path, size_t size, LPWSTR out, DWORD room)
{
    if (size >= room) {
        return (DWORD)size + 1;
    }
    memcpy(out, path, (size + 1) * sizeof *path);
    return (DWORD)size;
}

DWORD WINAPI ox_GetCurrentDirectoryW(DWORD room, LPWSTR out)
{
    wchar_t path[OX_PATH_MAX];
    size_t size = working(path);
    return size == 0 ? OX_REAL(GetCurrentDirectoryW)(room, out) : give(path, size, out, room);
}

DWORD WINAPI ox_GetFullPathNameW(LPCWSTR path, DWORD room, LPWSTR out, LPWSTR *name)
{
    wchar_t joined[OX_PATH_MAX];
    return OX_REAL(GetFullPathNameW)(
        working_node() != OX_NONE && ox_vfs_join(path, joined) ? joined : path, room, out, name);
}

wchar_t *ox__wgetcwd(wchar_t *buffer, int room)
{
    wchar_t path[OX_PATH_MAX];
    size_t size = working(path);
    if (size == 0) {
        return OX_REAL(_wgetcwd)(buffer, room);
    }
    if (buffer == NULL) {
        room = room > (int)size ? room : (int)size + 1;
        buffer = malloc((size_t)room * sizeof *buffer); /* the caller gives it to free(): the C library's */
    }
    if (buffer == NULL || room <= (int)size) {
        errno = buffer == NULL ? ENOMEM : ERANGE;
        return NULL;
    }
    memcpy(buffer, path, (size + 1) * sizeof *path);
    return buffer;
}

char *ox__getcwd(char *buffer, int room)
{
    wchar_t path[OX_PATH_MAX];
    char narrow[3 * OX_PATH_MAX];
    if (working(path) == 0) {
        return OX_REAL(_getcwd)(buffer, room);
    }
    int size = WideCharToMultiByte(ox_crt_page(), 0, path, -1, narrow, sizeof narrow, NULL, NULL);
    if (buffer == NULL) {
        room = room > size ? room : size;
        buffer = size <= 0 ? NULL : malloc((size_t)room);
    }
    if (size <= 0 || buffer == NULL || room < size) {
        errno = buffer == NULL ? ENOMEM : ERANGE;
        return NULL;
    }
    memcpy(buffer, narrow, (size_t)size);
    return buffer;
}

int ox__wchdir(const wchar_t *path)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup)) {
        int result = OX_REAL(_wchdir)(path);
        if (result == 0) {
            ox_vfs_moved(OX_NONE);
        }
        return result;
    }
    return ox_SetCurrentDirectoryW(path) ? 0 : ox_crt_fail(GetLastError());
}

int ox__chdir(const char *path)
{
    wchar_t wide[OX_PATH_MAX];
    return ox_vfs_widen(path, ox_crt_page(), wide) == NULL ? OX_REAL(_chdir)(path) : ox__wchdir(wide);
}
