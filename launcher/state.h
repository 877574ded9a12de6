/* state.h: all that the launcher remembers, in one struct.
 *
 * Until ox.mount.size is set (main does it first) there is no virtual file system: libc functions that the
 * launcher stands before go straight through.
 */
#ifndef OX_STATE_H
#define OX_STATE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "blob.h"

#define OX_PATH_MAX 4096     /* bytes of a path with its NUL, as PATH_MAX of Linux */

/* Where the virtual files appear: below the executable's own path. */
struct ox_mount {
    size_t size;            /* of path, without NUL; 0: not mounted */
    char path[OX_PATH_MAX]; /* absolute, without symbolic links */
    char name[OX_PATH_MAX]; /* its last component and a slash: "app/" */
    uint64_t device;        /* these three are the executable's own, see ox_vfs_stat */
    int64_t modified;       /* seconds since the epoch */
    uint32_t user, group;
};

struct ox_loaded_library {
    uint32_t node;
    int fd;       /* never closed: glibc knows the library by this descriptor's path */
    void *handle; /* without /proc only: glibc cannot tell that it is loaded already */
};

struct ox_state {
    struct ox_blob blob;
    struct ox_mount mount;
    _Atomic(void *) decoder;    /* payload.c: a zstd decoder to use next */
    _Atomic(void *) dictionary; /* payload.c: the blob's dictionary, digested */
    _Atomic bool directory_opened; /* vfs: a virtual directory was opened: descriptors may stand for one */
    struct ox_loaded_library *loaded;    /* memload: shared libraries made into memory files */
    uint32_t loaded_count;
    uint8_t *library_state; /* memload: one byte for each of OX_LIBRARIES */
};

extern struct ox_state ox;

#endif
