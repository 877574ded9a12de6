/* What stat, statfs and statvfs return. On x86_64 the plain names have the old layouts with 32-bit inodes. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "darwin.h"
#include "system.h"

struct darwin_stat64 {
    int32_t st_dev;
    uint16_t st_mode, st_nlink;
    uint64_t st_ino;
    uint32_t st_uid, st_gid;
    int32_t st_rdev;
    struct timespec st_atim, st_mtim, st_ctim, st_birthtim;
    int64_t st_size, st_blocks;
    int32_t st_blksize;
    uint32_t st_flags, st_gen;
    int32_t st_lspare;
    int64_t st_qspare[2];
};
_Static_assert(sizeof(struct darwin_stat64) == 144, "struct stat, 64-bit inodes");

struct darwin_stat32 {
    int32_t st_dev;
    uint32_t st_ino;
    uint16_t st_mode, st_nlink;
    uint32_t st_uid, st_gid;
    int32_t st_rdev;
    struct timespec st_atim, st_mtim, st_ctim;
    int64_t st_size, st_blocks;
    int32_t st_blksize;
    uint32_t st_flags, st_gen;
    int32_t st_lspare;
    int64_t st_qspare[2];
};
_Static_assert(sizeof(struct darwin_stat32) == 120, "struct stat, 32-bit inodes");

static int32_t device_to(dev_t native)
{
    return (int32_t)(major(native) << 24 | (minor(native) & 0xffffff));
}

static int stat64_to(int result, const struct stat *native, struct darwin_stat64 *darwin)
{
    if (result) {
        return result;
    }
    *darwin = (struct darwin_stat64){
        .st_dev = device_to(native->st_dev),
        .st_mode = (uint16_t)native->st_mode,
        .st_nlink = (uint16_t)native->st_nlink,
        .st_ino = native->st_ino,
        .st_uid = native->st_uid,
        .st_gid = native->st_gid,
        .st_rdev = device_to(native->st_rdev),
        .st_atim = native->st_atim,
        .st_mtim = native->st_mtim,
        .st_ctim = native->st_ctim,
        .st_birthtim = native->st_ctim, /* stat(2) has no time of birth */
        .st_size = native->st_size,
        .st_blocks = native->st_blocks,
        .st_blksize = (int32_t)native->st_blksize,
    };
    return 0;
}

static int stat32_to(int result, const struct stat *native, struct darwin_stat32 *darwin)
{
    if (result) {
        return result;
    }
    *darwin = (struct darwin_stat32){
        .st_dev = device_to(native->st_dev),
        .st_ino = (uint32_t)native->st_ino,
        .st_mode = (uint16_t)native->st_mode,
        .st_nlink = (uint16_t)native->st_nlink,
        .st_uid = native->st_uid,
        .st_gid = native->st_gid,
        .st_rdev = device_to(native->st_rdev),
        .st_atim = native->st_atim,
        .st_mtim = native->st_mtim,
        .st_ctim = native->st_ctim,
        .st_size = native->st_size,
        .st_blocks = native->st_blocks,
        .st_blksize = (int32_t)native->st_blksize,
    };
    return 0;
}

static int darwin_stat64(const char *path, struct darwin_stat64 *out)
{
    struct stat native;
    return stat64_to(stat(path_from(path), &native), &native, out);
}

static int darwin_lstat64(const char *path, struct darwin_stat64 *out)
{
    struct stat native;
    return stat64_to(lstat(path_from(path), &native), &native, out);
}

static int darwin_fstat64(int fd, struct darwin_stat64 *out)
{
    struct stat native;
    struct statfs system;
    int result = stat64_to(fstat(fd, &native), &native, out);
    /* A pipe without a name has no links on macOS: asyncio tells FIFOs from pipes by it. */
    if (result == 0 && S_ISFIFO(native.st_mode) && fstatfs(fd, &system) == 0 && system.f_type == PIPEFS_MAGIC) {
        out->st_nlink = 0;
    }
    return result;
}

