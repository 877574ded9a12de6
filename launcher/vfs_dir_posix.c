/* Directory streams. A virtual one is a struct ox_directory behind a DIR pointer; its first field tells it from libc's,
 * whose first eight bytes are a descriptor and a lock, or on macOS nothing: no descriptor is as large as an address's
 * lower half. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "memfile.h"
#include "memory.h"
#include "vfs_libc.h"

OX_INTERPOSE_INODE(DIR *, opendir, const char *path);
OX_INTERPOSE_INODE(DIR *, fdopendir, int fd);
OX_INTERPOSE_INODE(struct dirent *, readdir, DIR *stream);
OX_INTERPOSE_INODE(int, readdir_r, DIR *stream, struct dirent *entry, struct dirent **result);
OX_INTERPOSE_INODE(int, scandir, const char *path, struct dirent ***names, int (*wanted)(const struct dirent *),
    int (*compare)(const struct dirent **, const struct dirent **));
OX_INTERPOSE_INODE(void, rewinddir, DIR *stream);
OX_INTERPOSE_INODE(void, seekdir, DIR *stream, long position);
OX_INTERPOSE_INODE(long, telldir, DIR *stream);
OX_INTERPOSE(int, closedir, DIR *stream);
OX_INTERPOSE(int, dirfd, DIR *stream);

struct ox_directory {
    const void *tag; /* &tag_of_ours */
    uint32_t node, first, count;
    uint32_t position; /* 0: ".", 1: "..", then the children */
    int fd;            /* of fdopendir and dirfd, or -1 */
    struct dirent entry;
};

static const char tag_of_ours;

static struct ox_directory *ours(DIR *stream)
{
    struct ox_directory *directory = (struct ox_directory *)stream;
    return stream != NULL && directory->tag == &tag_of_ours ? directory : NULL;
}

static DIR *open_node(uint32_t node, int fd)
{
    uint32_t first;
    uint32_t count;
    if (ox.blob.nodes[node].kind != OX_DIR) {
        errno = ENOTDIR;
        return NULL;
    }
    if (!ox_blob_children(&ox.blob, node, &first, &count)) {
        errno = EIO;
        return NULL;
    }
    struct ox_directory *directory = ox_alloc(sizeof *directory);
    if (directory != NULL) {
        *directory = (struct ox_directory){
            .tag = &tag_of_ours, .node = node, .first = first, .count = count, .fd = fd};
    }
    return (DIR *)directory;
}

DIR *ox_opendir(const char *path)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup)) {
        return OX_REAL(opendir)(path);
    }
    if (lookup.place == OX_MISSING) {
        errno = lookup.error;
        return NULL;
    }
    uint32_t node;
    ox_lookup_directory(&lookup, &node);
    return open_node(node, -1);
}

DIR *ox_fdopendir(int fd)
{
    uint32_t node;
    return ox_directory_fd_node(fd, &node) ? open_node(node, fd) : OX_REAL(fdopendir)(fd);
}

static struct dirent *next(struct ox_directory *directory)
{
    struct dirent *entry = &directory->entry;
    struct ox_text name = {"..", 2};
    uint32_t node = directory->node;
    if (directory->position >= 2) {
        if (directory->position - 2 >= directory->count) {
            return NULL; /* the end: errno stays */
        }
        node = directory->first + (directory->position - 2);
        if (!ox_vfs_name(node, &name) || name.size >= sizeof entry->d_name) {
            errno = EIO;
            return NULL;
        }
    } else if (directory->position == 1) {
        node = ox.blob.nodes[node].parent;
    } else {
        name.size = 1;
    }
    directory->position++;
    entry->d_ino = (ino_t)node + 1;
    entry->d_off = directory->position;
#ifdef __APPLE__
    entry->d_namlen = (uint16_t)name.size;
#endif
    entry->d_type = node < ox.blob.node_count && ox.blob.nodes[node].kind == OX_FILE ? DT_REG : DT_DIR;
    entry->d_reclen = sizeof *entry;
    memcpy(entry->d_name, name.data, name.size);
    entry->d_name[name.size] = '\0';
    return entry;
}

