/* probe_pe: shows what the launcher's reader of Windows' DLLs makes of a file, for the unit tests.
 *
 *   probe_pe show FILE                 headers, sections, imports
 *   probe_pe map FILE BASE             the same of the image at that address; pointers in its relocations' places
 *   probe_pe export FILE NAME|#N…      what each leads to
 *   probe_pe rename FILE NAME OUT      FILE with NAME in the place of python3*.dll
 *   probe_pe cut FILE                  everything, with the file ending at every byte
 *   probe_pe flip FILE FROM TO         everything, with every single bit of these bytes changed
 *
 * Exit status 70 and one line on stderr: damaged.
 */
#include <stdio.h>

#include "../fuzz/exercise_pe.h"
#include "probe_file.h"

static void fail(const char *what)
{
    fprintf(stderr, "damaged: %s\n", what);
    exit(70);
}

/* `base`: where an image lies. */
static void show(const struct ox_pe *pe, uint64_t base)
{
    struct ox_pe_library library = {0};
    uint32_t address;
    uint32_t count;
    struct ox_pe_tls tls;
    const char *refused = ox_pe_refused(pe);
    printf("base %llx entry %x size %x headers %x\n", (unsigned long long)pe->image_base, pe->entry, pe->image_size,
        pe->headers_size);
    for (unsigned i = 0; i < pe->section_count; i++) {
        struct ox_pe_section section = ox_pe_section(pe, i);
        printf("section %x %x %x\n", section.address, section.size, section.flags);
    }
    printf("mapped: %s\n", refused != NULL ? refused : "yes");
    if (ox_pe_has_tls(pe) && ox_pe_tls(pe, base, &tls)) {
        printf("tls %llx %x", (unsigned long long)tls.size, tls.index);
        for (uint32_t n = 0; (address = ox_pe_tls_callback(pe, base, &tls, n)) != 0; n++) {
            printf(" %x", address);
        }
        printf("\n");
    }
    printf("cookie %llx\n", (unsigned long long)ox_pe_cookie(pe));
    if (!ox_pe_functions(pe, &address, &count)) {
        fail("functions");
    }
    printf("functions %u\n", count);
    while (ox_pe_next_library(pe, &library)) {
        struct ox_pe_symbol symbol = {0};
        printf("%s %s\n", library.delayed ? "delayed" : "library", library.name);
        while (ox_pe_next_symbol(pe, &library, &symbol)) {
            if (symbol.name != NULL) {
                printf("  %s %x\n", symbol.name, symbol.slot);
            } else {
                printf("  #%u %x\n", symbol.ordinal, symbol.slot);
            }
        }
        if (library.wrong != NULL) {
            break;
        }
    }
    if (library.wrong != NULL) {
        fail(library.wrong);
    }
}

static void show_mapped(const struct ox_pe *file, uint64_t base)
{
    struct ox_pe pe;
    uint8_t *image = calloc(1, file->image_size);
    const char *wrong = ox_pe_layout(file, image);
    wrong = wrong != NULL ? wrong : ox_pe_open(&pe, image, file->image_size, true);
    wrong = wrong != NULL ? wrong : ox_pe_relocate(&pe, image, base);
    if (wrong != NULL) {
        fail(wrong);
    }
    show(&pe, base);
    fwrite("image ", 1, 6, stdout);
    for (uint32_t i = 0; i < file->image_size; i++) {
        printf("%02x", image[i]);
    }
    printf("\n");
    free(image);
}

static void show_export(const struct ox_pe *pe, const char *name)
{
    struct ox_pe_export found;
    bool there = name[0] == '#' ? ox_pe_export_ordinal(pe, (uint32_t)strtoul(name + 1, NULL, 10), &found)
                                : ox_pe_export(pe, name, &found);
    if (!there) {
        printf("none\n");
    } else if (found.forwarder != NULL) {
        printf("-> %s\n", found.forwarder);
    } else {
        printf("%x\n", found.address);
    }
}

static void write_renamed(const uint8_t *data, size_t size, char *name, const char *path)
{
    uint64_t room = size + OX_PE_RENAME_ROOM;
    uint64_t now = size;
    uint8_t *copy = malloc((size_t)room);
    FILE *out = fopen(path, "wb");
    if (copy == NULL || out == NULL) {
        exit(2);
    }
    memcpy(copy, data, size);
    const char *wrong = ox_pe_rename(copy, &now, room, exercise_rename, name);
    if (wrong != NULL) {
        fail(wrong);
    }
    fwrite(copy, 1, (size_t)now, out);
    fclose(out);
    free(copy);
}

/* A copy of exactly `size` bytes is what is read, see read_file. */
static void run_copy(const uint8_t *data, size_t size, size_t flipped, unsigned bit, unsigned *good)
{
    uint8_t *copy = malloc(size);
    if (copy == NULL && size != 0) {
        exit(2);
    }
    if (size != 0) {
        memcpy(copy, data, size);
    }
    if (flipped < size) {
        copy[flipped] ^= (uint8_t)(1u << bit);
    }
    *good += exercise_pe(copy, size) == NULL;
    free(copy);
}

int main(int argc, char **argv)
{
    struct ox_pe pe;
    size_t size;
    unsigned good = 0;
    if (argc < 3) {
        return 2;
    }
    uint8_t *data = read_file(argv[2], &size);
    if (strcmp(argv[1], "cut") == 0) {
        for (size_t i = 0; i < size; i++) {
            run_copy(data, i, SIZE_MAX, 0, &good);
        }
        printf("%u of %zu\n", good, size);
    } else if (strcmp(argv[1], "flip") == 0 && argc == 5) {
        for (size_t i = strtoul(argv[3], NULL, 0); i < strtoul(argv[4], NULL, 0); i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                run_copy(data, size, i, bit, &good);
            }
        }
        printf("%u\n", good);
    } else {
        const char *wrong = ox_pe_open(&pe, data, size, false);
        if (wrong != NULL) {
            fail(wrong);
        }
        if (strcmp(argv[1], "show") == 0) {
            show(&pe, pe.image_base);
        } else if (strcmp(argv[1], "map") == 0 && argc == 4) {
            show_mapped(&pe, strtoull(argv[3], NULL, 16));
        } else if (strcmp(argv[1], "rename") == 0 && argc == 5) {
            write_renamed(data, size, argv[3], argv[4]);
        } else {
            for (int i = 3; i < argc; i++) {
                show_export(&pe, argv[i]);
            }
        }
    }
    free(data);
    return 0;
}
