/* The libc functions that open, look at and read names, with the virtual file system behind them. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE /* its inline functions would call these under other names */
#include "vfs_linux.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "memfile_linux.h"

#ifndef O_TMPFILE
#define O_TMPFILE 020200000
#endif

/* Variadic in libc. The mode comes in the same register (System V ABI for x86-64, AAPCS64), and is whatever lies there
 * when the flags take none; so it can be handed on without being looked at. */
OX_INTERPOSE(int, open, const char *path, int flags, mode_t mode);
OX_INTERPOSE(int, openat, int fd, const char *path, int flags, mode_t mode);
OX_INTERPOSE(int, access, const char *path, int mode);
OX_INTERPOSE(int, faccessat, int fd, const char *path, int mode, int flags);
OX_INTERPOSE(int, euidaccess, const char *path, int mode);
OX_INTERPOSE(ssize_t, readlink, const char *path, char *buffer, size_t size);
OX_INTERPOSE(ssize_t, readlinkat, int fd, const char *path, char *buffer, size_t size);
OX_INTERPOSE(char *, realpath, const char *path, char *resolved);
OX_INTERPOSE(int, statfs, const char *path, struct statfs *status);
OX_INTERPOSE(int, statvfs, const char *path, struct statvfs *status);
OX_INTERPOSE(ssize_t, getxattr, const char *path, const char *name, void *value, size_t size);
OX_INTERPOSE(ssize_t, lgetxattr, const char *path, const char *name, void *value, size_t size);
OX_INTERPOSE(ssize_t, listxattr, const char *path, char *list, size_t size);
OX_INTERPOSE(ssize_t, llistxattr, const char *path, char *list, size_t size);

/* open(2) on a path below the executable, on a read-only file system. */
static int open_virtual(const struct ox_lookup *lookup, int flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    if (lookup->place == OX_MISSING) {
        return ox_fail(lookup->in_folder && (flags & O_CREAT) != 0 ? EROFS : lookup->error);
    }
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        return ox_fail(EEXIST);
    }
    if (ox.blob.nodes[lookup->node].kind == OX_DIR) {
        if (writes) {
            return ox_fail((flags & O_TMPFILE) == O_TMPFILE ? EROFS : EISDIR);
        }
    } else if ((flags & O_DIRECTORY) != 0) {
        return ox_fail(ENOTDIR);
    }
    return writes ? ox_fail(EROFS) : ox_memfile_open(lookup->node, flags);
}

/* OX_SELF opened as a directory is the virtual root; otherwise it is the executable, a real file. */
static bool opens_root(struct ox_lookup *lookup, int flags)
{
    if (lookup->place != OX_SELF || (flags & O_DIRECTORY) == 0) {
        return false;
    }
    lookup->place = OX_VIRTUAL;
    lookup->node = 0;
    return true;
}

static OX_SLOW int open_with_care(const char *path, int flags, mode_t mode)
{
    struct ox_lookup lookup;
    if (ox_lookup_with_care(&path, &lookup) && (lookup.place != OX_SELF || opens_root(&lookup, flags))) {
        return open_virtual(&lookup, flags);
    }
    return OX_REAL(open)(path, flags, mode);
}

int ox_open(const char *path, int flags, mode_t mode)
{
    OX_FAST(open, ox_vfs_outside(path), open_with_care, path, flags, mode);
}
OX_ALIAS(open, open64);

int ox_openat(int fd, const char *path, int flags, mode_t mode)
{
    struct ox_lookup lookup;
    if (ox_lookup_at(&fd, &path, &lookup) && (lookup.place != OX_SELF || opens_root(&lookup, flags))) {
        return open_virtual(&lookup, flags);
    }
    return OX_REAL(openat)(fd, path, flags, mode);
}
OX_ALIAS(openat, openat64);

/* What programs compiled with _FORTIFY_SOURCE call when flags are no constant. */
OX_EXPORT int ox_open_2(const char *path, int flags) __asm__(OX_SYMBOL("__open_2"));
int ox_open_2(const char *path, int flags)
{
    return ox_open(path, flags, 0);
}
OX_EXPORT extern __typeof__(ox_open_2) ox_open64_2 __asm__(OX_SYMBOL("__open64_2"))
    __attribute__((alias(OX_SYMBOL("__open_2"))));

OX_EXPORT int ox_openat_2(int fd, const char *path, int flags) __asm__(OX_SYMBOL("__openat_2"));
int ox_openat_2(int fd, const char *path, int flags)
{
    return ox_openat(fd, path, flags, 0);
}
OX_EXPORT extern __typeof__(ox_openat_2) ox_openat64_2 __asm__(OX_SYMBOL("__openat64_2"))
    __attribute__((alias(OX_SYMBOL("__openat_2"))));

/* access(2) on the virtual tree; the executable itself is asked of the system. */
static int access_virtual(const struct ox_lookup *lookup, int mode)
{
    if (lookup->place == OX_MISSING) {
        return ox_fail(lookup->error);
    }
    if ((mode & W_OK) != 0) {
        return ox_fail(EROFS);
    }
    struct ox_status status;
    ox_vfs_status(lookup->node, &status);
    return (mode & X_OK) != 0 && (status.mode & 0111) == 0 ? ox_fail(EACCES) : 0;
}

