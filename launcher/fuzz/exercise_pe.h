/* Calls everything that pe_windows.c and pe_map_windows.c have on some bytes: for the fuzzer and tests/probe_pe.c. */
#ifndef OX_EXERCISE_PE_H
#define OX_EXERCISE_PE_H

#include <stdlib.h>
#include <string.h>

#include "pe.h"
#include "pe_map.h"

enum { EXERCISE_LARGEST = 1 << 24 }; /* bytes of an image: a damaged header may ask for 2 GB */

static inline const char *exercise_rename(const char *library, void *context)
{
    return strncmp(library, "python3", 7) == 0 ? context : NULL;
}

static inline void exercise_exports(const struct ox_pe *pe)
{
    static const char *const names[] = {"", "add", "forwarded", "zzz"};
    static const uint32_t ordinals[] = {0, 1, 5, 7, 77, UINT16_MAX};
    struct ox_pe_export found;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (ox_pe_export(pe, names[i], &found) && found.forwarder == NULL && found.address >= pe->image_size) {
            abort();
        }
    }
    for (size_t i = 0; i < sizeof ordinals / sizeof *ordinals; i++) {
        ox_pe_export_ordinal(pe, ordinals[i], &found);
    }
}

/* As the launcher binds imports; `image` is NULL for a file. Returns how many there are. */
static inline size_t exercise_imports(const struct ox_pe *pe, uint8_t *image)
{
    struct ox_pe_library library = {0};
    size_t count = 0;
    while (ox_pe_next_library(pe, &library)) {
        struct ox_pe_symbol symbol = {0};
        count += strlen(library.name) != 0;
        while (ox_pe_next_symbol(pe, &library, &symbol)) {
            count += symbol.name != NULL ? strlen(symbol.name) != 0 : 1;
            if (image != NULL) {
                memset(image + symbol.slot, (int)count, 8);
            }
        }
        if (library.wrong != NULL) {
            break;
        }
    }
    return count;
}

static inline void exercise_sections(const struct ox_pe *pe)
{
    for (unsigned i = 0; i < pe->section_count; i++) {
        struct ox_pe_section section = ox_pe_section(pe, i);
        if (section.address > pe->image_size || section.size > pe->image_size - section.address) {
            abort();
        }
    }
}

static inline void exercise_tls(const struct ox_pe *pe)
{
    struct ox_pe_tls tls;
    ox_pe_reads_tls(pe);
    if (!ox_pe_has_tls(pe) || !ox_pe_tls(pe, pe->image_base, &tls)) {
        return;
    }
    if (tls.index < pe->headers_size || tls.index > pe->image_size - sizeof tls.index) {
        abort();
    }
    uint32_t address;
    for (uint32_t i = 0; (address = ox_pe_tls_callback(pe, pe->image_base, &tls, i)) != 0; i++) {
        if (address >= pe->image_size) {
            abort();
        }
    }
}

static inline void exercise_rest(const struct ox_pe *pe)
{
    uint32_t address;
    uint32_t count;
    if (ox_pe_functions(pe, &address, &count) && count != 0 && ox_pe_at(pe, address, (uint64_t)count * 12) == NULL) {
        abort();
    }
    ox_pe_cookie(pe);
    exercise_tls(pe);
    exercise_exports(pe);
    exercise_sections(pe);
}

static inline void exercise_renaming(const uint8_t *data, size_t size)
{
    static char shorter[] = "a.exe";
    static char longer[] = "a longer name than it was.exe";
    static char longest[300];
    static char *const names[] = {shorter, longer, longest};
    memset(longest, 'x', sizeof longest - 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t room = size + OX_PE_RENAME_ROOM;
        uint64_t now = size;
        uint8_t *copy = malloc((size_t)room);
        struct ox_pe pe;
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, data, size);
        if (ox_pe_rename(copy, &now, room, exercise_rename, names[i]) == NULL
            && ox_pe_open(&pe, copy, now, false) == NULL) {
            exercise_imports(&pe, NULL);
        }
        free(copy);
    }
}

/* Returns NULL, or what the reader says is wrong. */
static inline const char *exercise_pe(const uint8_t *data, size_t size)
{
    struct ox_pe file;
    struct ox_pe pe;
    const char *wrong = ox_pe_open(&file, data, size, false);
    if (wrong != NULL) {
        return wrong;
    }
    ox_pe_refused(&file);
    exercise_imports(&file, NULL);
    exercise_rest(&file);
    exercise_renaming(data, size);
    if (file.image_size > EXERCISE_LARGEST) {
        return NULL;
    }
    uint8_t *image = calloc(1, file.image_size);
    if (image == NULL) {
        abort();
    }
    wrong = ox_pe_layout(&file, image);
    wrong = wrong != NULL ? wrong : ox_pe_open(&pe, image, file.image_size, true);
    if (wrong == NULL) {
        wrong = ox_pe_relocate(&pe, image, 0x7ff612340000u);
        exercise_imports(&pe, image);
        exercise_rest(&pe);
    }
    free(image);
    return wrong;
}

#endif
