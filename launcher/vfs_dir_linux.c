/* Directory streams. A virtual one is a struct ox_directory behind a DIR pointer; its first field tells it from libc's,
 * whose first eight bytes are a descriptor and a lock. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "memory.h"
#include "vfs_linux.h"

OX_INTERPOSE(DIR *, opendir, const char *path);
OX_INTERPOSE(DIR *, fdopendir, int fd);
OX_INTERPOSE(struct dirent *, readdir, DIR *stream);
OX_INTERPOSE(void, rewinddir, DIR *stream);
OX_INTERPOSE(void, seekdir, DIR *stream, long position);
OX_INTERPOSE(long, telldir, DIR *stream);
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
    return open_node(lookup.place == OX_SELF ? 0 : lookup.node, -1);
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
    entry->d_off = (off_t)directory->position;
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
        directory->fd = ox_directory_fd_open(directory->node, O_CLOEXEC);
    }
    return directory->fd;
}