static OX_SLOW int access_with_care(const char *path, int mode)
{
    struct ox_lookup lookup;
    if (ox_lookup_with_care(&path, &lookup) && lookup.place != OX_SELF) {
        return access_virtual(&lookup, mode);
    }
    return OX_REAL(access)(path, mode);
}

int ox_access(const char *path, int mode)
{
    OX_FAST(access, ox_vfs_outside(path), access_with_care, path, mode);
}

int ox_faccessat(int fd, const char *path, int mode, int flags)
{
    struct ox_lookup lookup;
    if (ox_lookup_at(&fd, &path, &lookup) && lookup.place != OX_SELF) {
        return access_virtual(&lookup, mode);
    }
    return OX_REAL(faccessat)(fd, path, mode, flags);
}

int ox_euidaccess(const char *path, int mode)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return access_virtual(&lookup, mode);
    }
    return OX_REAL(euidaccess)(path, mode);
}
OX_ALIAS(euidaccess, eaccess);

/* No virtual file is a symbolic link. */
static ssize_t no_link(const struct ox_lookup *lookup)
{
    return ox_fail(lookup->place == OX_MISSING ? lookup->error : EINVAL);
}

ssize_t ox_readlink(const char *path, char *buffer, size_t size)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return no_link(&lookup);
    }
    return OX_REAL(readlink)(path, buffer, size);
}

ssize_t ox_readlinkat(int fd, const char *path, char *buffer, size_t size)
{
    struct ox_lookup lookup;
    if (ox_lookup_at(&fd, &path, &lookup) && lookup.place != OX_SELF) {
        return no_link(&lookup);
    }
    return OX_REAL(readlinkat)(fd, path, buffer, size);
}

/* The checks of _FORTIFY_SOURCE: `room` is the buffer's true size. */
OX_EXPORT ssize_t ox_readlink_chk(const char *path, char *buffer, size_t size, size_t room) __asm__(
    OX_SYMBOL("__readlink_chk"));
ssize_t ox_readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room) {
        abort();
    }
    return ox_readlink(path, buffer, size);
}

OX_EXPORT ssize_t ox_readlinkat_chk(int fd, const char *path, char *buffer, size_t size, size_t room) __asm__(
    OX_SYMBOL("__readlinkat_chk"));
ssize_t ox_readlinkat_chk(int fd, const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room) {
        abort();
    }
    return ox_readlinkat(fd, path, buffer, size);
}

char *ox_realpath(const char *path, char *resolved)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup) || lookup.place == OX_SELF) {
        return OX_REAL(realpath)(path, resolved);
    }
    if (lookup.place == OX_MISSING) {
        errno = lookup.error;
        return NULL;
    }
    if (resolved == NULL) {
        return strdup(lookup.buffer); /* the caller's to free(), so libc's */
    }
    memcpy(resolved, lookup.buffer, strlen(lookup.buffer) + 1);
    return resolved;
}

OX_EXPORT char *ox_realpath_chk(const char *path, char *resolved, size_t room) __asm__(OX_SYMBOL("__realpath_chk"));
char *ox_realpath_chk(const char *path, char *resolved, size_t room)
{
    if (room < PATH_MAX) {
        abort();
    }
    return ox_realpath(path, resolved);
}

OX_EXPORT char *ox_canonicalize_file_name(const char *path) __asm__(OX_SYMBOL("canonicalize_file_name"));
char *ox_canonicalize_file_name(const char *path)
{
    return ox_realpath(path, NULL);
}

/* The file system is the one that the executable lies on, read-only. */
int ox_statfs(const char *path, struct statfs *status)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup)) {
        if (lookup.place == OX_MISSING) {
            return ox_fail(lookup.error);
        }
        path = ox.mount.path;
    }
    return OX_REAL(statfs)(path, status);
}
OX_ALIAS(statfs, statfs64);

int ox_statvfs(const char *path, struct statvfs *status)
{
    struct ox_lookup lookup;
    bool ours = ox_lookup(&path, &lookup) && lookup.place != OX_SELF;
    if (ours && lookup.place == OX_MISSING) {
        return ox_fail(lookup.error);
    }
    int result = OX_REAL(statvfs)(ours ? ox.mount.path : path, status);
    if (ours && result == 0) {
        status->f_flag |= ST_RDONLY;
    }
    return result;
}
OX_ALIAS(statvfs, statvfs64);

/* Virtual files have no extended attributes (shutil.copystat asks). */
#define OX_ATTRIBUTES(function, none, ...)                                                                             \
    struct ox_lookup lookup;                                                                                           \
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {                                                        \
        return lookup.place == OX_MISSING ? ox_fail(lookup.error) : (none);                                            \
    }                                                                                                                  \
    return OX_REAL(function)(path, __VA_ARGS__)

ssize_t ox_getxattr(const char *path, const char *name, void *value, size_t size)
{
    OX_ATTRIBUTES(getxattr, ox_fail(ENODATA), name, value, size);
}

ssize_t ox_lgetxattr(const char *path, const char *name, void *value, size_t size)
{
    OX_ATTRIBUTES(lgetxattr, ox_fail(ENODATA), name, value, size);
}

ssize_t ox_listxattr(const char *path, char *list, size_t size)
{
    OX_ATTRIBUTES(listxattr, 0, list, size);
}

ssize_t ox_llistxattr(const char *path, char *list, size_t size)
{
    OX_ATTRIBUTES(llistxattr, 0, list, size);
}
