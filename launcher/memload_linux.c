/* Shared libraries from memory files. glibc knows a library by the path it was opened with, /proc/self/fd/N, and by its
 * device and inode: so each node has one memory file, and its descriptor is never closed (a later file under the same
 * number would be taken for the old library).
 *
 * A library that another one needs is loaded before it; the dynamic linker then matches DT_NEEDED with the SONAME of what
 * is loaded. RTLD_LOCAL is right: a library's own needs are in its scope in any case.
 *
 * Libraries that need each other (FreeType and HarfBuzz) must be loaded at one go. Among them each name of a DT_NEEDED is
 * overwritten, in the memory file, with the path of that library's memory file, and only the first one is handed to the
 * dynamic linker, which finds the others by these paths. They are what Tarjan calls a strongly connected component
 * ("Depth-first search and linear graph algorithms", 1972), and are found by his algorithm.
 *
 * One thread loads at a time, with all that is needed: what another one has only begun to load is not there yet. glibc's own
 * lock cannot see to that, for between the making of a file and the loading of what it needs nothing of glibc's is called. */
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

/* ox.library_state. DEFERRED + n: to be loaded with the library that stands n deep in the chain of needs. */
enum { WAITING, LOADING, LOADED, DEFERRED, DEEPEST = 200 };

/* A library that is being loaded, and the one that needs it. */
struct loading {
    const struct loading *user;
    uint32_t node;
    unsigned depth;
    unsigned lowest; /* the depth of the first in the chain that it needs, itself or through others */
    bool cyclic;     /* it is needed by what it needs */
    int fd;
    struct ox_memfile file;
};

/* Whose turn it is to load: recursive, for constructors load libraries, too. */
static pthread_mutex_t turn;
/* Held while the tables change, never while a library's constructors run. */
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

static void make_turn(void)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&turn, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

/* A forked child finds nothing half loaded, and both locks free. */
static void before_fork(void)
{
    pthread_mutex_lock(&turn);
    acquire();
}

static void after_fork(void)
{
    release();
    pthread_mutex_unlock(&turn);
}

static void after_fork_in_child(void)
{
    release();
    make_turn(); /* its owner is the parent's thread */
}

static void prepare(void)
{
    make_turn();
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
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
            fd = ox_memfile_make_unsealed(node, file);
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

#define MEMORY_PATH "/proc/self/fd/%d"

/* Lets the file ask for the memory file `fd` instead of the library of this name, which lies in its bytes. */
static void point(const struct loading *loading, const char *name, size_t length, int fd)
{
    char path[32];
    size_t size = (size_t)snprintf(path, sizeof path, MEMORY_PATH, fd) + 1;
    if (size <= length + 1) {
        ssize_t written = pwrite(loading->fd, path, size, (const uint8_t *)name - loading->file.data);
        (void)written; /* without it the dynamic linker says what is missing */
    }
}

static void wait_for(struct loading *loading, unsigned depth)
{
    loading->cyclic = true;
    loading->lowest = depth < loading->lowest ? depth : loading->lowest;
}

/* Makes the memory file and loads what it needs. Returns whether it is to be handed to the dynamic linker now; else it is
 * when the library at the depth `lowest` is. */
static bool arrange(struct loading *loading)
{
    bool fresh;
    loading->lowest = loading->depth;
    loading->fd = library_fd(loading->node, &fresh, &loading->file);
    if (loading->fd >= 0 && fresh) {
        if (ox.library_state != NULL) {
            ox_elf_needed(loading->file.data, loading->file.size, need, loading);
        }
        ox_memfile_unmap(&loading->file);
        ox_memfile_seal(loading->fd, loading->node);
    }
    return loading->lowest == loading->depth;
}

/* All that waited for the library at this depth has been loaded with it. */
static void settle(unsigned depth)
{
    acquire();
    for (uint32_t i = 0; i < ox.blob.library_count; i++) {
        if (ox.library_state[i] >= DEFERRED + depth) {
            ox.library_state[i] = LOADED;
        }
    }
    release();
}

static void *load(const struct loading *loading, int flags)
{
    char path[32];
    if (loading->fd < 0) {
        return NULL;
    }
    snprintf(path, sizeof path, MEMORY_PATH, loading->fd);
    void *library = access(path, F_OK) != 0 ? load_without_path(loading->fd, flags) : OX_REAL(dlopen)(path, flags);
    if (loading->cyclic) {
        settle(loading->depth);
    }
    return library;
}

void *ox_memload(uint32_t node, int flags)
{
    struct loading loading = {.node = node};
    pthread_once(&once, prepare);
    pthread_mutex_lock(&turn);
    arrange(&loading);
    void *library = load(&loading, flags);
    int error = errno;
    pthread_mutex_unlock(&turn);
    errno = error;
    return library;
}

static void set_state(uint32_t library, unsigned state)
{
    acquire();
    ox.library_state[library] = (uint8_t)state;
    release();
}

/* A library that nobody has asked for yet. Returns the depth at which it is loaded. */
static unsigned load_needed(uint32_t library, const char *name, struct loading *inner)
{
    bool system = (ox.blob.libraries[library].flags & OX_LIBRARY_FALLBACK) != 0
        && OX_REAL(dlopen)(name, RTLD_LAZY | RTLD_LOCAL) != NULL;
    if (system || inner->depth >= DEEPEST) {
        set_state(library, LOADED);
        return inner->depth;
    }
    if (arrange(inner)) {
        load(inner, RTLD_LAZY | RTLD_LOCAL);
        set_state(library, LOADED);
    } else {
        set_state(library, DEFERRED + inner->lowest);
    }
    return inner->lowest;
}

/* Loads the embedded library of this name, if there is one and it is not there yet. */
static bool need(const char *name, size_t length, void *context)
{
    struct loading *user = context;
    uint32_t i = 0;
    while (i < ox.blob.library_count && !ox_blob_equal(&ox.blob, ox.blob.libraries[i].soname, name, length)) {
        i++;
    }
    uint32_t node = i < ox.blob.library_count ? ox.blob.libraries[i].node : OX_NONE;
    if (node >= ox.blob.node_count || ox.blob.nodes[node].kind != OX_FILE) {
        return true;
    }
    for (const struct loading *one = user; one != NULL; one = one->user) {
        if (one->node == node) {
            wait_for(user, one->depth);
            point(user, name, length, one->fd);
            return true;
        }
    }
    acquire();
    unsigned state = ox.library_state[i];
    ox.library_state[i] = state == WAITING ? LOADING : (uint8_t)state;
    release();
    struct loading inner = {.user = user, .node = node, .depth = user->depth + 1};
    unsigned lowest = inner.depth;
    if (state == WAITING) {
        lowest = load_needed(i, name, &inner);
    } else if (state >= DEFERRED) {
        lowest = state - DEFERRED;
    }
    if (lowest < inner.depth) {
        bool fresh;
        wait_for(user, lowest);
        point(user, name, length, library_fd(node, &fresh, &inner.file));
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
