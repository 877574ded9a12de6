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
    bool in_folder; /* OX_MISSING with ENOENT: all but the last name is there */
    uint32_t node;  /* OX_VIRTUAL */
    /* OX_OUTSIDE: the path to use instead: the one given, or, when that leads out of the virtual tree
     * (executable/../data), what it comes to (in `buffer`). */
    const char *path;
    char buffer[OX_PATH_MAX];
};

/* Looks at a path with care. */
void ox_vfs_lookup(const char *path, struct ox_lookup *lookup);

/* Whether "//", "./" or "../" starts here: such a path is looked at with care. */
static inline bool ox_vfs_odd(const char *path)
{
    return path[0] == '/' || (path[0] == '.' && (path[1] == '/' || (path[1] == '.' && path[2] == '/')));
}

/* Whether a path is certainly not below the executable: one comparison with its path, for nearly every path. A path
 * that goes through other names and back by ".." is taken for one outside: only the system knows where that leads. */
static inline bool ox_vfs_outside(const char *path)
{
    const char *prefix = ox.mount.path;
    if (path == NULL) {
        return true;
    }
    if (path[0] != '/') {
        prefix = atomic_load_explicit(&ox.working.prefix, memory_order_relaxed);
        while (path[0] == '.' && path[1] == '/') {
            path += 2;
        }
    }
    size_t i = 0;
    while (prefix[i] != '\0' && path[i] == prefix[i]) {
        i++;
    }
    if (prefix[i] == '\0') {
        return i != 0 && path[i] != '\0' && path[i] != '/'; /* i == 0: not mounted, or nothing is known */
    }
    return (i != 0 && path[i - 1] != '/') || !ox_vfs_odd(path + i);
}

/* To be called after the working directory was changed: to a virtual directory, or (OX_NONE) by the system. */
void ox_vfs_moved(uint32_t node);

/* What stat tells of a node; the same for every node of a kind but for size and inode. */
struct ox_status {
    uint64_t inode;
    uint64_t size; /* bytes */
    uint32_t mode; /* S_IF… and permissions, as an installer leaves them: 0644, 0755 */
    uint32_t links;
};

void ox_vfs_status(uint32_t node, struct ox_status *status);

/* A node's file name and path; false when the blob is damaged. */
bool ox_vfs_name(uint32_t node, struct ox_text *name);
bool ox_vfs_path(uint32_t node, struct ox_text *path);

#endif
