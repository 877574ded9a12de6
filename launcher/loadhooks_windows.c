/* The functions by which a process loads libraries and asks for them, with the embedded ones among those of Windows. */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "hooks_windows.h"
#include "memload.h"
#include "memory.h"
#include "modules_windows.h"
#include "vfs.h"

enum { NAME_SIZE = 512 };

/* A directory of the virtual file system that AddDllDirectory was called with; its address is the cookie. */
struct added {
    struct added *next;
    uint32_t folder;
    _Atomic bool there;
};

static _Atomic(struct added *) added; /* rows stay, as those of the table of images */

uint32_t ox_find_in_added(const char *name)
{
    uint32_t node = OX_NONE;
    for (struct added *one = atomic_load(&added); one != NULL && node == OX_NONE; one = one->next) {
        if (atomic_load(&one->there)) {
            node = ox_find_library_in_folder(one->folder, name);
        }
    }
    return node;
}

/* What a name or path means. */
enum meaning { SYSTEMS, SELF, EMBEDDED, ABSENT, FOLDER };

struct wanted {
    enum meaning meaning;
    bool bare;         /* a file name without a folder */
    bool system_first; /* EMBEDDED */
    uint32_t node;     /* EMBEDDED */
    const wchar_t *path;  /* SYSTEMS: what to hand on */
    char name[NAME_SIZE]; /* the file's */
    struct ox_lookup lookup;
};

static bool is_separator(wchar_t character)
{
    return character == L'\\' || character == L'/' || character == L':';
}

/* The file's name in UTF-8 with the extension that Windows adds: ".dll" when it has none, and none after a final dot. */
static bool take_name(const wchar_t *name, char *out)
{
    int length = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, name, -1, out, NAME_SIZE - 4, NULL, NULL);
    if (length <= 1) {
        return false;
    }
    if (strchr(out, '.') == NULL) {
        strcpy(out + length - 1, ".dll");
    } else if (out[length - 2] == '.') {
        out[length - 2] = '\0';
    }
    return true;
}

static void look_below(const wchar_t *path, struct wanted *wanted)
{
    struct ox_lookup *lookup = &wanted->lookup;
    wanted->path = path;
    if (!ox_lookup(&wanted->path, lookup) || lookup->place == OX_SELF) {
        return;
    }
    wanted->meaning = ABSENT;
    if (lookup->place == OX_VIRTUAL) {
        wanted->node = lookup->node;
        wanted->meaning = ox.blob.nodes[lookup->node].kind == OX_FILE ? EMBEDDED : FOLDER;
    }
    if (wanted->meaning == ABSENT && ox_is_this_python(wanted->name)) {
        wanted->meaning = SELF; /* beside the other files of Python is where it would be */
    }
}

static void look(const wchar_t *path, struct wanted *wanted)
{
    const wchar_t *name = path;
    wanted->meaning = SYSTEMS;
    wanted->bare = wanted->system_first = false;
    wanted->node = OX_NONE;
    wanted->path = path;
    if (path == NULL || ox.mount.size == 0) {
        return; /* nothing is embedded, or nobody knows yet */
    }
    for (const wchar_t *at = path; *at != L'\0'; at++) {
        name = is_separator(*at) ? at + 1 : name;
    }
    wanted->bare = name == path;
    if (!take_name(name, wanted->name)) {
        return;
    }
    if (!wanted->bare) {
        look_below(path, wanted);
        if (wanted->meaning == ABSENT && wcschr(name, L'.') == NULL) {
            size_t length = wcslen(path);
            wchar_t *longer = ox_alloc((length + sizeof ".dll") * sizeof *longer);
            if (longer != NULL) {
                wcscpy(longer, path);
                wcscpy(longer + length, L".dll");
                look_below(longer, wanted);
                ox_free(longer);
            }
        }
        return;
    }
    if (ox_is_this_python(wanted->name)) {
        wanted->meaning = SELF;
        return;
    }
    wanted->node = ox_find_embedded(wanted->name, OX_NONE, &wanted->system_first);
    wanted->meaning = wanted->node != OX_NONE ? EMBEDDED : SYSTEMS;
}

static HMODULE own_handle(void)
{
    return OX_REAL(GetModuleHandleW)(NULL);
}

