/* wide_windows.h: between UTF-8 and Windows' texts. Half of a surrogate pair, which names of files may hold, is written as
 * three bytes as every other character of its size (WTF-8), and so does Python (PEP 529).
 */
#ifndef OX_WIDE_WINDOWS_H
#define OX_WIDE_WINDOWS_H

#include <stddef.h>
#include <wchar.h>

/* Both return the size without NUL, or SIZE_MAX when `room` is too small or the text is not UTF-8. With `out` NULL nothing is
 * written, and room does not matter. */
size_t ox_to_wide(const char *text, wchar_t *out, size_t room);
size_t ox_from_wide(const wchar_t *text, char *out, size_t room);

/* The same in new memory, to be freed with ox_free; NULL when there is none, or the text is not UTF-8. */
wchar_t *ox_new_wide(const char *text);
char *ox_new_narrow(const wchar_t *text);

#endif
