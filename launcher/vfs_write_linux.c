/* The libc functions that change the file system: below the executable they fail as on a read-only one. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "vfs_linux.h"

/* What a function would do with a path. Linux says EROFS also of names to remove that are not there (fs/namei.c); POSIX
 * allows ENOENT, too, which is what code that removes leftovers knows. */
enum use { CHANGES, CREATES };

static int refuse(const struct ox_lookup *lookup, enum use use)
{
    if (lookup->place == OX_MISSING) {
        return ox_fail(use == CREATES && lookup->in_folder ? EROFS : lookup->error);
    }
    return ox_fail(use == CREATES ? EEXIST : EROFS);
}

/* The executable's own file may be changed (an update replaces it): it is the system's. */
#define REFUSE(path, use)                                                                                              \
    do {                                                                                                               \
        struct ox_lookup lookup;                                                                                       \
        if (ox_lookup(&(path), &lookup) && lookup.place != OX_SELF) {                                                  \
            return refuse(&lookup, use);                                                                               \
        }                                                                                                              \
    } while (0)

#define REFUSE_AT(fd, path, use)                                                                                       \
    do {                                                                                                               \
        struct ox_lookup lookup;                                                                                       \
        if (ox_lookup_at(&(fd), &(path), &lookup) && lookup.place != OX_SELF) {                                        \
            return refuse(&lookup, use);                                                                               \
        }                                                                                                              \
    } while (0)

/* Defines a function of one path (and more arguments that do not matter here). */
#define OX_ONE_PATH(name, use, parameters, ...)                                                                        \
    OX_EXPORT int ox_##name parameters __asm__(OX_SYMBOL(#name));                                                      \
    int ox_##name parameters                                                                                           \
    {                                                                                                                  \
        REFUSE(path, use);                                                                                             \
        return OX_REAL(name)(__VA_ARGS__);                                                                             \
    }                                                                                                                  \
    static_assert(1, "takes the semicolon")

#define OX_ONE_PATH_AT(name, use, parameters, ...)                                                                     \
    OX_EXPORT int ox_##name parameters __asm__(OX_SYMBOL(#name));                                                      \
    int ox_##name parameters                                                                                           \
    {                                                                                                                  \
        REFUSE_AT(fd, path, use);                                                                                      \
        return OX_REAL(name)(__VA_ARGS__);                                                                             \
    }                                                                                                                  \
    static_assert(1, "takes the semicolon")

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
OX_ONE_PATH_AT(futimesat, CHANGES, (int fd, const char *path, const struct timeval *times), fd, path, times);
OX_ONE_PATH(setxattr, CHANGES, (const char *path, const char *name, const void *value, size_t size, int flags), path,
    name, value, size, flags);
OX_ONE_PATH(lsetxattr, CHANGES, (const char *path, const char *name, const void *value, size_t size, int flags), path,
    name, value, size, flags);
OX_ONE_PATH(removexattr, CHANGES, (const char *path, const char *name), path, name);
OX_ONE_PATH(lremovexattr, CHANGES, (const char *path, const char *name), path, name);

OX_EXPORT int ox_creat(const char *path, mode_t mode) __asm__(OX_SYMBOL("creat"));
int ox_creat(const char *path, mode_t mode)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return lookup.place == OX_VIRTUAL ? ox_fail(ox.blob.nodes[lookup.node].kind == OX_DIR ? EISDIR : EROFS)
                                          : refuse(&lookup, CREATES);
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
        return folder ? ox_fail(EISDIR) : refuse(&lookup, CHANGES);
    }
    return OX_REAL(truncate)(path, size);
}
OX_ALIAS(truncate, truncate64);

/* Moving or linking between the virtual tree and elsewhere is between two file systems (EXDEV, so that shutil.move
 * copies); within it, it is refused as any change. `creates`: of a link, whose new name may not be there. */
static int refuse_two(
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

#define REFUSE_TWO(from_fd, from, to_fd, to, creates)                                                                  \
    do {                                                                                                               \
        struct ox_lookup source;                                                                                       \
        struct ox_lookup goal;                                                                                         \
        bool source_ours = ox_lookup_at(&(from_fd), &(from), &source) && source.place != OX_SELF;                      \
        bool goal_ours = ox_lookup_at(&(to_fd), &(to), &goal) && goal.place != OX_SELF;                                \
        if (source_ours || goal_ours) {                                                                                \
            return refuse_two(&source, source_ours, &goal, goal_ours, creates);                                        \
        }                                                                                                              \
    } while (0)

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

OX_EXPORT int ox_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) __asm__(
    OX_SYMBOL("renameat2"));
int ox_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    REFUSE_TWO(from_fd, from, to_fd, to, false);
    return OX_REAL(renameat2)(from_fd, from, to_fd, to, flags);
}

OX_EXPORT int ox_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) __asm__(OX_SYMBOL("linkat"));
int ox_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    REFUSE_TWO(from_fd, from, to_fd, to, true);
    return OX_REAL(linkat)(from_fd, from, to_fd, to, flags);
}

/* Descriptors of virtual files: they are open for reading, but their attributes are not protected by that. */
#define OX_DESCRIPTOR(name, parameters, ...)                                                                           \
    OX_EXPORT int ox_##name parameters __asm__(OX_SYMBOL(#name));                                                      \
    int ox_##name parameters                                                                                           \
    {                                                                                                                  \
        uint32_t node;                                                                                                 \
        return ox_virtual_fd_node(fd, &node) ? ox_fail(EROFS) : OX_REAL(name)(__VA_ARGS__);                            \
    }                                                                                                                  \
    static_assert(1, "takes the semicolon")

OX_DESCRIPTOR(fchmod, (int fd, mode_t mode), fd, mode);
OX_DESCRIPTOR(fchown, (int fd, uid_t user, gid_t group), fd, user, group);
OX_DESCRIPTOR(futimens, (int fd, const struct timespec *times), fd, times);
OX_DESCRIPTOR(futimes, (int fd, const struct timeval *times), fd, times);
OX_DESCRIPTOR(fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), fd, name, value, size,
    flags);
OX_DESCRIPTOR(fremovexattr, (int fd, const char *name), fd, name);