static int darwin_fstatat64(int folder, const char *path, struct darwin_stat64 *out, int flags)
{
    struct stat native;
    return stat64_to(fstatat(folder_from(folder), path, &native, at_flags_from(flags)), &native, out);
}

static int darwin_stat32(const char *path, struct darwin_stat32 *out)
{
    struct stat native;
    return stat32_to(stat(path, &native), &native, out);
}

static int darwin_lstat32(const char *path, struct darwin_stat32 *out)
{
    struct stat native;
    return stat32_to(lstat(path, &native), &native, out);
}

static int darwin_fstat32(int fd, struct darwin_stat32 *out)
{
    struct stat native;
    return stat32_to(fstat(fd, &native), &native, out);
}

static int darwin_fstatat32(int folder, const char *path, struct darwin_stat32 *out, int flags)
{
    struct stat native;
    return stat32_to(fstatat(folder_from(folder), path, &native, at_flags_from(flags)), &native, out);
}

static int darwin_mknod(const char *path, uint16_t mode, int32_t device)
{
    return mknod(path, mode, makedev((uint32_t)device >> 24, (uint32_t)device & 0xffffff));
}

static int darwin_chflags(const char *path, uint32_t flags)
{
    struct stat native;
    if (stat(path, &native)) {
        return -1;
    }
    return flags ? refuse(ENOTSUP) : 0;
}

static int darwin_lchflags(const char *path, uint32_t flags)
{
    struct stat native;
    if (lstat(path, &native)) {
        return -1;
    }
    return flags ? refuse(ENOTSUP) : 0;
}

static int darwin_fchflags(int fd, uint32_t flags)
{
    struct stat native;
    if (fstat(fd, &native)) {
        return -1;
    }
    return flags ? refuse(ENOTSUP) : 0;
}

/* ---- file systems ---- */

enum {
    DARWIN_MNT_RDONLY = 0x1,
    DARWIN_MNT_NOEXEC = 0x4,
    DARWIN_MNT_NOSUID = 0x8,
    DARWIN_MNT_NODEV = 0x10,
    DARWIN_MNT_LOCAL = 0x1000,
};

struct darwin_statfs64 {
    uint32_t f_bsize;
    int32_t f_iosize;
    uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    int32_t f_fsid[2];
    uint32_t f_owner, f_type, f_flags, f_fssubtype;
    char f_fstypename[16], f_mntonname[1024], f_mntfromname[1024];
    uint32_t f_flags_ext, f_reserved[7];
};
_Static_assert(sizeof(struct darwin_statfs64) == 2168, "struct statfs, 64-bit inodes");

struct darwin_statvfs {
    uint64_t f_bsize, f_frsize;
    uint32_t f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail;
    uint64_t f_fsid, f_flag, f_namemax;
};
_Static_assert(sizeof(struct darwin_statvfs) == 64, "struct statvfs");

static const struct pair mount_flags[] = {
    {DARWIN_MNT_RDONLY, ST_RDONLY},
    {DARWIN_MNT_NOSUID, ST_NOSUID},
    {DARWIN_MNT_NODEV, ST_NODEV},
    {DARWIN_MNT_NOEXEC, ST_NOEXEC},
};

static int statfs64_to(int result, const struct statfs *native, struct darwin_statfs64 *darwin)
{
    if (result) {
        return result;
    }
    memset(darwin, 0, sizeof *darwin);
    darwin->f_bsize = (uint32_t)native->f_bsize;
    darwin->f_iosize = (int32_t)native->f_bsize;
    darwin->f_blocks = native->f_blocks;
    darwin->f_bfree = native->f_bfree;
    darwin->f_bavail = native->f_bavail;
    darwin->f_files = native->f_files;
    darwin->f_ffree = native->f_ffree;
    memcpy(darwin->f_fsid, &native->f_fsid, sizeof darwin->f_fsid);
    darwin->f_flags = DARWIN_MNT_LOCAL | (uint32_t)bits_to(PAIRS(mount_flags), (uint64_t)native->f_flags);
    strcpy(darwin->f_fstypename, "apfs"); /* what programs expect of a local file system */
    strcpy(darwin->f_mntonname, "/");
    strcpy(darwin->f_mntfromname, "/dev/disk1s1");
    return 0;
}

