/* What the fuzzers of paths share: a mount point and texts, each NUL-terminated, then a blob that the corpus brings. */
#ifndef OX_FUZZ_INPUT_H
#define OX_FUZZ_INPUT_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"
#include "vfs.h"

#define OX_FUZZ_TEXTS 2

struct input {
    char *texts[OX_FUZZ_TEXTS]; /* on the heap; OX_SPARE bytes behind each may be read (vfs.h) */
    uint8_t *blob;
};

static inline void give_back(struct input *input)
{
    for (unsigned i = 0; i < OX_FUZZ_TEXTS; i++) {
        free(input->texts[i]);
    }
    free(input->blob);
}

/* Whether the fuzzer's own working directory is the mount point or lies below it: it cannot, an executable is a file. */
static inline bool stands_inside(const uint8_t *mount, size_t size)
{
    static char here[OX_PATH_MAX];
    if (here[0] == '\0' && getcwd(here, sizeof here) == NULL) {
        abort();
    }
    return strncmp(here, (const char *)mount, size) == 0 && (here[size] == '\0' || here[size] == '/');
}

/* Takes the texts and mounts the blob; false when the bytes are no input. */
static inline bool take(const uint8_t *data, size_t size, struct input *input)
{
    const uint8_t *end = memchr(data, '\0', size);
    memset(input, 0, sizeof *input);
    if (end == NULL || data[0] != '/' || end - data < 2 || end - data >= OX_PATH_MAX || end[-1] == '/'
        || stands_inside(data, (size_t)(end - data))) {
        return false;
    }
    size_t mount_size = (size_t)(end - data);
    const uint8_t *mount = data;
    for (unsigned i = 0; i < OX_FUZZ_TEXTS; i++) {
        size -= (size_t)(end + 1 - data);
        data = end + 1;
        end = memchr(data, '\0', size);
        if (end == NULL || (input->texts[i] = calloc(1, (size_t)(end - data) + 1 + OX_SPARE)) == NULL) {
            return false;
        }
        memcpy(input->texts[i], data, (size_t)(end - data));
    }
    size -= (size_t)(end + 1 - data);
    input->blob = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
    if (input->blob == NULL) {
        return false;
    }
    memcpy(input->blob, end + 1, size);
    memset(ox.mount.path, 0, sizeof ox.mount.path);
    memcpy(ox.mount.path, mount, mount_size);
    ox.mount.size = mount_size;
    atomic_store(&ox.working.process, getpid());
    ox_vfs_moved(OX_NONE);
    return ox_blob_open(&ox.blob, input->blob, size) == NULL;
}

#endif
