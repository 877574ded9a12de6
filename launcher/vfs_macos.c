/* What macOS has otherwise of the functions that open and look at files, or alone: variadic ones, whose further arguments
 * arm64 finds elsewhere than those that are declared; extended attributes; copies. */
#undef _FORTIFY_SOURCE
#include "vfs_libc.h"

#include <copyfile.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <unistd.h>

#include "memfile.h"
#include "vfs_write.h"

OX_INTERPOSE(int, open, const char *path, int flags, ...);
OX_INTERPOSE(int, openat, int fd, const char *path, int flags, ...);
OX_INTERPOSE_INODE(int, statfs, const char *path, struct statfs *status);
OX_INTERPOSE(ssize_t, getxattr, const char *path, const char *name, void *value, size_t size, uint32_t position,
    int options);
OX_INTERPOSE(ssize_t, listxattr, const char *path, char *list, size_t size, int options);
OX_INTERPOSE(int, fclonefileat, int from_fd, int fd, const char *path, uint32_t flags);
OX_INTERPOSE(int, clonefileat, int from_fd, const char *from, int to_fd, const char *to, uint32_t flags);
OX_INTERPOSE(int, clonefile, const char *from, const char *to, uint32_t flags);
OX_INTERPOSE(int, renamex_np, const char *from, const char *to, unsigned flags);
OX_INTERPOSE(int, renameatx_np, int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
OX_INTERPOSE(int, copyfile, const char *from, const char *to, copyfile_state_t state, copyfile_flags_t flags);

static OX_SLOW int open_with_care(int fd, const char *path, int flags, mode_t mode)
{
    struct ox_lookup lookup;
    if (ox_lookup_at(&fd, &path, &lookup) && ox_opens_virtual(&lookup, flags)) {
        return ox_open_virtual(&lookup, flags);
    }
    return OX_REAL(openat)(fd, path, flags, mode);
}

/* The mode is there with O_CREAT only. */
#define TAKE_MODE(mode)                                                                                                \
    mode_t mode = 0;                                                                                                   \
    if ((flags & O_CREAT) != 0) {                                                                                      \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = (mode_t)va_arg(rest, int);                                                                              \
        va_end(rest);                                                                                                  \
    }

int ox_open(const char *path, int flags, ...)
{
    TAKE_MODE(mode)
    return ox_vfs_outside(path) ? OX_REAL(open)(path, flags, mode) : open_with_care(AT_FDCWD, path, flags, mode);
}

int ox_openat(int fd, const char *path, int flags, ...)
{
    TAKE_MODE(mode)
    return open_with_care(fd, path, flags, mode);
}

/* The file system is the one that the executable lies on, read-only: os.statvfs asks here. */
int ox_statfs(const char *path, struct statfs *status)
{
    struct ox_lookup lookup;
    bool ours = ox_lookup(&path, &lookup) && lookup.place != OX_SELF;
    if (ours && lookup.place == OX_MISSING) {
        return ox_fail(lookup.error);
    }
    int result = OX_REAL(statfs)(ours ? ox.mount.path : path, status);
    if (ours && result == 0) {
        status->f_flags |= MNT_RDONLY;
    }
    return result;
}

/* The names without the suffix are for code that asks for POSIX and nothing more; it may get more. */
OX_EXPORT FILE *ox_fopen_posix(const char *path, const char *mode) __asm__(OX_SYMBOL("fopen"));
FILE *ox_fopen_posix(const char *path, const char *mode)
{
    return ox_fopen(path, mode);
}

OX_EXPORT char *ox_realpath_posix(const char *path, char *resolved) __asm__(OX_SYMBOL("realpath"));
char *ox_realpath_posix(const char *path, char *resolved)
{
    return ox_realpath(path, resolved);
}

/* Virtual files have no extended attributes. */
ssize_t ox_getxattr(const char *path, const char *name, void *value, size_t size, uint32_t position, int options)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return ox_fail(lookup.place == OX_MISSING ? lookup.error : ENOATTR);
    }
    return OX_REAL(getxattr)(path, name, value, size, position, options);
}

