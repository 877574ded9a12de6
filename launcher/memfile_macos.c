/* Virtual files as temporary files that are unlinked before anybody sees them: macOS has no files in memory. */
#include "memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes_posix.h"
#include "memfile_macos.h"
#include "vfs.h"

enum { TRIES = 100 };

/* The user's own folder for temporary files, with a slash behind it; ready when known. */
static char user_folder[OX_PATH_MAX];
static _Atomic bool known;

void ox_memfile_ready(void)
{
    if (!atomic_load(&known)) {
        char folder[OX_PATH_MAX];
        size_t size = confstr(_CS_DARWIN_USER_TEMP_DIR, folder, sizeof folder);
        if (size > 1 && size <= sizeof folder) {
            memcpy(user_folder, folder, size); /* the same in every thread */
        }
        atomic_store(&known, true);
    }
}

/* A name that is not taken most probably, in the folder. */
static bool name_in(const char *folder, uint32_t node, char path[OX_PATH_MAX])
{
    static _Atomic unsigned last;
    int size = snprintf(path, OX_PATH_MAX, "%s/oxcross-%x-%x-%x", folder, (unsigned)getpid(), node,
        (unsigned)atomic_fetch_add(&last, 1));
    return size > 0 && size < OX_PATH_MAX;
}

/* A new file; its path is there until the file is unlinked. -1 with errno. */
static int create_in(const char *folder, uint32_t node, char path[OX_PATH_MAX])
{
    int fd = -1;
    errno = ENAMETOOLONG;
    for (int i = 0; i < TRIES && name_in(folder, node, path); i++) {
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 || (errno != EEXIST && errno != EINTR)) {
            break;
        }
    }
    return fd;
}

/* A child of fork(2) does not ask the system for the folder: that takes locks. */
static int create(uint32_t node, char path[OX_PATH_MAX])
{
    bool child = atomic_load(&ox.working.process) != getpid();
    const char *given = getenv("TMPDIR");
    int fd = -1;
    if (!child) {
        ox_memfile_ready();
    }
    if (atomic_load(&known) && user_folder[0] != '\0') {
        fd = create_in(user_folder, node, path);
    }
    if (fd < 0 && given != NULL && given[0] == '/') {
        fd = create_in(given, node, path);
    }
    return fd >= 0 ? fd : create_in("/tmp", node, path);
}

static bool fill(int fd, uint32_t node)
{
    struct ox_bytes bytes;
    if (ox.blob.nodes[node].kind != OX_FILE) {
        return true;
    }
    if (!ox_bytes_open(node, &bytes, false)) {
        return false;
    }
    bool written = ox_bytes_write(fd, bytes.data, bytes.size);
    int error = errno;
    ox_bytes_close(&bytes);
    errno = error;
    return written;
}

/* What tells fstat which node this is (vfs_stat_posix.c). */
static void mark(int fd, uint32_t node)
{
    const struct ox_node *row = &ox.blob.nodes[node];
    const struct timespec time = {.tv_sec = ox.mount.modified, .tv_nsec = (long)node};
    const struct timespec times[2] = {time, time};
    fchmod(fd, OX_MARK | (row->flags & OX_EXECUTABLE ? 0755 : 0644));
    futimens(fd, times);
    atomic_store(&ox.opened, true);
    if (row->kind == OX_DIR) {
        atomic_store(&ox.directory_opened, true);
    }
}

/* Opened by its path before that goes, the descriptor is for reading only, and nobody has another one. When it is there,
 * errno is as before: callers of fopen(3) look at it for what came later (Modules/_ssl.c). */
int ox_memfile_open(uint32_t node, int flags)
{
    char path[OX_PATH_MAX];
    int before = errno;
    int made = create(node, path);
    int fd = -1;
    if (made < 0) {
        return -1;
    }
    if (fill(made, node)) {
        mark(made, node);
        fd = open(path, O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK)));
    }
    int error = fd >= 0 ? before : errno;
    unlink(path);
    close(made);
    errno = error;
    return fd;
}
