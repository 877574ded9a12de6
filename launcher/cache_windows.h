/* cache_windows.h: libraries that only Windows' own loader can load, as files of the user's cache.
 *
 * The file is %LOCALAPPDATA%\oxcross\cache\KEY\NAME, where KEY is the beginning of the SHA-256 of its bytes; the
 * environment variable OXCROSS_CACHE names another folder than %LOCALAPPDATA%\oxcross\cache. It stays there for the next
 * time. It is compared with the bytes in the executable each time before it is loaded, and cannot be changed in between.
 */
#ifndef OX_CACHE_WINDOWS_H
#define OX_CACHE_WINDOWS_H

#include <stddef.h>
#include <stdint.h>
#include <windows.h>

/* Loads these bytes as LoadLibraryExW with `flags` would, from a file of this name (UTF-8). NULL with GetLastError()
 * and ox_memload_error() set. Safe in any thread and in several processes at once. */
HMODULE ox_cache_load(const char *name, const uint8_t *data, size_t size, DWORD flags);

#endif
