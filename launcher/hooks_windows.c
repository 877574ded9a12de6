#include "hooks_windows.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

#include "locate.h"

/* The launcher's functions, without their types. They are declared as functions so that Control Flow Guard lets programs
 * call them by their addresses. */
#define OX_DECLARE(name, dll) extern void ox_code_##name(void) __asm__("ox_" #name);
OX_HOOK_NAMES(OX_DECLARE)

/* The function's own name is defined, too: what calls it without dllimport would else bring in the import library's
 * member for it, which defines the pointer again. */
#define OX_POINTER(name, dll)                                                            \
    extern void *const ox_import_##name __asm__("__imp_" #name);                         \
    __attribute__((used)) void *const ox_import_##name = (void *)ox_code_##name;         \
    __attribute__((naked, used)) void ox_jump_##name(void) __asm__(#name);               \
    void ox_jump_##name(void)                                                            \
    {                                                                                    \
        __asm__("jmp ox_" #name);                                                        \
    }
OX_HOOK_NAMES(OX_POINTER)

static const struct {
    const char *name, *dll;
    void *function;
} hooks[] = {
#define OX_ROW(name, dll) {#name, #dll, (void *)ox_code_##name},
    OX_HOOK_NAMES(OX_ROW)};

static _Atomic(void *) known[OX_HOOK_COUNT];

/* LoadLibraryExA and GetProcAddress are among those that are stood before: ntdll's functions, which are not, find them. */
NTSYSAPI NTSTATUS NTAPI LdrGetDllHandle(PWSTR path, PULONG flags, PUNICODE_STRING name, PVOID *module);
NTSYSAPI NTSTATUS NTAPI LdrGetProcedureAddress(PVOID module, PANSI_STRING name, ULONG ordinal, PVOID *function);

static void *kernel_function(const char *name)
{
    static wchar_t dll[] = L"kernel32.dll";
    UNICODE_STRING dll_name = {sizeof dll - sizeof *dll, sizeof dll, dll};
    ANSI_STRING text = {(USHORT)strlen(name), (USHORT)(strlen(name) + 1), (char *)name};
    void *module = NULL;
    void *function = NULL;
    if (LdrGetDllHandle(NULL, NULL, &dll_name, &module) < 0
        || LdrGetProcedureAddress(module, &text, 0, &function) < 0) {
        return NULL;
    }
    return function;
}

/* Windows' own function, or NULL. Leaves the thread's last error as it is. */
static void *find(enum ox_hook_number number)
{
    void *function = atomic_load_explicit(&known[number], memory_order_relaxed);
    if (function != NULL) {
        return function;
    }
    DWORD error = GetLastError();
    if (_stricmp(hooks[number].dll, "kernel32.dll") == 0) {
        function = kernel_function(hooks[number].name);
    } else {
        __typeof__(&LoadLibraryExA) load = (__typeof__(&LoadLibraryExA))kernel_function("LoadLibraryExA");
        __typeof__(&GetProcAddress) get = (__typeof__(&GetProcAddress))kernel_function("GetProcAddress");
        HMODULE module
            = load != NULL && get != NULL ? load(hooks[number].dll, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32) : NULL;
        function = module == NULL ? NULL : (void *)get(module, hooks[number].name);
    }
    SetLastError(error);
    atomic_store_explicit(&known[number], function, memory_order_relaxed);
    return function;
}

void *ox_real(enum ox_hook_number number)
{
    void *function = find(number);
    if (function == NULL) {
        ox_damaged(hooks[number].name);
    }
    return function;
}

static size_t find_hook(const char *name)
{
    size_t i = 0;
    while (i < OX_HOOK_COUNT && (hooks[i].name[0] != name[0] || strcmp(hooks[i].name, name) != 0)) {
        i++;
    }
    return i;
}

void *ox_hook(const char *name)
{
    size_t i = find_hook(name);
    return i < OX_HOOK_COUNT ? hooks[i].function : NULL;
}

static bool begins(const char *text, const char *start)
{
    return _strnicmp(text, start, strlen(start)) == 0;
}

static bool is_crt(const char *dll)
{
    return begins(dll, "ucrtbase.") || begins(dll, "api-ms-win-crt-");
}

/* An API set (learn.microsoft.com/windows/win32/apiindex/windows-apisets) stands for DLLs of Windows. msvcrt.dll is not
 * the C library that is stood before: its descriptors and streams are others. */
static bool is_same(const char *dll, const char *hooked)
{
    if (is_crt(dll)) {
        return is_crt(hooked);
    }
    if (begins(dll, "api-ms-win-") || begins(dll, "ext-ms-") || begins(dll, "kernelbase.")) {
        return !is_crt(hooked);
    }
    return _stricmp(dll, hooked) == 0;
}

void *ox_hook_import(const char *dll, const char *name)
{
    size_t i = find_hook(name);
    return i < OX_HOOK_COUNT && is_same(dll, hooks[i].dll) ? hooks[i].function : NULL;
}

void *ox_hook_instead(const char *name, void *function)
{
    size_t i = find_hook(name);
    return i < OX_HOOK_COUNT && find((enum ox_hook_number)i) == function ? hooks[i].function : function;
}
