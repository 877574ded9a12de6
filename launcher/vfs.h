/* vfs.h: the read-only file system below the executable's path: which paths are in it, and what is there.
 *
 * Nothing here calls the operating system except getcwd, for the rare relative path that may lead below the
 * executable. The libc functions in front of it are in vfs_<platform>.c. Safe in any thread, takes no lock.
 *
 * The executable's own path is a regular file to open and stat, and a directory (the virtual root) to opendir,
 * and with a slash behind it.
 */
#ifndef OX_VFS_H
#define OX_VFS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "state.h"

enum ox_place {
    OX_OUTSIDE, /* not ours */
    OX_SELF,    /* the executable's own path, without a slash behind it */
    OX_MISSING, /* below the mount point, and not there: `error` says why */
    OX_VIRTUAL  /* below the mount point: `node` */
};

struct ox_lookup {
    enum ox_place place;
    int error;     /* OX_MISSING: errno (ENOENT, ENOTDIR, ENAMETOOLONG, EIO for a damaged index) */
    uint32_t node; /* OX_VIRTUAL */
    /* OX_OUTSIDE: the path to use instead: the one given, or, when that leads out of the virtual tree
     * (executable/../data), what it comes to (in `buffer`). */
    const char *path;
    char buffer[OX_PATH_MAX];
};

/* Looks at a path with care. */
void ox_vfs_lookup(const char *path, struct ox_lookup *lookup);

/* Whether a path is certainly not below the executable: one comparison with its path, for nearly every path. */
static inline bool ox_vfs_outside(const char *path)
{
    if (ox.mount.size == 0 || path == NULL) {
        return true;
    }
    if (path[0] != '/') {
        /* Only a relative path through the executable's name can be meant: "./app/pkg/data.txt". */
        return strstr(path, ox.mount.name) == NULL;
    }
    size_t i = 1;
    while (i < ox.mount.size && path[i] == ox.mount.path[i]) {
        i++;
    }
    if (i < ox.mount.size) {
        /* "//", "/./" and "/../" are looked at with care, if they come before the first difference. */
        return path[i - 1] != '/'
            || (path[i] != '/'
                && (path[i] != '.' || (path[i + 1] != '/' && (path[i + 1] != '.' || path[i + 2] != '/'))));
    }
    return path[i] != '\0' && path[i] != '/';
}

/* What stat tells of a node; the same for every node of a kind but for size and inode. */
struct ox_status {
    uint64_t inode;
    uint64_t size; /* bytes */
    uint32_t mode; /* S_IF… and permissions: 0444, 0555 */
    uint32_t links;
};

void ox_vfs_status(uint32_t node, struct ox_status *status);

/* A node's file name and path; false when the blob is damaged. */
bool ox_vfs_name(uint32_t node, struct ox_text *name);
bool ox_vfs_path(uint32_t node, struct ox_text *path);

#endif
