/* The functions that change the file system and that only Linux has, or has with other arguments. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <sys/time.h>

#include "vfs_write.h"

OX_ONE_PATH_AT(futimesat, CHANGES, (int fd, const char *path, const struct timeval *times), fd, path, times);
OX_ONE_PATH(setxattr, CHANGES, (const char *path, const char *name, const void *value, size_t size, int flags), path,
    name, value, size, flags);
OX_ONE_PATH(lsetxattr, CHANGES, (const char *path, const char *name, const void *value, size_t size, int flags), path,
    name, value, size, flags);
OX_ONE_PATH(removexattr, CHANGES, (const char *path, const char *name), path, name);
OX_ONE_PATH(lremovexattr, CHANGES, (const char *path, const char *name), path, name);
OX_DESCRIPTOR(fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), fd, name, value, size,
    flags);
OX_DESCRIPTOR(fremovexattr, (int fd, const char *name), fd, name);

OX_EXPORT int ox_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) __asm__(
    OX_SYMBOL("renameat2"));
int ox_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    REFUSE_TWO(from_fd, from, to_fd, to, false);
    return OX_REAL(renameat2)(from_fd, from, to_fd, to, flags);
}
