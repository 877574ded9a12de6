/* vfs_libc.h: what the libc functions in front of the virtual file system share. */
#ifndef OX_VFS_LIBC_H
#define OX_VFS_LIBC_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "real_posix.h"
#include "vfs.h"

#ifdef __APPLE__ /* names of its own for what POSIX has, or nearly has */
#define st_atim st_atimespec
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#define d_off d_seekoff
#endif

/* The device of virtual files, which no driver has, so that no other file has its inodes; and the unit in which they take
 * room there. */
#ifdef __APPLE__
#define OX_DEVICE makedev(0xff, 0x6f78)
#else
#define OX_DEVICE makedev(0xfff, 0x6f78) /* Documentation/admin-guide/devices.txt */
#endif
#define OX_BLOCK 4096

/* In the 512 bytes that struct stat counts in. */
static inline int64_t ox_blocks(uint64_t size)
{
    return (int64_t)((size + OX_BLOCK - 1) / OX_BLOCK * (OX_BLOCK / 512));
}

/* Fills in struct stat for a node. */
void ox_stat_node(uint32_t node, struct stat *status);

/* Whether fd stands for a virtual directory, or for anything virtual; of which node. errno stays. */
bool ox_directory_fd_node(int fd, uint32_t *node);
bool ox_virtual_fd_node(int fd, uint32_t *node);

/* The node to go to: a virtual directory's, or that of the executable itself, which is the root. */
bool ox_lookup_directory(const struct ox_lookup *lookup, uint32_t *node);

/* Functions of libc's that other units of ours call, too. */
OX_INTERPOSE_INODE(int, stat, const char *path, struct stat *status);
OX_INTERPOSE_INODE(int, lstat, const char *path, struct stat *status);
OX_INTERPOSE_INODE(int, fstat, int fd, struct stat *status);
OX_INTERPOSE_INODE(int, fstatat, int fd, const char *path, struct stat *status, int flags);
OX_INTERPOSE(ssize_t, readlink, const char *path, char *buffer, size_t size);
OX_INTERPOSE(ssize_t, readlinkat, int fd, const char *path, char *buffer, size_t size);
OX_INTERPOSE_EXTENDED(char *, realpath, const char *path, char *resolved);
OX_INTERPOSE(char *, getcwd, char *buffer, size_t size);
OX_INTERPOSE_EXTENDED(FILE *, fopen, const char *path, const char *mode);

/* What open(2) has to say of a path below the executable; OX_SELF is what the system opens, unless it is opened as a
 * directory: then it is the virtual root. */
bool ox_opens_virtual(struct ox_lookup *lookup, int flags);
int ox_open_virtual(const struct ox_lookup *lookup, int flags);

/* What access(2) has to say of one; the executable itself is asked of the system. */
int ox_access_virtual(const struct ox_lookup *lookup, int mode);

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
