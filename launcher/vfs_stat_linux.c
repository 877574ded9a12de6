/* The stat family, and descriptors that stand for virtual directories. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "vfs_linux.h"

OX_INTERPOSE(int, stat, const char *path, struct stat *status);
OX_INTERPOSE(int, lstat, const char *path, struct stat *status);
OX_INTERPOSE(int, fstat, int fd, struct stat *status);
OX_INTERPOSE(int, fstatat, int fd, const char *path, struct stat *status, int flags);

#define OX_BLOCK 4096

/* A device that no driver has (Documentation/admin-guide/devices.txt), so that no other file has its inodes. */
#define OX_DEVICE makedev(0xfff, 0x6f78)

static int64_t blocks(uint64_t size)
{
    return (int64_t)((size + OX_BLOCK - 1) / OX_BLOCK * (OX_BLOCK / 512));
}

void ox_stat_node(uint32_t node, struct stat *status)
{
    struct ox_status known;
    ox_vfs_status(node, &known);
    memset(status, 0, sizeof *status);
    status->st_dev = OX_DEVICE;
    status->st_ino = known.inode;
    status->st_mode = known.mode;
    status->st_nlink = known.links;
    status->st_uid = ox.mount.user;
    status->st_gid = ox.mount.group;
    status->st_size = (off_t)known.size;
    status->st_blksize = OX_BLOCK;
    status->st_blocks = blocks(known.size);
    status->st_atim.tv_sec = status->st_mtim.tv_sec = status->st_ctim.tv_sec = ox.mount.modified;
}

/* A descriptor of a virtual file is that of a memory file (memfile_linux.c), which no name in the file system has, with
 * the sticky bit; the fraction of the second at which it was modified is the node. One without content stands for a
 * directory. So descriptors may be duplicated, inherited and closed without us. */
static inline bool is_marked(const struct stat *status)
{
    return (status->st_mode & (S_IFMT | S_ISVTX)) == (S_IFREG | S_ISVTX) && status->st_nlink == 0;
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
    if (path != NULL && path[0] == '\0' && (flags & AT_EMPTY_PATH) != 0 && fd != AT_FDCWD) {
        return ox_fstat(fd, status);
    }
    if (ox_lookup_at(&fd, &path, &lookup) && lookup.place != OX_SELF) {
        return stat_virtual(&lookup, status);
    }
    return OX_REAL(fstatat)(fd, path, status, flags);
}
OX_ALIAS(fstatat, fstatat64);

/* What programs linked with a glibc before 2.33 call; `version` is that of struct stat, the same on all of 64-bit
 * Linux. */
#define OX_XSTAT(name, function, parameters, ...)                                                                      \
    OX_EXPORT int ox_x##name parameters __asm__(OX_SYMBOL(#function));                                                 \
    int ox_x##name parameters                                                                                          \
    {                                                                                                                  \
        (void)version;                                                                                                 \
        return ox_##name(__VA_ARGS__);                                                                                 \
    }                                                                                                                  \
    OX_EXPORT extern __typeof__(ox_x##name) ox_x##name##_64 __asm__(OX_SYMBOL(#function "64"))                         \
        __attribute__((alias(OX_SYMBOL(#function))))

OX_XSTAT(stat, __xstat, (int version, const char *path, struct stat *status), path, status);
OX_XSTAT(lstat, __lxstat, (int version, const char *path, struct stat *status), path, status);
OX_XSTAT(fstat, __fxstat, (int version, int fd, struct stat *status), fd, status);
OX_XSTAT(fstatat, __fxstatat, (int version, int fd, const char *path, struct stat *status, int flags), fd, path,
    status, flags);

/* struct statx of include/uapi/linux/stat.h, which the oldest libc headers lack. */
struct ox_statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};

struct ox_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, spare;
    uint64_t inode, size, blocks, attributes_mask;
    struct ox_statx_time accessed, created, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t spare_words[14];
};
static_assert(sizeof(struct ox_statx) == 256, "struct statx");

#define OX_STATX_BASIC 0x7ffu

OX_INTERPOSE(int, statx, int fd, const char *path, int flags, unsigned mask, struct ox_statx *status);

static void statx_node(uint32_t node, struct ox_statx *status)
{
    struct ox_status known;
    const struct ox_statx_time time = {.seconds = ox.mount.modified};
    ox_vfs_status(node, &known);
    *status = (struct ox_statx){
        .mask = OX_STATX_BASIC,
        .block_size = OX_BLOCK,
        .links = known.links,
        .user = ox.mount.user,
        .group = ox.mount.group,
        .mode = (uint16_t)known.mode,
        .inode = known.inode,
        .size = known.size,
        .blocks = (uint64_t)blocks(known.size),
        .accessed = time,
        .changed = time,
        .modified = time,
        .device_major = major(OX_DEVICE),
        .device_minor = minor(OX_DEVICE),
    };
}

int ox_statx(int fd, const char *path, int flags, unsigned mask, struct ox_statx *status)
{
    struct ox_lookup lookup;
    uint32_t node;
    if ((path == NULL || path[0] == '\0') && (flags & AT_EMPTY_PATH) != 0 && ox_virtual_fd_node(fd, &node)) {
        statx_node(node, status);
        return 0;
    }
    if (ox_lookup_at(&fd, &path, &lookup) && lookup.place != OX_SELF) {
        if (lookup.place == OX_MISSING) {
            return ox_fail(lookup.error);
        }
        statx_node(lookup.node, status);
        return 0;
    }
    return OX_REAL(statx)(fd, path, flags, mask, status);
}

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
