/* Calls everything that macho.c has on some bytes: for the fuzzer and tests/probe_macho.c. */
#ifndef OX_EXERCISE_MACHO_H
#define OX_EXERCISE_MACHO_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "macho.h"

enum { EXERCISE_ROOM = 64 }; /* bytes for a path: names in a file may be longer */

/* What a place must be: a path below the executable, or nothing. */
static inline void exercise_place(const char *name, const char *start, const char *folder)
{
    size_t size = SIZE_MAX;
    char *out = malloc(EXERCISE_ROOM); /* of exactly that size: the sanitizer sees each byte written behind it */
    if (out == NULL) {
        abort();
    }
    if (ox_macho_place(name, start, folder, strlen(folder), out, EXERCISE_ROOM, &size)
        && (size >= EXERCISE_ROOM || strlen(out) != size || out[0] == '/' || (size != 0 && out[size - 1] == '/')
            || strstr(out, "//") != NULL || strncmp(out, "../", 3) == 0 || strstr(out, "/../") != NULL)) {
        abort();
    }
    free(out);
}

/* Returns NULL, or what the reader says is wrong. */
static inline const char *exercise_macho(const uint8_t *data, size_t size, uint32_t machine)
{
    static const char *const starts[] = {"@loader_path", "@rpath", "@executable_path", ""};
    static const char *const folders[] = {"", "pkg", "pkg/inner/deeper/and/a/name/that/takes/nearly/all/the/room/63"};
    struct ox_macho macho;
    struct ox_macho_name name = {0};
    const char *wrong = ox_macho_open(&macho, data, size, machine);
    if (wrong != NULL) {
        return wrong;
    }
    while (ox_macho_next(&macho, &name)) {
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
            for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
                exercise_place(name.text, starts[i], folders[k]);
            }
        }
    }
    return name.wrong;
}

#endif