static int darwin_statfs64(const char *path, struct darwin_statfs64 *out)
{
    struct statfs native;
    return statfs64_to(statfs(path, &native), &native, out);
}

static int darwin_fstatfs64(int fd, struct darwin_statfs64 *out)
{
    struct statfs native;
    return statfs64_to(fstatfs(fd, &native), &native, out);
}

/* With a NULL buffer only the number of mounted file systems. */
static int darwin_getfsstat64(struct darwin_statfs64 *out, int size, int flags)
{
    (void)flags;
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    if (!mounts) {
        return -1;
    }
    int count = 0;
    for (struct mntent *mount; (mount = getmntent(mounts));) {
        struct statfs native;
        if (statfs(mount->mnt_dir, &native)) {
            continue;
        }
        if (out) {
            if ((size_t)(count + 1) * sizeof *out > (size_t)size) {
                break;
            }
            statfs64_to(0, &native, &out[count]);
            snprintf(out[count].f_fstypename, sizeof out[count].f_fstypename, "%s", mount->mnt_type);
            snprintf(out[count].f_mntonname, sizeof out[count].f_mntonname, "%s", mount->mnt_dir);
            snprintf(out[count].f_mntfromname, sizeof out[count].f_mntfromname, "%s", mount->mnt_fsname);
        }
        count++;
    }
    endmntent(mounts);
    return count;
}

static int statvfs_to(int result, const struct statvfs *native, struct darwin_statvfs *darwin)
{
    if (result) {
        return result;
    }
    *darwin = (struct darwin_statvfs){
        .f_bsize = native->f_bsize,
        .f_frsize = native->f_frsize,
        .f_blocks = (uint32_t)native->f_blocks,
        .f_bfree = (uint32_t)native->f_bfree,
        .f_bavail = (uint32_t)native->f_bavail,
        .f_files = (uint32_t)native->f_files,
        .f_ffree = (uint32_t)native->f_ffree,
        .f_favail = (uint32_t)native->f_favail,
        .f_fsid = native->f_fsid,
        .f_flag = native->f_flag & (ST_RDONLY | ST_NOSUID), /* the two that macOS has, with the same numbers */
        .f_namemax = native->f_namemax,
    };
    return 0;
}

static int darwin_statvfs(const char *path, struct darwin_statvfs *out)
{
    struct statvfs native;
    return statvfs_to(statvfs(path, &native), &native, out);
}

static int darwin_fstatvfs(int fd, struct darwin_statvfs *out)
{
    struct statvfs native;
    return statvfs_to(fstatvfs(fd, &native), &native, out);
}

static const struct symbol stat_symbols[] = {
    SHIM_AS("_stat$INODE64", stat64),
    SHIM_AS("_lstat$INODE64", lstat64),
    SHIM_AS("_fstat$INODE64", fstat64),
    SHIM_AS("_fstatat$INODE64", fstatat64),
    SHIM_AS("_stat", stat32),
    SHIM_AS("_lstat", lstat32),
    SHIM_AS("_fstat", fstat32),
    SHIM_AS("_fstatat", fstatat32),
    SHIM(stat64),
    SHIM(lstat64),
    SHIM(fstat64),
    SHIM(mknod),
    SHIM(chflags),
    SHIM(lchflags),
    SHIM(fchflags),
    SHIM_AS("_statfs$INODE64", statfs64),
    SHIM_AS("_fstatfs$INODE64", fstatfs64),
    SHIM_AS("_getfsstat$INODE64", getfsstat64),
    SHIM(statfs64),
    SHIM(fstatfs64),
    SHIM(getfsstat64),
    SHIM(statvfs),
    SHIM(fstatvfs),
};

SYMBOL_TABLE(stat);
