/* Fuzzes the reader of the table of groups, and unpacks each group that it lets pass. */
#include <stdlib.h>
#include <string.h>

#include "groups.h"

enum { PAGE = 4096, MOST = 1 << 22, IMPORTS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ox_groups *table = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
    if (table == NULL) {
        return 0;
    }
    memcpy(table, data, size);
    if (ox_groups_check(table, size, PAGE) == NULL && table->import_count <= IMPORTS) {
        uint64_t imports[IMPORTS] = {0};
        for (uint32_t n = 0; n < table->count; n++) {
            const struct ox_group *group = &ox_groups_rows(table)[n];
            uint64_t bytes = group->code + group->constants + group->data;
            const uint32_t *functions;
            if (bytes > MOST || group->index_size > MOST) {
                continue;
            }
            uint8_t *memory = calloc(1, (size_t)bytes + 1);
            void *scratch = malloc(ox_group_scratch(group));
            if (memory != NULL && scratch != NULL
                && ox_group_unpack(table, group, memory, 1 << 20, imports, scratch, &functions)) {
                for (uint32_t k = 0; k < group->thunk_count; k++) {
                    if (functions[k] >= group->code || ox_group_of_thunk(table, group->first_thunk + k) == NULL) {
                        abort();
                    }
                }
            }
            free(scratch);
            free(memory);
        }
    }
    free(table);
    return 0;
}
