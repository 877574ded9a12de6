/* Why a library cannot be loaded, in Windows' own place for it: CPython and others ask FormatMessageW for the text of the error
 * of a load, and where that was one of ours they get what the launcher knows of it, once. */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include "hooks_windows.h"
#include "memload_windows.h"
#include "memory.h"
#include "wide_windows.h"

#define PLAIN (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS)

/* The text, when it was the last error of a load in this thread; else NULL. */
static wchar_t *load_error(DWORD flags, DWORD id)
{
    if ((flags & ~(DWORD)FORMAT_MESSAGE_ALLOCATE_BUFFER & ~(DWORD)FORMAT_MESSAGE_MAX_WIDTH_MASK) != PLAIN) {
        return NULL;
    }
    const char *text = ox_memload_take_error(id);
    return text == NULL ? NULL : ox_new_wide(text);
}

DWORD WINAPI ox_FormatMessageW(
    DWORD flags, LPCVOID source, DWORD id, DWORD language, LPWSTR out, DWORD room, va_list *arguments)
{
    DWORD before = GetLastError();
    wchar_t *text = load_error(flags, id);
    if (text == NULL) {
        SetLastError(before);
        return OX_REAL(FormatMessageW)(flags, source, id, language, out, room, arguments);
    }
    size_t size = wcslen(text);
    if ((flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
        wchar_t *buffer = LocalAlloc(LMEM_FIXED, (size + 1) * sizeof *buffer);
        memcpy(out, &buffer, sizeof buffer); /* then it is the place for the address */
        out = buffer;
        room = (DWORD)size + 1;
    }
    if (out == NULL || room == 0) {
        size = 0;
    } else {
        size = size < room ? size : room - 1;
        memcpy(out, text, size * sizeof *out);
        out[size] = L'\0';
    }
    ox_free(text);
    return (DWORD)size;
}
