/* What only Linux has of the stat family: statx, and glibc's names of old. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "vfs_libc.h"

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
        .blocks = (uint64_t)ox_blocks(known.size),
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
