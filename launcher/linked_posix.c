#include "linked.h"

#include <stdbool.h>
#include <string.h>

#include "state.h"

static const struct ox_linked *find(const char *name, size_t size)
{
    size_t first = 0;
    size_t end = ox_linked_count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        const char *other = ox_linked[middle].name;
        int order = strncmp(other, name, size);
        if (order == 0 && other[size] == '\0') {
            return &ox_linked[middle];
        }
        if (order < 0) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return NULL;
}

void *ox_linked_open(uint32_t node)
{
    struct ox_text name;
    uint32_t module = ox.blob.nodes[node].module;
    if (module >= ox.blob.module_count || (ox.blob.modules[module].flags & OX_LINKED) == 0
        || !ox_blob_text(&ox.blob, ox.blob.modules[module].name, &name)) {
        return NULL;
    }
    return (void *)(uintptr_t)find(name.data, name.size);
}

/* All that is linked into the executable calls this instead of dlsym: by the linker (--wrap), on macOS because it is compiled
 * with the other name (and rebind_macos.c has the one that is called here). A handle is a row of the
 * table; nobody closes it, as nobody can unload an extension module. The last line is a tail call, so that libc sees the
 * true caller, as RTLD_NEXT wants. */
void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name)
{
    uintptr_t offset = (uintptr_t)handle - (uintptr_t)ox_linked;
    if (offset < ox_linked_count * sizeof *ox_linked) {
        static const char init[] = "PyInit";
        bool is_init = strncmp(name, init, sizeof init - 1) == 0;
        return is_init ? (void *)(uintptr_t)((const struct ox_linked *)handle)->init : NULL;
    }
    return __real_dlsym(handle, name);
}
