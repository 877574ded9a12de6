/* The functions that list directories. The handle of a search of ours is the address of a struct ox_search that stands in a
 * list: no other handle is taken for one. */
#include <string.h>
#include <windows.h>

#include "hooks_windows.h"
#include "memory.h"
#include "stat_windows.h"
#include "vfs_windows.h"
#include "wide_windows.h"

__typeof__(FindFirstFileW) ox_FindFirstFileW;
__typeof__(FindFirstFileExW) ox_FindFirstFileExW;
__typeof__(FindFirstFileA) ox_FindFirstFileA;
__typeof__(FindNextFileW) ox_FindNextFileW;
__typeof__(FindNextFileA) ox_FindNextFileA;
__typeof__(FindClose) ox_FindClose;

struct ox_search {
    struct ox_search *next; /* of the list */
    CRITICAL_SECTION lock;
    uint32_t node, first, count;
    uint32_t position; /* 0: ".", 1: "..", then the children */
    wchar_t pattern[MAX_PATH];
};

static SRWLOCK list_lock = SRWLOCK_INIT;
static struct ox_search *_Atomic searches;

/* The search behind a handle, or NULL. `take`: out of the list. */
static struct ox_search *ours(HANDLE handle, bool take)
{
    struct ox_search *found = NULL;
    if (searches == NULL) {
        return NULL;
    }
    AcquireSRWLockExclusive(&list_lock);
    struct ox_search *before = NULL;
    for (found = searches; found != NULL && found != handle; found = found->next) {
        before = found;
    }
    if (found != NULL && take) {
        if (before == NULL) {
            searches = found->next;
        } else {
            before->next = found->next;
        }
    }
    ReleaseSRWLockExclusive(&list_lock);
    return found;
}

static bool same_unit(wchar_t one, wchar_t other)
{
    return one == other || CompareStringOrdinal(&one, 1, &other, 1, TRUE) == CSTR_EQUAL;
}

/* Whether a name fits a pattern of '*' and '?'. "*.*" fits every name, as it does on Windows. */
static bool fits(const wchar_t *name, const wchar_t *pattern)
{
    const wchar_t *star = NULL;
    const wchar_t *resume = NULL;
    if (wcscmp(pattern, L"*.*") == 0) {
        return true;
    }
    while (*name != L'\0') {
        if (*pattern == L'*') {
            star = pattern++;
            resume = name;
        } else if (*pattern == L'?' || (*pattern != L'\0' && same_unit(*pattern, *name))) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == L'*') {
        pattern++;
    }
    return *pattern == L'\0';
}

static bool fill(uint32_t node, const char *name, WIN32_FIND_DATAW *out)
{
    struct ox_status status;
    memset(out, 0, sizeof *out);
    if (ox_to_wide(name, out->cFileName, MAX_PATH) == SIZE_MAX) {
        return false;
    }
    ox_vfs_status(node, &status);
    out->dwFileAttributes = ox_stat_attributes(node);
    out->ftCreationTime = out->ftLastAccessTime = out->ftLastWriteTime = ox_stat_time();
    out->nFileSizeHigh = (DWORD)(status.size >> 32);
    out->nFileSizeLow = (DWORD)status.size;
    return true;
}

/* The next entry that fits; false at the end. */
static bool next(struct ox_search *search, WIN32_FIND_DATAW *out)
{
    while (search->position < search->count + 2) {
        uint32_t node = search->node;
        struct ox_text name = {search->position == 0 ? "." : "..", 0};
        uint32_t at = search->position++;
        if (at >= 2) {
            node = search->first + (at - 2);
            if (!ox_vfs_name(node, &name)) {
                continue;
            }
        } else if (at == 1) {
            node = ox.blob.nodes[node].parent < ox.blob.node_count ? ox.blob.nodes[node].parent : 0;
        }
        if (fill(node, name.data, out) && fits(out->cFileName, search->pattern)) {
            return true;
        }
    }
    return false;
}

static HANDLE fails(DWORD error)
{
    SetLastError(error);
    return INVALID_HANDLE_VALUE;
}

/* Begins a search in a directory, or for the one name that `only` is. */
static HANDLE search_in(uint32_t node, const wchar_t *pattern, WIN32_FIND_DATAW *out)
{
    struct ox_search *search = ox_alloc(sizeof *search);
    size_t size = wcslen(pattern);
    if (search == NULL || size >= MAX_PATH) {
        ox_free(search);
        return fails(search == NULL ? ERROR_NOT_ENOUGH_MEMORY : ERROR_FILE_NOT_FOUND);
    }
    memset(search, 0, sizeof *search);
    memcpy(search->pattern, pattern, (size + 1) * sizeof *pattern);
    search->node = node;
    if (!ox_blob_children(&ox.blob, node, &search->first, &search->count)) {
        ox_free(search);
        return fails(ERROR_FILE_CORRUPT);
    }
    if (!next(search, out)) {
        ox_free(search);
        return fails(ERROR_FILE_NOT_FOUND);
    }
    InitializeCriticalSection(&search->lock);
    AcquireSRWLockExclusive(&list_lock);
    search->next = searches;
    searches = search;
    ReleaseSRWLockExclusive(&list_lock);
    return search;
}