struct dirent *ox_readdir(DIR *stream)
{
    struct ox_directory *directory = ours(stream);
    return directory != NULL ? next(directory) : OX_REAL(readdir)(stream);
}
OX_ALIAS(readdir, readdir64);

/* readdir(3) with the caller's memory, and the error as its result. */
int ox_readdir_r(DIR *stream, struct dirent *entry, struct dirent **result)
{
    struct ox_directory *directory = ours(stream);
    if (directory == NULL) {
        return OX_REAL(readdir_r)(stream, entry, result);
    }
    int before = errno;
    errno = 0;
    const struct dirent *found = next(directory);
    int error = errno;
    errno = before;
    if (found != NULL) {
        *entry = *found;
    }
    *result = found != NULL ? entry : NULL;
    return error;
}
OX_ALIAS(readdir_r, readdir64_r);

static void forget(struct dirent **names, int count)
{
    while (count > 0) {
        free(names[--count]);
    }
    free(names);
}

/* scandir(3): the names are the caller's to free(), so libc's. */
int ox_scandir(const char *path, struct dirent ***names, int (*wanted)(const struct dirent *),
    int (*compare)(const struct dirent **, const struct dirent **))
{
    struct dirent **found = NULL;
    int count = 0;
    const struct dirent *entry;
    if (ox_vfs_outside(path)) {
        return OX_REAL(scandir)(path, names, wanted, compare);
    }
    DIR *stream = ox_opendir(path);
    if (stream == NULL) {
        return -1;
    }
    while ((entry = ox_readdir(stream)) != NULL) {
        if (wanted != NULL && wanted(entry) == 0) {
            continue;
        }
        struct dirent **more = realloc(found, (size_t)(count + 1) * sizeof *found);
        struct dirent *copy = malloc(sizeof *copy);
        found = more != NULL ? more : found;
        if (more == NULL || copy == NULL) {
            free(copy);
            forget(found, count);
            ox_closedir(stream);
            return ox_fail(ENOMEM);
        }
        *copy = *entry;
        found[count++] = copy;
    }
    ox_closedir(stream);
    if (count > 1 && compare != NULL) {
        qsort(found, (size_t)count, sizeof *found, (int (*)(const void *, const void *))compare);
    }
    *names = found;
    return count;
}
OX_ALIAS(scandir, scandir64);

void ox_rewinddir(DIR *stream)
{
    struct ox_directory *directory = ours(stream);
    if (directory != NULL) {
        directory->position = 0;
    } else {
        OX_REAL(rewinddir)(stream);
    }
}

void ox_seekdir(DIR *stream, long position)
{
    struct ox_directory *directory = ours(stream);
    if (directory == NULL) {
        OX_REAL(seekdir)(stream, position);
    } else if (position >= 0 && position <= (long)directory->count + 2) {
        directory->position = (uint32_t)position;
    }
}

long ox_telldir(DIR *stream)
{
    struct ox_directory *directory = ours(stream);
    return directory != NULL ? (long)directory->position : OX_REAL(telldir)(stream);
}

int ox_closedir(DIR *stream)
{
    struct ox_directory *directory = ours(stream);
    if (directory == NULL) {
        return OX_REAL(closedir)(stream);
    }
    int fd = directory->fd;
    directory->tag = NULL;
    ox_free(directory);
    return fd >= 0 ? close(fd) : 0;
}

int ox_dirfd(DIR *stream)
{
    struct ox_directory *directory = ours(stream);
    if (directory == NULL) {
        return OX_REAL(dirfd)(stream);
    }
    if (directory->fd < 0) {
        directory->fd = ox_memfile_open(directory->node, O_CLOEXEC);
    }
    return directory->fd;
}
