/* The working directory, which may be a virtual one. The system knows nothing of that: its own stays where it was, and
 * other programs start there. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "vfs_libc.h"

OX_INTERPOSE(int, chdir, const char *path);
OX_INTERPOSE(int, fchdir, int fd);
OX_INTERPOSE(long, pathconf, const char *path, int name);

/* A child of vfork(2) is about to become another program, which cannot be in a virtual directory. What the system would
 * say of it, too. */
static int go(uint32_t node)
{
    if (atomic_load(&ox.working.process) != getpid()) {
        return ox_fail(ENOTDIR);
    }
    ox_vfs_moved(node);
    return 0;
}

int ox_chdir(const char *path)
{
    struct ox_lookup lookup;
    uint32_t node;
    if (ox_lookup(&path, &lookup)) {
        if (!ox_lookup_directory(&lookup, &node)) {
            return ox_fail(lookup.place == OX_MISSING ? lookup.error : ENOTDIR);
        }
        return go(node);
    }
    int result = OX_REAL(chdir)(path);
    if (result == 0) {
        ox_vfs_moved(OX_NONE);
    }
    return result;
}

int ox_fchdir(int fd)
{
    uint32_t node;
    if (ox_directory_fd_node(fd, &node)) {
        return go(node);
    }
    int result = OX_REAL(fchdir)(fd);
    if (result == 0) {
        ox_vfs_moved(OX_NONE);
    }
    return result;
}

char *ox_getcwd(char *buffer, size_t size)
{
    struct ox_text path;
    uint32_t node = atomic_load(&ox.working.node);
    if (node == OX_NONE || !ox_vfs_path(node, &path)) {
        return OX_REAL(getcwd)(buffer, size);
    }
    size_t needed = ox.mount.size + (path.size != 0) + path.size + 1;
    if (buffer == NULL && size == 0) {
        size = needed; /* as large as needed */
    }
    if (size < needed) {
        errno = size == 0 ? EINVAL : ERANGE;
        return NULL;
    }
    if (buffer == NULL && (buffer = malloc(size)) == NULL) { /* the caller gives it to free(): libc's */
        return NULL;
    }
    ox_vfs_write(path, buffer);
    return buffer;
}

/* The limits are those of the file system that the executable lies on. */
long ox_pathconf(const char *path, int name)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup)) {
        if (lookup.place == OX_MISSING) {
            return ox_fail(lookup.error);
        }
        path = ox.mount.path;
    }
    return OX_REAL(pathconf)(path, name);
}
