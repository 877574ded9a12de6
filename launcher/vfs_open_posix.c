/* The libc functions that look at files and read names, with the virtual file system behind them, and what opening one
 * comes to; open(2) itself is in vfs_linux.c and vfs_macos.c. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE /* its inline functions would call these under other names */
#include "vfs_libc.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "memfile.h"

#if defined(__linux__) && !defined(O_TMPFILE)
#define O_TMPFILE 020200000
#endif

OX_INTERPOSE(int, access, const char *path, int mode);
OX_INTERPOSE(int, faccessat, int fd, const char *path, int mode, int flags);
OX_INTERPOSE(int, statvfs, const char *path, struct statvfs *status);

/* Whether a file without a name is asked for, which only Linux has. */
static bool is_unnamed(int flags)
{
#ifdef O_TMPFILE
    return (flags & O_TMPFILE) == O_TMPFILE;
#else
    (void)flags;
    return false;
#endif
}

/* On a read-only file system. */
int ox_open_virtual(const struct ox_lookup *lookup, int flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0 || is_unnamed(flags);
    if (lookup->place == OX_MISSING) {
        return ox_fail(lookup->in_folder && (flags & O_CREAT) != 0 ? EROFS : lookup->error);
    }
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        return ox_fail(EEXIST);
    }
    if (ox.blob.nodes[lookup->node].kind == OX_DIR) {
        if (writes) {
            return ox_fail(is_unnamed(flags) ? EROFS : EISDIR);
        }
    } else if ((flags & O_DIRECTORY) != 0) {
        return ox_fail(ENOTDIR);
    }
    return writes ? ox_fail(EROFS) : ox_memfile_open(lookup->node, flags);
}

bool ox_opens_virtual(struct ox_lookup *lookup, int flags)
{
    if (lookup->place != OX_SELF) {
        return true;
    }
    if ((flags & O_DIRECTORY) == 0) {
        return false;
    }
    lookup->place = OX_VIRTUAL;
    lookup->node = 0;
    return true;
}

int ox_access_virtual(const struct ox_lookup *lookup, int mode)
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
        return ox_access_virtual(&lookup, mode);
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
        return ox_access_virtual(&lookup, mode);
    }
    return OX_REAL(faccessat)(fd, path, mode, flags);
}

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

/* The file system is the one that the executable lies on, read-only. */
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
