/* vfs.h: the read-only file system below the executable's path: which paths are in it, and what is there.
 *
 * Nothing here calls the operating system except getcwd, for the rare relative path that may lead below the
 * executable. The libc functions in front of it are in vfs_<platform>.c. Safe in any thread, takes no lock.
 * On Windows paths are UTF-8 here (WTF-8: also where UTF-16 is not well-formed); see vfs_windows.h.
 *
 * The executable's own path is a regular file to open and stat, and a directory (the virtual root) to opendir,
 * and with a slash behind it.
 */
#ifndef OX_VFS_H
#define OX_VFS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef _WIN32
#include <wchar.h>
#endif

#include "state.h"

enum ox_place {
    OX_OUTSIDE, /* not ours */
    OX_SELF,    /* the executable's own path, without a slash behind it */
    OX_MISSING, /* below the mount point, and not there: `error` says why */
    OX_VIRTUAL  /* below the mount point: `node` */
};

struct ox_lookup {
    enum ox_place place;
    int error;     /* OX_MISSING: errno (ENOENT, ENOTDIR, ENAMETOOLONG, EIO for a damaged index); Windows: its own error */
    bool in_folder; /* OX_MISSING with ENOENT: all but the last name is there */
    uint32_t node;  /* OX_VIRTUAL */
    /* OX_OUTSIDE: the path to use instead: the one given, or, when that leads out of the virtual tree
     * (executable/../data), what it comes to (in `buffer`). */
    const char *path;
    char buffer[OX_PATH_MAX]; /* otherwise: the mount point's path, and behind a '/' what is below it, as in the blob */
#ifdef _WIN32
    const wchar_t *wide; /* `path` for ox_vfs_find, see vfs_windows.h */
    wchar_t wide_buffer[OX_PATH_MAX];
#endif
};

/* Looks at a path with care. */
void ox_vfs_lookup(const char *path, struct ox_lookup *lookup);

#ifdef _WIN32
/* Whether a path is certainly not below the executable: one comparison with its path, for nearly every path. */
bool ox_vfs_outside(const char *path);
#else
/* Whether "//", "./" or "../" starts here: such a path is looked at with care. */
static inline __attribute__((always_inline)) bool ox_vfs_odd(const char *path)
{
    return path[0] == '/' || (path[0] == '.' && (path[1] == '/' || (path[1] == '.' && path[2] == '/')));
}

static inline __attribute__((always_inline)) uint64_t ox_vfs_difference(const char *one, const char *other)
{
    uint64_t words[2];
    memcpy(&words[0], one, sizeof words[0]);
    memcpy(&words[1], other, sizeof words[1]);
    return words[0] ^ words[1];
}

/* Whether a path is certainly not below the executable: one comparison with its path, for nearly every path. A path
 * that goes through other names and back by ".." is taken for one outside: only the system knows where that leads. */
static inline __attribute__((always_inline)) bool ox_vfs_outside(const char *path)
{
    const char *prefix = ox.mount.path;
    const char *const end = prefix + ox.mount.size;
    if (path == NULL) {
        return true;
    }
    if (__builtin_expect(path[0] == '/', 1)) {
        if (path[1] != prefix[1] && !ox_vfs_odd(path + 1)) {
            return true; /* most paths */
        }
    } else {
        uint32_t start = atomic_load_explicit(&ox.working.start, memory_order_relaxed);
        while (path[0] == '.' && path[1] == '/') {
            path += 2;
        }
        if (start >= OX_ELSEWHERE) {
            return start == OX_ELSEWHERE && !ox_vfs_odd(path);
        }
        prefix += start;
    }
    if (((uintptr_t)path & 4095) + ox.mount.size <= 4096 - OX_SPARE) {
        /* By words. What is read of the path behind its end lies on the same page, and does not matter: the end itself
         * differs from the prefix. Behind the prefix there are OX_SPARE bytes to read. */
        uint64_t different = 0;
        while (prefix < end) {
            if ((different = ox_vfs_difference(path, prefix)) != 0) {
                break;
            }
            if ((different = ox_vfs_difference(path + 8, prefix + 8)) != 0) {
                path += 8;
                prefix += 8;
                break;
            }
            path += 16;
            prefix += 16;
        }
        if (different != 0) {
            size_t equal = (size_t)__builtin_ctzll(different) / 8; /* little-endian, see resources.h */
            path += equal;
            prefix += equal;
        }
    } else {
        while (prefix < end && *path == *prefix) {
            path++;
            prefix++;
        }
    }
    if (prefix >= end) {
        path -= prefix - end;
        return *path != '\0' && *path != '/'; /* '/' also when nothing is mounted */
    }
    return prefix[-1] != '/' || !ox_vfs_odd(path);
}
#endif

/* Writes the absolute path of what has this path below the executable, and its NUL. Returns its size. */
size_t ox_vfs_write(struct ox_text below, char *out);

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