/* The path's last name begins here. */
static size_t last_name(const wchar_t *path)
{
    size_t size = wcslen(path);
    while (size > 0 && path[size - 1] != L'\\' && path[size - 1] != L'/') {
        size--;
    }
    return size;
}

/* Looks for what may be a pattern. False: it is the system's to find. */
static bool search_virtual(LPCWSTR path, WIN32_FIND_DATAW *out, HANDLE *found)
{
    wchar_t folder[OX_PATH_MAX];
    struct ox_lookup lookup;
    size_t start = last_name(path);
    bool pattern = wcspbrk(path + start, L"*?") != NULL;
    if (pattern && (start == 0 || start >= OX_PATH_MAX)) {
        if (start != 0) {
            return false;
        }
        wcscpy(folder, L".");
    } else if (pattern) {
        memcpy(folder, path, start * sizeof *path);
        folder[start] = L'\0';
    }
    if (!ox_vfs_find(pattern ? folder : path, &lookup) || (!pattern && lookup.place == OX_SELF)) {
        return false;
    }
    if (lookup.place == OX_MISSING) {
        /* Of a file, which has a separator behind it here: "the directory name is invalid". */
        DWORD error = (DWORD)lookup.error;
        *found = fails(!pattern ? error : error == ERROR_INVALID_NAME ? ERROR_DIRECTORY : ERROR_PATH_NOT_FOUND);
        return true;
    }
    uint32_t node = lookup.node;
    if (pattern) {
        *found = search_in(node, path + start, out);
        return true;
    }
    struct ox_text name;
    wchar_t only[MAX_PATH];
    if (path[start] == L'\0' || node == 0 || !ox_vfs_name(node, &name) || ox_to_wide(name.data, only, MAX_PATH) == SIZE_MAX) {
        *found = fails(ERROR_FILE_NOT_FOUND); /* what Windows says of a separator at the end */
        return true;
    }
    *found = search_in(ox.blob.nodes[node].parent, only, out);
    return true;
}

HANDLE WINAPI ox_FindFirstFileW(LPCWSTR path, LPWIN32_FIND_DATAW out)
{
    HANDLE found;
    return !ox_vfs_elsewhere(path) && search_virtual(path, out, &found) ? found : OX_REAL(FindFirstFileW)(path, out);
}

HANDLE WINAPI ox_FindFirstFileExW(LPCWSTR path, FINDEX_INFO_LEVELS level, LPVOID out, FINDEX_SEARCH_OPS kind, LPVOID filter,
    DWORD flags)
{
    HANDLE found;
    return !ox_vfs_elsewhere(path) && search_virtual(path, out, &found)
        ? found
        : OX_REAL(FindFirstFileExW)(path, level, out, kind, filter, flags);
}

BOOL WINAPI ox_FindNextFileW(HANDLE handle, LPWIN32_FIND_DATAW out)
{
    struct ox_search *search = ours(handle, false);
    if (search == NULL) {
        return OX_REAL(FindNextFileW)(handle, out);
    }
    EnterCriticalSection(&search->lock);
    bool found = next(search, out);
    LeaveCriticalSection(&search->lock);
    if (!found) {
        SetLastError(ERROR_NO_MORE_FILES);
    }
    return found;
}

BOOL WINAPI ox_FindClose(HANDLE handle)
{
    struct ox_search *search = ours(handle, true);
    if (search == NULL) {
        return OX_REAL(FindClose)(handle);
    }
    DeleteCriticalSection(&search->lock);
    ox_free(search);
    return TRUE;
}

static void narrow(const WIN32_FIND_DATAW *wide, WIN32_FIND_DATAA *out)
{
    memset(out, 0, sizeof *out);
    out->dwFileAttributes = wide->dwFileAttributes;
    out->ftCreationTime = wide->ftCreationTime;
    out->ftLastAccessTime = wide->ftLastAccessTime;
    out->ftLastWriteTime = wide->ftLastWriteTime;
    out->nFileSizeHigh = wide->nFileSizeHigh;
    out->nFileSizeLow = wide->nFileSizeLow;
    WideCharToMultiByte(CP_ACP, 0, wide->cFileName, -1, out->cFileName, MAX_PATH - 1, NULL, NULL);
}

HANDLE WINAPI ox_FindFirstFileA(LPCSTR path, LPWIN32_FIND_DATAA out)
{
    wchar_t wide[OX_PATH_MAX];
    WIN32_FIND_DATAW data;
    HANDLE found;
    if (ox_vfs_widen(path, CP_ACP, wide) == NULL || ox_vfs_elsewhere(wide) || !search_virtual(wide, &data, &found)) {
        return OX_REAL(FindFirstFileA)(path, out);
    }
    if (found != INVALID_HANDLE_VALUE) {
        narrow(&data, out);
    }
    return found;
}

BOOL WINAPI ox_FindNextFileA(HANDLE handle, LPWIN32_FIND_DATAA out)
{
    WIN32_FIND_DATAW data;
    if (ours(handle, false) == NULL) {
        return OX_REAL(FindNextFileA)(handle, out);
    }
    BOOL found = ox_FindNextFileW(handle, &data);
    if (found) {
        narrow(&data, out);
    }
    return found;
}
