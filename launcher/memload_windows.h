/* memload_windows.h: DLLs and extension modules of the virtual file system, and the functions of Windows by which a
 * process loads them and asks for them.
 *
 * A library is mapped from memory where that can be done, and goes through a file of the user's cache
 * (cache_windows.h) where only Windows' own loader will do, as for variables that each thread has of its own. What is
 * told of a mapped library differs in this from one that Windows has loaded: its DllMain hears of the process's start
 * only, neither of threads nor of the end (Windows tells those of its own list), and it is never taken out of memory
 * while the process lives. Its handle is its address, as Windows' are.
 */
#ifndef OX_MEMLOAD_WINDOWS_H
#define OX_MEMLOAD_WINDOWS_H

#include <stdint.h>
#include <windows.h>

/* Functions that the launcher stands before, see hooks_windows.h. A path below the executable, or the bare name of an
 * embedded library, means the embedded file; python3*.dll means the executable itself. */
#define OX_LOAD_HOOKS(X)                         \
    X(LoadLibraryExW, kernel32.dll)              \
    X(LoadLibraryExA, kernel32.dll)              \
    X(LoadLibraryW, kernel32.dll)                \
    X(LoadLibraryA, kernel32.dll)                \
    X(FreeLibrary, kernel32.dll)                 \
    X(FreeLibraryAndExitThread, kernel32.dll)    \
    X(GetProcAddress, kernel32.dll)              \
    X(GetModuleHandleW, kernel32.dll)            \
    X(GetModuleHandleA, kernel32.dll)            \
    X(GetModuleHandleExW, kernel32.dll)          \
    X(GetModuleHandleExA, kernel32.dll)          \
    X(GetModuleFileNameW, kernel32.dll)          \
    X(GetModuleFileNameA, kernel32.dll)          \
    X(AddDllDirectory, kernel32.dll)             \
    X(RemoveDllDirectory, kernel32.dll)          \
    X(FormatMessageW, kernel32.dll)              \
    X(RtlPcToFileHeader, kernel32.dll)

#define OX_LOAD_TYPE(name, dll) __typeof__(name) ox_##name;
OX_LOAD_HOOKS(OX_LOAD_TYPE)
#undef OX_LOAD_TYPE

/* Loads a virtual file as LoadLibraryExW would, with the embedded libraries that it needs before it. `flags` are
 * LoadLibraryExW's. Returns its HMODULE; or NULL, with GetLastError() and ox_memload_error() set. */
void *ox_memload(uint32_t node, int flags);

/* Why the last load failed that failed in this thread: "NAME: it needs …"; "" when none did. It stays until the next. */
const char *ox_memload_error(void);

/* The same text for whoever has this error of Windows' to tell, the first time; NULL when it is of something else. */
const char *ox_memload_take_error(DWORD error);

/* The launcher's function for what is imported by this name from this DLL of Windows' (or API set), or NULL. */
void *ox_hook_import(const char *dll, const char *name);

/* The same for a function that GetProcAddress has found: the launcher's, or the one given. */
void *ox_hook_instead(const char *name, void *function);

#endif
