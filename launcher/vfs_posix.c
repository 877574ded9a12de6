/* Which paths lie below the executable, where paths are text that begins with '/'. No system calls but getcwd. */
#define _XOPEN_SOURCE 700 /* getcwd */
#include "vfs.h"

#include <errno.h>
#include <unistd.h>

/* Appends `path` to out[size] as text: "//" and "." vanish, ".." takes the last component away. Symbolic links are not
 * followed: there are none below the mount point, and its own path was resolved at start. Returns the new size, or 0
 * when it does not fit. out[0..size) starts with '/' or is empty. */
static size_t normalise(char *out, size_t size, const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            while (size > 0 && out[--size] != '/') {
            }
        } else if (length != 0 && !(length == 1 && path[0] == '.')) {
            if (length >= OX_PATH_MAX - 1 - size) {
                return 0;
            }
            out[size++] = '/';
            memcpy(out + size, path, length);
            size += length;
        }
        path += length;
        path += *path == '/';
    }
    if (size == 0) {
        out[size++] = '/';
    }
    out[size] = '\0';
    return size;
}

size_t ox_vfs_write(struct ox_text below, char *out)
{
    size_t size = ox.mount.size;
    memcpy(out, ox.mount.path, size);
    if (below.size != 0) {
        out[size++] = '/';
        memcpy(out + size, below.data, below.size);
        size += below.size;
    }
    out[size] = '\0';
    return size;
}

/* Why a path without a node is missing: below a file it is ENOTDIR, else ENOENT. */
static int missing(const char *path, size_t size, bool *in_folder)
{
    for (bool first = true; size > 0; first = false) {
        while (size > 0 && path[--size] != '/') {
        }
        uint32_t node;
        switch (ox_blob_find_node(&ox.blob, path, size, &node)) {
        case OX_FOUND:
            if (ox.blob.nodes[node].kind != OX_DIR) {
                return ENOTDIR;
            }
            *in_folder = first;
            return ENOENT;
        case OX_DAMAGED:
            return EIO;
        case OX_ABSENT:
            break;
        }
    }
    return ENOENT;
}

static void lookup_below(const char *below, size_t size, bool directory, struct ox_lookup *lookup)
{
    uint32_t node = 0;
    enum ox_found found = ox_blob_find_node(&ox.blob, below, size, &node);
    lookup->place = OX_MISSING;
    if (found == OX_DAMAGED) {
        lookup->error = EIO;
    } else if (found == OX_ABSENT) {
        lookup->error = missing(below, size, &lookup->in_folder);
    } else if (directory && ox.blob.nodes[node].kind != OX_DIR) {
        lookup->error = ENOTDIR;
    } else {
        lookup->place = OX_VIRTUAL;
        lookup->node = node;
    }
}

/* Whether a path names a directory by its form: it ends in "/", "/." or "/..", or is "." or "..". */
static bool is_directory_spelling(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    return (*last == '\0' && slash != NULL) || strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
}

/* Puts the working directory into `buffer`: no slash behind it, so nothing for "/". Returns its size, or OX_PATH_MAX
 * when there is none (it was removed). Remembers what paths that lead below the executable begin with. */
static size_t working_directory(char buffer[OX_PATH_MAX], bool *below)
{
    uint32_t node = atomic_load_explicit(&ox.working.node, memory_order_relaxed);
    struct ox_text path;
    if (node != OX_NONE && ox_vfs_path(node, &path) && path.size < OX_PATH_MAX - 1 - ox.mount.size) {
        *below = true;
        return ox_vfs_write(path, buffer);
    }
    if (getcwd(buffer, OX_PATH_MAX) == NULL || buffer[0] != '/') {
        return OX_PATH_MAX;
    }
    size_t size = buffer[1] == '\0' ? 0 : strlen(buffer);
    if (atomic_load(&ox.working.process) != getpid()) {
        return size; /* a child of vfork(2) is elsewhere than the process that this memory belongs to */
    }
    bool above = size < ox.mount.size && memcmp(buffer, ox.mount.path, size) == 0 && ox.mount.path[size] == '/';
    atomic_store_explicit(&ox.working.start, above ? (uint32_t)size + 1 : OX_ELSEWHERE, memory_order_relaxed);
    return size;
}

void ox_vfs_moved(uint32_t node)
{
    if (atomic_load(&ox.working.process) == getpid()) {
        atomic_store(&ox.working.node, node);
    }
    atomic_store(&ox.working.start, OX_UNKNOWN);
}

void ox_vfs_lookup(const char *path, struct ox_lookup *lookup)
{
    bool directory = is_directory_spelling(path);
    char *const buffer = lookup->buffer;
    size_t size = 0;
    bool started_below = false;
    lookup->place = OX_OUTSIDE;
    lookup->path = path;
    lookup->error = 0;
    lookup->in_folder = false;
    lookup->node = 0;
    if (ox.mount.size == 0 || path[0] == '\0') {
        return;
    }
    if (path[0] == '/') {
        started_below = strncmp(path, ox.mount.path, ox.mount.size) == 0 && path[ox.mount.size] == '/';
    } else if ((size = working_directory(buffer, &started_below)) == OX_PATH_MAX) {
        return;
    }
    size = normalise(buffer, size, path);
    if (size == 0) {
        if (started_below) {
            lookup->place = OX_MISSING;
            lookup->error = ENAMETOOLONG;
        }
        return;
    }
    if (size < ox.mount.size || memcmp(buffer, ox.mount.path, ox.mount.size) != 0
        || (buffer[ox.mount.size] != '\0' && buffer[ox.mount.size] != '/')) {
        if (started_below) {
            lookup->path = buffer;
        }
        return;
    }
    if (size == ox.mount.size) {
        if (directory) {
            lookup_below("", 0, true, lookup);
        } else {
            lookup->place = OX_SELF;
            lookup->path = ox.mount.path;
        }
        return;
    }
    lookup_below(buffer + ox.mount.size + 1, size - ox.mount.size - 1, directory, lookup);
}
