#include "wide_windows.h"

#include <stdint.h>

#include "memory.h"

/* The next character; 0 at the end, UINT32_MAX where there is none. */
static uint32_t next_of_utf8(const unsigned char **at)
{
    const unsigned char *text = *at;
    uint32_t first = text[0];
    unsigned more = first < 0x80 ? 0 : first < 0xc2 ? 9 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 9;
    if (more == 9) {
        return UINT32_MAX;
    }
    uint32_t character = more == 0 ? first : first & (0x3fu >> more);
    for (unsigned i = 1; i <= more; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return UINT32_MAX;
        }
        character = character << 6 | (text[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (character < least[more] || character > 0x10ffff) {
        return UINT32_MAX;
    }
    *at = text + more + 1;
    return character;
}

size_t ox_to_wide(const char *text, wchar_t *out, size_t room)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t size = 0;
    for (;;) {
        uint32_t character = next_of_utf8(&at);
        if (character == UINT32_MAX) {
            return SIZE_MAX;
        }
        size_t units = character >= 0x10000 ? 2 : 1;
        if (out != NULL) {
            if (room - size < units) {
                return SIZE_MAX;
            }
            if (units == 2) {
                out[size] = (wchar_t)(0xd800 + ((character - 0x10000) >> 10));
                out[size + 1] = (wchar_t)(0xdc00 + ((character - 0x10000) & 0x3ff));
            } else {
                out[size] = (wchar_t)character;
            }
        }
        if (character == 0) {
            return size;
        }
        size += units;
    }
}

size_t ox_from_wide(const wchar_t *text, char *out, size_t room)
{
    size_t size = 0;
    for (;;) {
        uint32_t character = *text++;
        if (character >= 0xd800 && character < 0xdc00 && *text >= 0xdc00 && *text < 0xe000) {
            character = 0x10000 + ((character - 0xd800) << 10) + (*text++ - 0xdc00u);
        }
        size_t bytes = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
        if (out != NULL) {
            static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
            if (room - size < bytes) {
                return SIZE_MAX;
            }
            for (size_t i = bytes - 1; i > 0; i--) {
                out[size + i] = (char)(0x80 | (character & 0x3f));
                character >>= 6;
            }
            out[size] = (char)(lead[bytes] | character);
        }
        if (character == 0 && bytes == 1) {
            return size;
        }
        size += bytes;
    }
}

wchar_t *ox_new_wide(const char *text)
{
    size_t size = ox_to_wide(text, NULL, 0);
    wchar_t *wide = size == SIZE_MAX ? NULL : ox_alloc((size + 1) * sizeof *wide);
    if (wide != NULL) {
        ox_to_wide(text, wide, size + 1);
    }
    return wide;
}

char *ox_new_narrow(const wchar_t *text)
{
    size_t size = ox_from_wide(text, NULL, 0);
    char *narrow = ox_alloc(size + 1);
    if (narrow != NULL) {
        ox_from_wide(text, narrow, size + 1);
    }
    return narrow;
}
