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

#define OX_PATH_MAX 4096 /* bytes of a path with its NUL, as PATH_MAX of Linux */
#define OX_SPARE 16      /* bytes behind the mount point's path, which is compared by words */

/* Where the virtual files appear: below the executable's own path. */
struct ox_mount {
    size_t size;            /* of path, without NUL; 0: not mounted */
    char path[OX_PATH_MAX + OX_SPARE]; /* absolute, without symbolic links */
    int64_t modified;       /* these two are the executable's own, see ox_vfs_stat; seconds since the epoch */
    uint32_t user, group;
};

enum { OX_ELSEWHERE = OX_PATH_MAX, OX_UNKNOWN };

/* Where relative paths start. */
struct ox_working {
    /* From where on the mount point's path is what a relative path must begin with to lead below it: "app" or "bin/app",
     * by the working directory. Or OX_ELSEWHERE: none does; OX_UNKNOWN: look with care. May be out of date after a change
     * that was made behind our back (a system call, a thread at the same moment): then such a path is not found. */
    _Atomic uint32_t start;
    _Atomic uint32_t node; /* the virtual directory that is the working directory, or OX_NONE */
    _Atomic int process;   /* id: not that of a child of vfork(2), which shares this memory */
    _Atomic bool child;         /* macOS: this process is a child of fork(2), and came with */
    _Atomic uint32_t inherited; /* this virtual directory, or OX_NONE */
};

struct ox_loaded_library {
    uint32_t node;
    int fd;       /* never closed by us: glibc knows the library by this descriptor's path */
    bool sealed;  /* the file is as it is going to be */
    void *handle; /* without /proc only: glibc cannot tell that it is loaded already */
};

struct ox_spawn_file;

struct ox_state {
    struct ox_blob blob;
    struct ox_mount mount;
    struct ox_working working;
    _Atomic(void *) decoder;    /* payload.c: a zstd decoder to use next */
    _Atomic(void *) dictionary; /* payload.c: the blob's dictionary, digested */
    _Atomic bool opened;           /* vfs: descriptors may stand for virtual files */
    _Atomic bool directory_opened; /* and for virtual directories */
    struct ox_loaded_library *loaded;    /* memload: shared libraries made into memory files */
    uint32_t loaded_count;
    struct ox_spawn_file *spawn_files; /* spawn_posix.c */
    uint8_t *library_state; /* memload: one byte for each of OX_LIBRARIES */
};

extern struct ox_state ox;

#endif
