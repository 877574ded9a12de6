#define _XOPEN_SOURCE 700 /* S_IFDIR, getcwd */
#include "vfs.h"

#include <errno.h>
#include <sys/stat.h>
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

/* Why a path without a node is missing: below a file it is ENOTDIR, else ENOENT. */
static int missing(const char *path, size_t size)
{
    while (size > 0) {
        while (size > 0 && path[--size] != '/') {
        }
        uint32_t node;
        switch (ox_blob_find_node(&ox.blob, path, size, &node)) {
        case OX_FOUND:
            return ox.blob.nodes[node].kind == OX_DIR ? ENOENT : ENOTDIR;
        case OX_DAMAGED:
            return EIO;
        case OX_ABSENT:
            break;
        }
    }
    return ENOENT;
}

static void lookup_below(const char *below, size_t size, bool slash, struct ox_lookup *lookup)
{
    uint32_t node = 0;
    enum ox_found found = ox_blob_find_node(&ox.blob, below, size, &node);
    lookup->place = OX_MISSING;
    if (found == OX_DAMAGED) {
        lookup->error = EIO;
    } else if (found == OX_ABSENT) {
        lookup->error = missing(below, size);
    } else if (slash && ox.blob.nodes[node].kind != OX_DIR) {
        lookup->error = ENOTDIR;
    } else {
        lookup->place = OX_VIRTUAL;
        lookup->node = node;
    }
}

void ox_vfs_lookup(const char *path, struct ox_lookup *lookup)
{
    size_t length = strlen(path);
    bool slash = length != 0 && path[length - 1] == '/';
    bool dots = length >= 2 && path[length - 1] == '.' && path[length - 2] == '/';
    char *const buffer = lookup->buffer;
    size_t size = 0;
    lookup->place = OX_OUTSIDE;
    lookup->path = path;
    lookup->error = 0;
    lookup->node = 0;
    if (path[0] != '/') {
        if (getcwd(buffer, OX_PATH_MAX) == NULL || buffer[0] != '/') {
            return;
        }
        size = buffer[1] == '\0' ? 0 : strlen(buffer);
    }
    bool started_below = strncmp(path, ox.mount.path, ox.mount.size) == 0;
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
        if (slash || dots) {
            lookup_below("", 0, true, lookup);
        } else {
            lookup->place = OX_SELF;
            lookup->path = ox.mount.path;
        }
        return;
    }
    lookup_below(buffer + ox.mount.size + 1, size - ox.mount.size - 1, slash || dots, lookup);
}

void ox_vfs_status(uint32_t node, struct ox_status *status)
{
    const struct ox_node *row = &ox.blob.nodes[node];
    status->inode = (uint64_t)node + 1;
    if (row->kind == OX_DIR) {
        status->mode = S_IFDIR | 0555;
        status->size = 0;
        status->links = 2;
    } else {
        status->mode = S_IFREG | (row->flags & OX_EXECUTABLE ? 0555 : 0444);
        status->size = row->data.size;
        status->links = 1;
    }
}

bool ox_vfs_path(uint32_t node, struct ox_text *path)
{
    return node < ox.blob.node_count && ox_blob_text(&ox.blob, ox.blob.nodes[node].path, path);
}

bool ox_vfs_name(uint32_t node, struct ox_text *name)
{
    if (!ox_vfs_path(node, name)) {
        return false;
    }
    uint32_t start = ox.blob.nodes[node].name;
    if (start > name->size || memchr(name->data + start, '/', name->size - start) != NULL) {
        return false;
    }
    name->data += start;
    name->size -= start;
    return true;
}
