/* The stat family, and descriptors that stand for virtual directories. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <stdio.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

#include "memfile.h"
#include "vfs_libc.h"

void ox_stat_node(uint32_t node, struct stat *status)
{
    struct ox_status known;
    ox_vfs_status(node, &known);
    memset(status, 0, sizeof *status);
    status->st_dev = OX_DEVICE;
    status->st_ino = known.inode;
    status->st_mode = (mode_t)known.mode;
    status->st_nlink = (nlink_t)known.links;
    status->st_uid = ox.mount.user;
    status->st_gid = ox.mount.group;
    status->st_size = (off_t)known.size;
    status->st_blksize = OX_BLOCK;
    status->st_blocks = ox_blocks(known.size);
    status->st_atim.tv_sec = status->st_mtim.tv_sec = status->st_ctim.tv_sec = ox.mount.modified;
#ifdef __APPLE__
    status->st_birthtimespec.tv_sec = ox.mount.modified;
#endif
}

/* What memfile.h says of descriptors of virtual files. One without content stands for a directory. */
static inline bool is_marked(const struct stat *status)
{
    return (status->st_mode & (S_IFMT | OX_MARK)) == (S_IFREG | OX_MARK) && status->st_nlink == 0;
}

static bool is_virtual(const struct stat *status, uint32_t *node)
{
    if (!is_marked(status)
        || status->st_mtim.tv_sec != ox.mount.modified || (uint64_t)status->st_mtim.tv_nsec >= ox.blob.node_count) {
        return false;
    }
    *node = (uint32_t)status->st_mtim.tv_nsec;
    const struct ox_node *row = &ox.blob.nodes[*node];
    return (uint64_t)status->st_size == (row->kind == OX_DIR ? 0 : row->data.size);
}

bool ox_virtual_fd_node(int fd, uint32_t *node)
{
    if (fd < 0 || !atomic_load_explicit(&ox.opened, memory_order_relaxed)) {
        return false;
    }
    struct stat status;
    int error = errno;
    bool ours = OX_REAL(fstat)(fd, &status) == 0 && is_virtual(&status, node);
    errno = error;
    return ours;
}

bool ox_directory_fd_node(int fd, uint32_t *node)
{
    return atomic_load_explicit(&ox.directory_opened, memory_order_relaxed) && ox_virtual_fd_node(fd, node)
        && ox.blob.nodes[*node].kind == OX_DIR;
}

static int stat_virtual(const struct ox_lookup *lookup, struct stat *status)
{
    if (lookup->place == OX_MISSING) {
        return ox_fail(lookup->error);
    }
    ox_stat_node(lookup->node, status);
    return 0;
}

static OX_SLOW int stat_with_care(const char *path, struct stat *status)
{
    struct ox_lookup lookup;
    if (ox_lookup_with_care(&path, &lookup) && lookup.place != OX_SELF) {
        return stat_virtual(&lookup, status);
    }
    return OX_REAL(stat)(path, status);
}

int ox_stat(const char *path, struct stat *status)
{
    OX_FAST(stat, ox_vfs_outside(path), stat_with_care, path, status);
}
OX_ALIAS(stat, stat64);

static OX_SLOW int lstat_with_care(const char *path, struct stat *status)
{
    struct ox_lookup lookup;
    if (ox_lookup_with_care(&path, &lookup) && lookup.place != OX_SELF) {
        return stat_virtual(&lookup, status);
    }
    return OX_REAL(lstat)(path, status);
}

int ox_lstat(const char *path, struct stat *status)
{
    OX_FAST(lstat, ox_vfs_outside(path), lstat_with_care, path, status);
}
OX_ALIAS(lstat, lstat64);

static OX_SLOW void stat_marked(struct stat *status)
{
    uint32_t node;
    if (is_virtual(status, &node)) {
        ox_stat_node(node, status);
    }
}

int ox_fstat(int fd, struct stat *status)
{
    int result = OX_REAL(fstat)(fd, status);
    if (__builtin_expect(result == 0 && is_marked(status), 0)) {
        stat_marked(status);
    }
    return result;
}
OX_ALIAS(fstat, fstat64);

int ox_fstatat(int fd, const char *path, struct stat *status, int flags)
{
    struct ox_lookup lookup;
#ifdef AT_EMPTY_PATH
    if (path != NULL && path[0] == '\0' && (flags & AT_EMPTY_PATH) != 0 && fd != AT_FDCWD) {
        return ox_fstat(fd, status);
    }
#endif
    if (ox_lookup_at(&fd, &path, &lookup) && lookup.place != OX_SELF) {
        return stat_virtual(&lookup, status);
    }
    return OX_REAL(fstatat)(fd, path, status, flags);
}
OX_ALIAS(fstatat, fstatat64);

bool ox_lookup_with_care(const char **path, struct ox_lookup *lookup)
{
    ox_vfs_lookup(*path, lookup);
    *path = lookup->path;
    return lookup->place != OX_OUTSIDE;
}

bool ox_lookup_directory(const struct ox_lookup *lookup, uint32_t *node)
{
    *node = lookup->place == OX_SELF ? 0 : lookup->node;
    return lookup->place != OX_MISSING && ox.blob.nodes[*node].kind == OX_DIR;
}

bool ox_lookup_at(int *fd, const char **path, struct ox_lookup *lookup)
{
    uint32_t node;
    struct ox_text folder;
    if (*path == NULL) {
        return false;
    }
    if (*fd == AT_FDCWD || **path == '/') {
        return ox_lookup(path, lookup);
    }
    if (**path == '\0' || !ox_directory_fd_node(*fd, &node)) {
        return false;
    }
    char joined[2 * OX_PATH_MAX];
    lookup->place = OX_MISSING;
    if (!ox_vfs_path(node, &folder)) {
        lookup->error = EIO;
        return true;
    }
    int size = snprintf(joined, sizeof joined, "%s/%s/%s", ox.mount.path, folder.data, *path);
    if (size < 0 || (size_t)size >= sizeof joined) {
        lookup->error = ENAMETOOLONG;
        return true;
    }
    ox_vfs_lookup(joined, lookup);
    *fd = AT_FDCWD;
    *path = lookup->path;
    return lookup->place != OX_OUTSIDE;
}
