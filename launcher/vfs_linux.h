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

/* Whether fd stands for a virtual directory, or for anything virtual; of which node. errno stays. */
bool ox_directory_fd_node(int fd, uint32_t *node);
bool ox_virtual_fd_node(int fd, uint32_t *node);

/* The node to go to: a virtual directory's, or that of the executable itself, which is the root. */
bool ox_lookup_directory(const struct ox_lookup *lookup, uint32_t *node);

/* Looks `path` up as the *at functions do: relative to `fd`. False: it is not virtual, and *fd and *path are what to
 * hand on. True: lookup->place is OX_SELF, OX_MISSING or OX_VIRTUAL. */
bool ox_lookup_at(int *fd, const char **path, struct ox_lookup *lookup);

/* The same for functions without a descriptor. */
bool ox_lookup_with_care(const char **path, struct ox_lookup *lookup);

static inline bool ox_lookup(const char **path, struct ox_lookup *lookup)
{
    return !__builtin_expect(ox_vfs_outside(*path), 1) && ox_lookup_with_care(path, lookup);
}

/* errno for what would change the read-only file system; always -1. */
static inline int ox_fail(int error)
{
    errno = error;
    return -1;
}

#endif