HMODULE WINAPI ox_LoadLibraryExW(LPCWSTR path, HANDLE file, DWORD flags)
{
    struct wanted wanted;
    HMODULE module;
    look(path, &wanted);
    switch (wanted.meaning) {
    case SELF:
        return own_handle();
    case ABSENT:
        ox_load_fail(ERROR_MOD_NOT_FOUND, "there is no %.200s in the executable", wanted.name);
        return NULL;
    case FOLDER:
        ox_load_fail(ERROR_ACCESS_DENIED, "%s", "it is a folder");
        return NULL;
    case EMBEDDED:
        if (wanted.system_first && (module = OX_REAL(LoadLibraryExW)(path, file, flags)) != NULL) {
            return module;
        }
        return ox_memload(wanted.node, (int)flags);
    default:
        return OX_REAL(LoadLibraryExW)(wanted.path, file, flags);
    }
}

HMODULE WINAPI ox_LoadLibraryW(LPCWSTR path)
{
    return ox_LoadLibraryExW(path, NULL, 0);
}

/* The same path as UTF-16, to be given back with ox_free. */
static wchar_t *widen(const char *path)
{
    int length = MultiByteToWideChar(CP_ACP, 0, path, -1, NULL, 0);
    wchar_t *wide = length > 0 ? ox_alloc((size_t)length * sizeof *wide) : NULL;
    if (wide != NULL) {
        MultiByteToWideChar(CP_ACP, 0, path, -1, wide, length);
    }
    return wide;
}

HMODULE WINAPI ox_LoadLibraryExA(LPCSTR path, HANDLE file, DWORD flags)
{
    wchar_t *wide = path != NULL ? widen(path) : NULL;
    if (wide == NULL) {
        return OX_REAL(LoadLibraryExA)(path, file, flags);
    }
    HMODULE module = ox_LoadLibraryExW(wide, file, flags);
    DWORD error = GetLastError();
    ox_free(wide);
    SetLastError(error);
    return module;
}

HMODULE WINAPI ox_LoadLibraryA(LPCSTR path)
{
    return ox_LoadLibraryExA(path, NULL, 0);
}

/* Takes away one reference. False when the library is Windows' business. */
static bool release(HMODULE module, BOOL *good)
{
    struct ox_image *image = ox_image_by_handle(module);
    if (image == NULL) {
        return false;
    }
    long references = atomic_load(&image->references);
    while (references > 0 && !atomic_compare_exchange_weak(&image->references, &references, references - 1)) {
    }
    *good = references > 0;
    if (!*good) {
        SetLastError(ERROR_INVALID_HANDLE);
    }
    return true;
}

BOOL WINAPI ox_FreeLibrary(HMODULE module)
{
    BOOL good;
    return release(module, &good) ? good : OX_REAL(FreeLibrary)(module);
}

VOID WINAPI ox_FreeLibraryAndExitThread(HMODULE module, DWORD status)
{
    BOOL good;
    if (release(module, &good)) {
        ExitThread(status);
    }
    OX_REAL(FreeLibraryAndExitThread)(module, status);
}

FARPROC WINAPI ox_GetProcAddress(HMODULE module, LPCSTR name)
{
    const struct ox_image *image = module != NULL ? ox_image_by_handle(module) : NULL;
    bool by_name = (uintptr_t)name > UINT16_MAX;
    if (image != NULL && image->mapped) {
        return (FARPROC)ox_find_export(image, by_name ? name : NULL, (uint16_t)(uintptr_t)name, 0);
    }
    FARPROC function = OX_REAL(GetProcAddress)(module, name);
    return function != NULL && by_name ? (FARPROC)ox_hook_instead(name, (void *)function) : function;
}

/* What is loaded under this name, or NULL when that is Windows' business; `known`: whether it is not. */
static HMODULE find_loaded(LPCWSTR name, bool *known, struct ox_image **image)
{
    struct wanted wanted;
    *image = NULL;
    *known = false;
    look(name, &wanted);
    if (wanted.meaning == SELF) {
        *known = true;
        return own_handle();
    }
    if (wanted.bare) {
        *image = ox_image_by_name(wanted.name);
    } else if (wanted.meaning == EMBEDDED) {
        *image = ox_image_by_node(wanted.node, false);
    }
    *known = *image != NULL || (!wanted.bare && wanted.meaning != SYSTEMS);
    if (*known && *image == NULL) {
        SetLastError(ERROR_MOD_NOT_FOUND);
    }
    return *image != NULL ? (*image)->handle : NULL;
}

HMODULE WINAPI ox_GetModuleHandleW(LPCWSTR name)
{
    bool known = false;
    struct ox_image *image;
    HMODULE module = name != NULL ? find_loaded(name, &known, &image) : NULL;
    return known ? module : OX_REAL(GetModuleHandleW)(name);
}

HMODULE WINAPI ox_GetModuleHandleA(LPCSTR name)
{
    wchar_t *wide = name != NULL ? widen(name) : NULL;
    if (wide == NULL) {
        return OX_REAL(GetModuleHandleA)(name);
    }
    HMODULE module = ox_GetModuleHandleW(wide);
    DWORD error = GetLastError();
    ox_free(wide);
    SetLastError(error);
    return module;
}

