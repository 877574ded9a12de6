/* crt_windows.h: what the functions in front of the C library (UCRT) share. Descriptors of virtual files hold handles of
 * handles_windows.h. */
#ifndef OX_CRT_WINDOWS_H
#define OX_CRT_WINDOWS_H

#include <stdbool.h>
#include <wchar.h>
#include <windows.h>

#include "handles_windows.h"
#include "vfs_windows.h"

/* mingw-w64's import libraries have the C library's functions without the underscore, too. */
#define OX_CRT_ALIAS(name, other) extern __typeof__(ox_##name) ox_##other __attribute__((alias("ox_" #name)))

/* The code page of paths that are given to narrow functions: the locale's when that is UTF-8 (setlocale of UCRT). */
unsigned ox_crt_page(void);

/* Sets errno (and _doserrno) by one of Windows' error codes; always -1. */
int ox_crt_fail(DWORD error);

/* The virtual file behind a descriptor, to be given back by ox_file_release, or NULL. */
struct ox_file *ox_crt_file(int fd);

/* A descriptor for a virtual path (OX_MISSING or OX_VIRTUAL), opened with _O_… flags; -1 with errno. */
int ox_crt_open(const struct ox_lookup *lookup, int flags);

#endif
