/* Directory entries: the 64-bit inode layout, and for the plain names the old one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "darwin.h"
#include "system.h"

struct darwin_dirent64 {
    uint64_t d_ino, d_seekoff;
    uint16_t d_reclen, d_namlen;
    uint8_t d_type; /* DT_REG and its kin have the same numbers */
    char d_name[1024];
};
_Static_assert(offsetof(struct darwin_dirent64, d_name) == 21, "struct dirent, 64-bit inodes");

struct darwin_dirent32 {
    uint32_t d_ino;
    uint16_t d_reclen;
    uint8_t d_type, d_namlen;
    char d_name[256];
};
_Static_assert(offsetof(struct darwin_dirent32, d_name) == 8, "struct dirent, 32-bit inodes");

static void dirent64_to(const struct dirent *native, struct darwin_dirent64 *darwin)
{
    size_t length = strlen(native->d_name);
    darwin->d_ino = native->d_ino;
    darwin->d_seekoff = (uint64_t)native->d_off;
    darwin->d_namlen = (uint16_t)length;
    darwin->d_reclen = (uint16_t)((offsetof(struct darwin_dirent64, d_name) + length + 1 + 7) & ~(size_t)7);
    darwin->d_type = native->d_type;
    memcpy(darwin->d_name, native->d_name, length + 1);
}

static struct darwin_dirent64 *darwin_readdir64(DIR *folder)
{
    static __thread struct darwin_dirent64 entry;
    const struct dirent *native = readdir(folder);
    if (!native) {
        return NULL;
    }
    dirent64_to(native, &entry);
    return &entry;
}

static int darwin_readdir_r64(DIR *folder, struct darwin_dirent64 *entry, struct darwin_dirent64 **result)
{
    *result = NULL;
    errno = 0;
    const struct dirent *native = readdir(folder);
    if (native) {
        dirent64_to(native, entry);
        *result = entry;
    }
    return native ? 0 : errno_to(errno);
}

static struct darwin_dirent32 *darwin_readdir32(DIR *folder)
{
    static __thread struct darwin_dirent32 entry;
    const struct dirent *native = readdir(folder);
    if (!native) {
        return NULL;
    }
    size_t length = strlen(native->d_name);
    entry.d_ino = (uint32_t)native->d_ino;
    entry.d_namlen = (uint8_t)length;
    entry.d_reclen = (uint16_t)((offsetof(struct darwin_dirent32, d_name) + length + 1 + 3) & ~(size_t)3);
    entry.d_type = native->d_type;
    memcpy(entry.d_name, native->d_name, length + 1);
    return &entry;
}

static int darwin_alphasort64(const struct darwin_dirent64 **a, const struct darwin_dirent64 **b)
{
    return strcoll((*a)->d_name, (*b)->d_name);
}

/* Each entry of its own size, for free(3), and so is the list. */
static int darwin_scandir64(const char *path, struct darwin_dirent64 ***list,
                            int (*wanted)(const struct darwin_dirent64 *entry),
                            int (*compare)(const struct darwin_dirent64 **a, const struct darwin_dirent64 **b))
{
    DIR *folder = opendir(path);
    if (!folder) {
        return -1;
    }
    struct darwin_dirent64 **entries = NULL;
    size_t count = 0;
    for (struct darwin_dirent64 *entry; (entry = darwin_readdir64(folder));) {
        if (wanted && !wanted(entry)) {
            continue;
        }
        struct darwin_dirent64 **larger = realloc(entries, (count + 1) * sizeof *larger);
        struct darwin_dirent64 *kept = malloc(entry->d_reclen);
        if (!larger || !kept) {
            abort();
        }
        memcpy(kept, entry, entry->d_reclen);
        entries = larger;
        entries[count++] = kept;
    }
    closedir(folder);
    if (compare && count) {
        qsort(entries, count, sizeof *entries, (int (*)(const void *, const void *))(uintptr_t)compare);
    }
    *list = entries;
    return (int)count;
}

static DIR *darwin_opendir(const char *path)
{
    return opendir(path);
}

static DIR *darwin_fdopendir(int fd)
{
    return fdopendir(fd);
}

static int darwin_closedir(DIR *folder)
{
    return closedir(folder);
}

static int darwin_dirfd(DIR *folder)
{
    return dirfd(folder);
}

static void darwin_rewinddir(DIR *folder)
{
    rewinddir(folder);
}

static long darwin_telldir(DIR *folder)
{
    return telldir(folder);
}

static void darwin_seekdir(DIR *folder, long position)
{
    seekdir(folder, position);
}

static const struct symbol directories_symbols[] = {
    SHIM(opendir),
    SHIM(fdopendir),
    SHIM(closedir),
    SHIM(dirfd),
    SHIM(rewinddir),
    SHIM(telldir),
    SHIM(seekdir),
    SHIM_AS("_readdir$INODE64", readdir64),
    SHIM_AS("_readdir_r$INODE64", readdir_r64),
    SHIM_AS("_readdir", readdir32),
    SHIM_AS("_scandir$INODE64", scandir64),
    SHIM_AS("_alphasort$INODE64", alphasort64),
};

SYMBOL_TABLE(directories);