BOOL WINAPI ox_GetModuleHandleExW(DWORD flags, LPCWSTR name, HMODULE *module)
{
    bool known = false;
    struct ox_image *image = NULL;
    HMODULE found = NULL;
    if (name != NULL && module != NULL) {
        if ((flags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS) == 0) {
            found = find_loaded(name, &known, &image);
        } else if ((image = ox_image_by_address(name)) != NULL) {
            found = image->handle;
            known = true;
        }
    }
    if (!known) {
        return OX_REAL(GetModuleHandleExW)(flags, name, module);
    }
    *module = found;
    if (image != NULL && (flags & GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT) == 0) {
        atomic_fetch_add(&image->references, 1);
    }
    return found != NULL;
}

BOOL WINAPI ox_GetModuleHandleExA(DWORD flags, LPCSTR name, HMODULE *module)
{
    if (name == NULL || (flags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS) != 0) {
        return ox_GetModuleHandleExW(flags, (LPCWSTR)(const void *)name, module);
    }
    wchar_t *wide = widen(name);
    if (wide == NULL) {
        return OX_REAL(GetModuleHandleExA)(flags, name, module);
    }
    BOOL good = ox_GetModuleHandleExW(flags, wide, module);
    DWORD error = GetLastError();
    ox_free(wide);
    SetLastError(error);
    return good;
}

/* The library's path below the executable, into OX_PATH_MAX; false when it is Windows' business. */
static bool take_path(HMODULE module, wchar_t *path)
{
    const struct ox_image *image = module != NULL ? ox_image_by_handle(module) : NULL;
    return image != NULL && ox_vfs_wide(image->node, path) != 0;
}

DWORD WINAPI ox_GetModuleFileNameW(HMODULE module, LPWSTR name, DWORD size)
{
    wchar_t path[OX_PATH_MAX];
    if (!take_path(module, path)) {
        return OX_REAL(GetModuleFileNameW)(module, name, size);
    }
    size_t length = wcslen(path);
    DWORD written = length < size ? (DWORD)length : size;
    if (size != 0) {
        wmemcpy(name, path, written);
        name[written - (written == size)] = L'\0';
    }
    SetLastError(written == size ? ERROR_INSUFFICIENT_BUFFER : ERROR_SUCCESS);
    return written;
}

DWORD WINAPI ox_GetModuleFileNameA(HMODULE module, LPSTR name, DWORD size)
{
    wchar_t path[OX_PATH_MAX];
    char narrow[3 * OX_PATH_MAX];
    if (!take_path(module, path)) {
        return OX_REAL(GetModuleFileNameA)(module, name, size);
    }
    int length = WideCharToMultiByte(CP_ACP, 0, path, -1, narrow, sizeof narrow, NULL, NULL);
    DWORD written = length > 0 ? (DWORD)length - 1 : 0;
    written = written < size ? written : size;
    if (size != 0) {
        memcpy(name, narrow, written);
        name[written - (written == size)] = '\0';
    }
    SetLastError(written == size ? ERROR_INSUFFICIENT_BUFFER : ERROR_SUCCESS);
    return written;
}

DLL_DIRECTORY_COOKIE WINAPI ox_AddDllDirectory(PCWSTR path)
{
    struct wanted wanted;
    look(path, &wanted);
    if (wanted.bare || wanted.meaning == SYSTEMS) {
        return OX_REAL(AddDllDirectory)(wanted.path);
    }
    struct added *one = wanted.meaning == FOLDER ? ox_alloc(sizeof *one) : NULL;
    if (one == NULL) {
        DWORD error = wanted.meaning == EMBEDDED ? ERROR_DIRECTORY : ERROR_FILE_NOT_FOUND;
        SetLastError(wanted.meaning == FOLDER ? ERROR_NOT_ENOUGH_MEMORY : error);
        return NULL;
    }
    *one = (struct added){.next = atomic_load(&added), .folder = wanted.node, .there = true};
    while (!atomic_compare_exchange_weak(&added, &one->next, one)) {
    }
    return one;
}

BOOL WINAPI ox_RemoveDllDirectory(DLL_DIRECTORY_COOKIE cookie)
{
    for (struct added *one = atomic_load(&added); one != NULL; one = one->next) {
        if (one == cookie) {
            bool there = atomic_exchange(&one->there, false);
            SetLastError(there ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER);
            return there;
        }
    }
    return OX_REAL(RemoveDllDirectory)(cookie);
}
