#include "linked.h"

#include <stdio.h>
#include <string.h>

#include "state.h"
#include "vfs.h"

typedef void (*init_function)(void); /* CPython's dl_funcptr */

static init_function find(const char *name, size_t size)
{
    size_t first = 0;
    size_t end = ox_linked_count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        const char *other = ox_linked[middle].name;
        int order = strncmp(other, name, size);
        if (order == 0 && other[size] == '\0') {
            return (init_function)ox_linked[middle].init;
        }
        if (order < 0) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return NULL;
}

/* The init function of the module whose file this is, when it is linked in. */
static init_function linked(const char *path)
{
    struct ox_lookup lookup;
    struct ox_text name;
    if (ox_linked_count == 0 || path == NULL || ox_vfs_outside(path)) {
        return NULL;
    }
    ox_vfs_lookup(path, &lookup);
    if (lookup.place != OX_VIRTUAL) {
        return NULL;
    }
    uint32_t module = ox.blob.nodes[lookup.node].module;
    if (module >= ox.blob.module_count || (ox.blob.modules[module].flags & OX_LINKED) == 0
        || !ox_blob_text(&ox.blob, ox.blob.modules[module].name, &name)) {
        return NULL;
    }
    return find(name.data, name.size);
}

/* The linker calls this instead of CPython's own (--wrap), which opens the file as a shared library. */
init_function __real__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file);
init_function __wrap__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file);
init_function __wrap__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file)
{
    init_function init = linked(path);
    return init != NULL ? init : __real__PyImport_FindSharedFuncptr(prefix, name, path, file);
}
