/* The libc functions that change the file system: below the executable they fail as on a read-only one. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "vfs_write.h"

int ox_refuse(const struct ox_lookup *lookup, enum ox_use use)
{
    if (lookup->place == OX_MISSING) {
        return ox_fail(use == CREATES && lookup->in_folder ? EROFS : lookup->error);
    }
    return ox_fail(use == CREATES ? EEXIST : EROFS);
}

OX_ONE_PATH(mkdir, CREATES, (const char *path, mode_t mode), path, mode);
OX_ONE_PATH_AT(mkdirat, CREATES, (int fd, const char *path, mode_t mode), fd, path, mode);
OX_ONE_PATH(mkfifo, CREATES, (const char *path, mode_t mode), path, mode);
OX_ONE_PATH_AT(mkfifoat, CREATES, (int fd, const char *path, mode_t mode), fd, path, mode);
OX_ONE_PATH(mknod, CREATES, (const char *path, mode_t mode, dev_t device), path, mode, device);
OX_ONE_PATH_AT(mknodat, CREATES, (int fd, const char *path, mode_t mode, dev_t device), fd, path, mode, device);
OX_ONE_PATH(rmdir, CHANGES, (const char *path), path);
OX_ONE_PATH(unlink, CHANGES, (const char *path), path);
OX_ONE_PATH_AT(unlinkat, CHANGES, (int fd, const char *path, int flags), fd, path, flags);
OX_ONE_PATH(remove, CHANGES, (const char *path), path);
OX_ONE_PATH(chmod, CHANGES, (const char *path, mode_t mode), path, mode);
OX_ONE_PATH_AT(fchmodat, CHANGES, (int fd, const char *path, mode_t mode, int flags), fd, path, mode, flags);
OX_ONE_PATH(chown, CHANGES, (const char *path, uid_t user, gid_t group), path, user, group);
OX_ONE_PATH(lchown, CHANGES, (const char *path, uid_t user, gid_t group), path, user, group);
OX_ONE_PATH_AT(fchownat, CHANGES, (int fd, const char *path, uid_t user, gid_t group, int flags), fd, path, user,
    group, flags);
OX_ONE_PATH(utime, CHANGES, (const char *path, const struct utimbuf *times), path, times);
OX_ONE_PATH(utimes, CHANGES, (const char *path, const struct timeval *times), path, times);
OX_ONE_PATH(lutimes, CHANGES, (const char *path, const struct timeval *times), path, times);
OX_ONE_PATH_AT(utimensat, CHANGES, (int fd, const char *path, const struct timespec *times, int flags), fd, path,
    times, flags);

OX_EXPORT int ox_creat(const char *path, mode_t mode) __asm__(OX_SYMBOL("creat"));
int ox_creat(const char *path, mode_t mode)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return lookup.place == OX_VIRTUAL ? ox_fail(ox.blob.nodes[lookup.node].kind == OX_DIR ? EISDIR : EROFS)
                                          : ox_refuse(&lookup, CREATES);
    }
    return OX_REAL(creat)(path, mode);
}
OX_ALIAS(creat, creat64);

/* A symbolic link may point below the executable, it only cannot lie there. */
OX_EXPORT int ox_symlink(const char *target, const char *path) __asm__(OX_SYMBOL("symlink"));
int ox_symlink(const char *target, const char *path)
{
    REFUSE(path, CREATES);
    return OX_REAL(symlink)(target, path);
}

OX_EXPORT int ox_symlinkat(const char *target, int fd, const char *path) __asm__(OX_SYMBOL("symlinkat"));
int ox_symlinkat(const char *target, int fd, const char *path)
{
    REFUSE_AT(fd, path, CREATES);
    return OX_REAL(symlinkat)(target, fd, path);
}

OX_EXPORT int ox_truncate(const char *path, off_t size) __asm__(OX_SYMBOL("truncate"));
int ox_truncate(const char *path, off_t size)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        bool folder = lookup.place == OX_VIRTUAL && ox.blob.nodes[lookup.node].kind == OX_DIR;
        return folder ? ox_fail(EISDIR) : ox_refuse(&lookup, CHANGES);
    }
    return OX_REAL(truncate)(path, size);
}
OX_ALIAS(truncate, truncate64);

int ox_refuse_two(
    const struct ox_lookup *from, bool from_ours, const struct ox_lookup *to, bool to_ours, bool creates)
{
    bool to_lost = to_ours && to->place == OX_MISSING;
    if (from_ours && from->place == OX_MISSING) {
        return ox_fail(from->error);
    }
    if (to_lost && !to->in_folder) {
        return ox_fail(to->error);
    }
    if (creates && to_ours) {
        return ox_fail(to_lost ? EROFS : EEXIST);
    }
    return ox_fail(from_ours != to_ours ? EXDEV : EROFS);
}

#define OX_TWO_PATHS(name, creates)                                                                                             \
    OX_EXPORT int ox_##name(const char *from, const char *to) __asm__(OX_SYMBOL(#name));                               \
    int ox_##name(const char *from, const char *to)                                                                    \
    {                                                                                                                  \
        int from_fd = AT_FDCWD;                                                                                        \
        int to_fd = AT_FDCWD;                                                                                          \
        REFUSE_TWO(from_fd, from, to_fd, to, creates);                                                                 \
        return OX_REAL(name)(from, to);                                                                                \
    }                                                                                                                  \
    static_assert(1, "takes the semicolon")

OX_TWO_PATHS(rename, false);
OX_TWO_PATHS(link, true);

OX_EXPORT int ox_renameat(int from_fd, const char *from, int to_fd, const char *to) __asm__(OX_SYMBOL("renameat"));
int ox_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    REFUSE_TWO(from_fd, from, to_fd, to, false);
    return OX_REAL(renameat)(from_fd, from, to_fd, to);
}

OX_EXPORT int ox_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) __asm__(OX_SYMBOL("linkat"));
int ox_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    REFUSE_TWO(from_fd, from, to_fd, to, true);
    return OX_REAL(linkat)(from_fd, from, to_fd, to, flags);
}

OX_DESCRIPTOR(fchmod, (int fd, mode_t mode), fd, mode);
OX_DESCRIPTOR(fchown, (int fd, uid_t user, gid_t group), fd, user, group);
OX_DESCRIPTOR(futimens, (int fd, const struct timespec *times), fd, times);
OX_DESCRIPTOR(futimes, (int fd, const struct timeval *times), fd, times);
