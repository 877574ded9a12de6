/* Shared libraries from memory files. glibc knows a library by the path it was opened with, /proc/self/fd/N, and by its
 * device and inode: so each node has one memory file, and its descriptor is never closed (a later file under the same
 * number would be taken for the old library).
 *
 * A library that another one needs is loaded before it; the dynamic linker then matches DT_NEEDED with the SONAME of what
 * is loaded. RTLD_LOCAL is right: a library's own needs are in its scope in any case. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include "memload.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "needed.h"
#include "memfile_linux.h"
#include "memory.h"
#include "vfs_linux.h"

OX_INTERPOSE(void *, dlopen, const char *path, int flags);

enum { WAITING, LOADING }; /* ox.library_state */

/* Held while the tables change, never while a library's constructors run; free in a forked child. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void acquire(void)
{
    pthread_mutex_lock(&lock);
}

static void release(void)
{
    pthread_mutex_unlock(&lock);
}

static void prepare(void)
{
    pthread_atfork(acquire, release, release);
    ox.library_state = ox_alloc(ox.blob.library_count);
    if (ox.library_state != NULL) {
        memset(ox.library_state, WAITING, ox.blob.library_count);
    }
}

static bool need(const char *name, size_t length, void *context);

/* The node's memory file, made once. -1 with errno. */
static int library_fd(uint32_t node, bool *fresh, struct ox_memfile *file)
{
    int fd = -1;
    *fresh = false;
    acquire();
    for (uint32_t i = 0; i < ox.loaded_count && fd < 0; i++) {
        fd = ox.loaded[i].node == node ? ox.loaded[i].fd : -1;
    }
    if (fd < 0) {
        struct ox_loaded_library *more = ox_realloc(ox.loaded, (ox.loaded_count + 1) * sizeof *more);
        if (more != NULL) {
            ox.loaded = more;
            fd = ox_memfile_make(node, file);
        } else {
            errno = ENOMEM;
        }
        if (fd >= 0) {
            ox.loaded[ox.loaded_count++] = (struct ox_loaded_library){.node = node, .fd = fd};
            *fresh = true;
        }
    }
    release();
    return fd;
}

/* Without /proc a descriptor has no path: the library goes through a file that is gone as soon as it is loaded. */
static void *load_from_disk(int fd, int flags)
{
    static const char *const folders[] = {"/dev/shm", "/tmp", "/var/tmp"};
    void *library = NULL;
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return NULL;
    }
    for (unsigned i = 0; i < sizeof folders / sizeof *folders && library == NULL; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/oxcross-XXXXXX", folders[i]);
        int copy = mkostemp(path, O_CLOEXEC);
        if (copy < 0) {
            continue;
        }
        off_t done = 0;
        while (done < status.st_size && sendfile(copy, fd, &done, (size_t)(status.st_size - done)) > 0) {
        }
        close(copy);
        library = OX_REAL(dlopen)(path, flags);
        unlink(path);
    }
    return library;
}

/* The same, once for each library. */
static void *load_without_path(int fd, int flags)
{
    void *known = NULL;
    acquire();
    for (uint32_t i = 0; i < ox.loaded_count; i++) {
        known = ox.loaded[i].fd == fd ? ox.loaded[i].handle : known;
    }
    release();
    if (known != NULL || (known = load_from_disk(fd, flags)) == NULL) {
        return known;
    }
    acquire();
    for (uint32_t i = 0; i < ox.loaded_count; i++) {
        if (ox.loaded[i].fd == fd) {
            ox.loaded[i].handle = known;
        }
    }
    release();
    return known;
}

void *ox_memload(uint32_t node, int flags)
{
    struct ox_memfile file;
    bool fresh;
    pthread_once(&once, prepare);
    int fd = library_fd(node, &fresh, &file);
    if (fd < 0) {
        return NULL;
    }
    if (fresh) {
        if (ox.library_state != NULL) {
            ox_elf_needed(file.data, file.size, need, NULL);
        }
        ox_memfile_unmap(&file);
    }
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (access(path, F_OK) != 0) {
        return load_without_path(fd, flags);
    }
    return OX_REAL(dlopen)(path, flags);
}

/* Loads the embedded library of this name, if there is one and it is not there yet. */
static bool need(const char *name, size_t length, void *context)
{
    (void)context;
    for (uint32_t i = 0; i < ox.blob.library_count; i++) {
        const struct ox_library *library = &ox.blob.libraries[i];
        if (!ox_blob_equal(&ox.blob, library->soname, name, length) || library->node >= ox.blob.node_count
            || ox.blob.nodes[library->node].kind != OX_FILE) {
            continue;
        }
        acquire();
        bool first = ox.library_state[i] == WAITING;
        ox.library_state[i] = LOADING;
        release();
        if (!first) {
            return true;
        }
        if ((library->flags & OX_LIBRARY_FALLBACK) == 0 || OX_REAL(dlopen)(name, RTLD_LAZY | RTLD_LOCAL) == NULL) {
            ox_memload(library->node, RTLD_LAZY | RTLD_LOCAL);
        }
        return true;
    }
    return true;
}

/* The last line is a tail call, so that glibc sees the true caller, whose RUNPATH and namespace count. */
void *ox_dlopen(const char *path, int flags)
{
    if (path == NULL || path[0] == '\0' || strchr(path, '/') == NULL || ox_vfs_outside(path)) {
        return OX_REAL(dlopen)(path, flags);
    }
    struct ox_lookup lookup;
    ox_vfs_lookup(path, &lookup);
    if (lookup.place != OX_VIRTUAL || ox.blob.nodes[lookup.node].kind != OX_FILE) {
        return OX_REAL(dlopen)(lookup.path, flags); /* dlerror() says what is wrong */
    }
    return ox_memload(lookup.node, flags);
}
