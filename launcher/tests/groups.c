/* Unpacks the groups of a table, for the unit tests: `groups FILE` prints of each its name, the offsets of its functions,
 * and two words that were relocated. Exit status 70: damaged. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"

enum { PAGE = 4096, IMPORTS = 16, MOST = 1 << 24 };

static void fail(const char *what)
{
    fprintf(stderr, "damaged: %s\n", what);
    exit(70);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return 2;
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    struct ox_groups *table = malloc(size + 1);
    if (table == NULL || fread(table, 1, size, file) != size) {
        return 2;
    }
    fclose(file);
    const char *wrong = ox_groups_check(table, size, PAGE);
    if (wrong != NULL) {
        fail(wrong);
    }
    if (table->import_count > IMPORTS) {
        fail("too many imports for this program");
    }
    uint64_t imports[IMPORTS] = {0x100008};
    for (uint32_t n = 0; n < table->count; n++) {
        const struct ox_group *group = &ox_groups_rows(table)[n];
        if (group->flags == OX_GONE) {
            continue;
        }
        uint64_t bytes = group->code + group->constants + group->data;
        if (bytes > MOST || group->index_size > MOST) {
            fail("too large a group for this program");
        }
        uint8_t *memory = calloc(1, (size_t)bytes + 1);
        void *scratch = malloc(ox_group_scratch(group));
        const uint32_t *functions;
        if (memory == NULL || scratch == NULL
            || !ox_group_unpack(table, group, memory, 0x100000, imports, scratch, &functions)) {
            fail("group");
        }
        printf("%.16s", (const char *)group->name);
        for (uint32_t k = 0; k < group->thunk_count; k++) {
            printf(" %" PRIu32, functions[k]);
        }
        uint64_t imported, pointed;
        memcpy(&imported, memory + PAGE + 64, sizeof imported);
        memcpy(&pointed, memory + 8, sizeof pointed);
        printf(" pointers %" PRIx64 " %" PRIx64 "\n", imported, pointed);
        free(scratch);
        free(memory);
    }
    free(table);
    return 0;
}
