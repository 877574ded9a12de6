/* What only Linux has of the functions that open and look at files: other names for them (of 64 bits, of _FORTIFY_SOURCE),
 * the effective user's access, extended attributes of links. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE /* its inline functions would call these under other names */
#include "vfs_libc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/statfs.h>

/* Variadic in libc. The mode comes in the same register (System V ABI for x86-64, AAPCS64), and is whatever lies there
 * when the flags take none; so it can be handed on without being looked at. */
OX_INTERPOSE(int, open, const char *path, int flags, mode_t mode);
OX_INTERPOSE(int, openat, int fd, const char *path, int flags, mode_t mode);
OX_INTERPOSE(int, euidaccess, const char *path, int mode);
OX_INTERPOSE(char *, get_current_dir_name, void);
OX_INTERPOSE_INODE(int, statfs, const char *path, struct statfs *status);
OX_INTERPOSE(ssize_t, getxattr, const char *path, const char *name, void *value, size_t size);
OX_INTERPOSE(ssize_t, lgetxattr, const char *path, const char *name, void *value, size_t size);
OX_INTERPOSE(ssize_t, listxattr, const char *path, char *list, size_t size);
OX_INTERPOSE(ssize_t, llistxattr, const char *path, char *list, size_t size);

static OX_SLOW int open_with_care(const char *path, int flags, mode_t mode)
{
    struct ox_lookup lookup;
    if (ox_lookup_with_care(&path, &lookup) && ox_opens_virtual(&lookup, flags)) {
        return ox_open_virtual(&lookup, flags);
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
    if (ox_lookup_at(&fd, &path, &lookup) && ox_opens_virtual(&lookup, flags)) {
        return ox_open_virtual(&lookup, flags);
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

int ox_euidaccess(const char *path, int mode)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return ox_access_virtual(&lookup, mode);
    }
    return OX_REAL(euidaccess)(path, mode);
}
OX_ALIAS(euidaccess, eaccess);

/* The file system is the one that the executable lies on. */
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

OX_EXPORT char *ox_getcwd_chk(char *buffer, size_t size, size_t room) __asm__(OX_SYMBOL("__getcwd_chk"));
char *ox_getcwd_chk(char *buffer, size_t size, size_t room)
{
    if (size > room) {
        abort();
    }
    return ox_getcwd(buffer, size);
}

char *ox_get_current_dir_name(void)
{
    return atomic_load(&ox.working.node) != OX_NONE ? ox_getcwd(NULL, 0) : OX_REAL(get_current_dir_name)();
}

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
