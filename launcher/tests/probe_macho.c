/* probe_macho: shows what the launcher's reader of Mach-O files makes of a file, for the unit tests.
 *
 *   probe_macho show FILE MACHINE            what it needs, and where it is looked for; MACHINE: x64, arm64
 *   probe_macho place NAME START FOLDER      where a name leads
 *   probe_macho cut FILE MACHINE             everything, with the file ending at every byte
 *   probe_macho flip FILE MACHINE FROM TO    everything, with every single bit of these bytes changed
 *
 * Exit status 70 and one line on stderr: damaged.
 */
#include <stdio.h>

#include "../fuzz/exercise_macho.h"
#include "probe_file.h"

static int fail(const char *what)
{
    fprintf(stderr, "damaged: %s\n", what);
    return 70;
}

static int show(const uint8_t *data, size_t size, uint32_t machine)
{
    struct ox_macho macho;
    struct ox_macho_name name = {0};
    const char *wrong = ox_macho_open(&macho, data, size, machine);
    if (wrong != NULL) {
        return fail(wrong);
    }
    printf("type %u of %llu bytes\n", macho.type, (unsigned long long)macho.size);
    while (ox_macho_next(&macho, &name)) {
        printf("%s %s\n", name.kind == OX_MACHO_NEEDED ? "needs" : "folder", name.text);
    }
    return name.wrong != NULL ? fail(name.wrong) : 0;
}

static int place(const char *name, const char *start, const char *folder)
{
    char out[EXERCISE_ROOM];
    size_t size;
    bool found = ox_macho_place(name, start, folder, strlen(folder), out, sizeof out, &size);
    exercise_place(name, start, folder);
    printf("%s\n", found ? out : "nowhere");
    return 0;
}

/* A copy of exactly `size` bytes is what is read, see read_file. */
static void run_copy(const uint8_t *data, size_t size, size_t flipped, unsigned bit, uint32_t machine, unsigned *good)
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
    *good += exercise_macho(copy, size, machine) == NULL;
    free(copy);
}

int main(int argc, char **argv)
{
    size_t size;
    unsigned good = 0;
    int status = 0;
    if (argc == 5 && strcmp(argv[1], "place") == 0) {
        return place(argv[2], argv[3], argv[4]);
    }
    if (argc < 4) {
        return 2;
    }
    uint8_t *data = read_file(argv[2], &size);
    uint32_t machine = strcmp(argv[3], "x64") == 0 ? OX_MACHO_X64 : OX_MACHO_ARM64;
    if (strcmp(argv[1], "cut") == 0) {
        for (size_t i = 0; i < size; i++) {
            run_copy(data, i, SIZE_MAX, 0, machine, &good);
        }
        printf("%u of %zu\n", good, size);
    } else if (strcmp(argv[1], "flip") == 0 && argc == 6) {
        for (size_t i = strtoul(argv[4], NULL, 0); i < strtoul(argv[5], NULL, 0); i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                run_copy(data, size, i, bit, machine, &good);
            }
        }
        printf("%u\n", good);
    } else {
        status = show(data, size, machine);
    }
    free(data);
    return status;
}
