/* Fuzzes the look-up of paths: any mount point, any path, in a small blob that the corpus brings. Input: mount point and
 * path, NUL-terminated, then a blob. */
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "vfs.h"

static void look(const char *path)
{
    struct ox_lookup lookup;
    if (ox_vfs_outside(path)) {
        return;
    }
    ox_vfs_lookup(path, &lookup);
    if (lookup.place == OX_VIRTUAL) {
        struct ox_status status;
        struct ox_text text;
        ox_vfs_status(lookup.node, &status);
        ox_vfs_path(lookup.node, &text);
    } else if (lookup.place == OX_OUTSIDE && strlen(lookup.path) >= OX_PATH_MAX && lookup.path == lookup.buffer) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *mount_end = memchr(data, '\0', size);
    const uint8_t *path_end = mount_end == NULL
        ? NULL
        : memchr(mount_end + 1, '\0', size - (size_t)(mount_end + 1 - data));
    if (path_end == NULL || data[0] != '/' || mount_end - data < 2 || mount_end - data >= OX_PATH_MAX
        || mount_end[-1] == '/') {
        return 0;
    }
    size_t rest = size - (size_t)(path_end + 1 - data);
    uint8_t *copy = aligned_alloc(64, (rest + 63) / 64 * 64 + 64);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, path_end + 1, rest);
    if (ox_blob_open(&ox.blob, copy, rest) == NULL) {
        ox.mount.size = (size_t)(mount_end - data);
        memcpy(ox.mount.path, data, ox.mount.size + 1);
        char *path = strdup((const char *)mount_end + 1);
        if (path != NULL) {
            look(path);
        }
        free(path);
    }
    free(copy);
    return 0;
}
