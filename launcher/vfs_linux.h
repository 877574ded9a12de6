/* vfs_linux.h: what the libc functions in front of the virtual file system share. */
#ifndef OX_VFS_LINUX_H
#define OX_VFS_LINUX_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "real_linux.h"
#include "vfs.h"

/* Fills in struct stat for a node. */
void ox_stat_node(uint32_t node, struct stat *status);

/* Descriptors of virtual directories: open(2) gives a memory file that stands for it. */
int ox_directory_fd_open(uint32_t node, int flags);
bool ox_directory_fd_node(int fd, uint32_t *node); /* whether fd stands for one */

/* Looks `path` up as the *at functions do: relative to `fd`. False: it is not virtual, and *fd and *path are what to
 * hand on. True: lookup->place is OX_SELF, OX_MISSING or OX_VIRTUAL. */
bool ox_lookup_at(int *fd, const char **path, struct ox_lookup *lookup);

/* The same for functions without a descriptor. */
static inline bool ox_lookup(const char **path, struct ox_lookup *lookup)
{
    if (__builtin_expect(ox_vfs_outside(*path), 1)) {
        return false;
    }
    ox_vfs_lookup(*path, lookup);
    *path = lookup->path;
    return lookup->place != OX_OUTSIDE;
}

/* errno for what would change the read-only file system; always -1. */
static inline int ox_fail(int error)
{
    errno = error;
    return -1;
}

#endif