ssize_t ox_listxattr(const char *path, char *list, size_t size, int options)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return lookup.place == OX_MISSING ? ox_fail(lookup.error) : 0;
    }
    return OX_REAL(listxattr)(path, list, size, options);
}

OX_ONE_PATH(setxattr, CHANGES,
    (const char *path, const char *name, const void *value, size_t size, uint32_t position, int options), path, name,
    value, size, position, options);
OX_ONE_PATH(removexattr, CHANGES, (const char *path, const char *name, int options), path, name, options);
OX_DESCRIPTOR(fsetxattr, (int fd, const char *name, const void *value, size_t size, uint32_t position, int options), fd,
    name, value, size, position, options);
OX_DESCRIPTOR(fremovexattr, (int fd, const char *name, int options), fd, name, options);

OX_ONE_PATH(lchmod, CHANGES, (const char *path, mode_t mode), path, mode);
OX_ONE_PATH(chflags, CHANGES, (const char *path, uint32_t flags), path, flags);
OX_ONE_PATH(lchflags, CHANGES, (const char *path, uint32_t flags), path, flags);
OX_DESCRIPTOR(fchflags, (int fd, uint32_t flags), fd, flags);

int ox_renameatx_np(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    REFUSE_TWO(from_fd, from, to_fd, to, false);
    return OX_REAL(renameatx_np)(from_fd, from, to_fd, to, flags);
}

int ox_renamex_np(const char *from, const char *to, unsigned flags)
{
    int from_fd = AT_FDCWD;
    int to_fd = AT_FDCWD;
    REFUSE_TWO(from_fd, from, to_fd, to, false);
    return OX_REAL(renamex_np)(from, to, flags);
}

/* A clone shares the blocks of its file system: from another one it is EXDEV, and callers copy. */
int ox_clonefileat(int from_fd, const char *from, int to_fd, const char *to, uint32_t flags)
{
    REFUSE_TWO(from_fd, from, to_fd, to, true);
    return OX_REAL(clonefileat)(from_fd, from, to_fd, to, flags);
}

int ox_clonefile(const char *from, const char *to, uint32_t flags)
{
    int from_fd = AT_FDCWD;
    int to_fd = AT_FDCWD;
    REFUSE_TWO(from_fd, from, to_fd, to, true);
    return OX_REAL(clonefile)(from, to, flags);
}

int ox_fclonefileat(int from_fd, int fd, const char *path, uint32_t flags)
{
    uint32_t node;
    REFUSE_AT(fd, path, CREATES);
    return ox_virtual_fd_node(from_fd, &node) ? ox_fail(EXDEV) : OX_REAL(fclonefileat)(from_fd, fd, path, flags);
}

/* copyfile(3) of a virtual file: what is in it, in a file with its permissions. */
static OX_SLOW int copy_virtual(const struct ox_lookup *lookup, const char *to, copyfile_flags_t flags)
{
    struct ox_status known;
    if (lookup->place == OX_MISSING) {
        return ox_fail(lookup->error);
    }
    ox_vfs_status(lookup->node, &known);
    if (ox.blob.nodes[lookup->node].kind != OX_FILE) {
        return ox_fail(EISDIR);
    }
    int excl = (flags & COPYFILE_EXCL) != 0 ? O_EXCL : 0;
    int from_fd = ox_memfile_open(lookup->node, O_CLOEXEC);
    int to_fd = from_fd < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | excl, known.mode & 0777);
    int result = to_fd < 0 ? -1 : fcopyfile(from_fd, to_fd, NULL, COPYFILE_DATA);
    int error = errno;
    if (to_fd >= 0) {
        close(to_fd);
    }
    if (from_fd >= 0) {
        close(from_fd);
    }
    errno = error;
    return result;
}

int ox_copyfile(const char *from, const char *to, copyfile_state_t state, copyfile_flags_t flags)
{
    struct ox_lookup source;
    REFUSE(to, CREATES);
    if (ox_lookup(&from, &source) && source.place != OX_SELF) {
        return copy_virtual(&source, to, flags);
    }
    return OX_REAL(copyfile)(from, to, state, flags);
}
