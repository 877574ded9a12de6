/* Shared libraries from memory files. glibc knows a library by the path it was opened with, /proc/self/fd/N, and by its
 * device and inode: so each node has one memory file, and its descriptor is never closed. Programs close it nevertheless
 * (daemons close all that they find): then no later library gets the same number, for it would be taken for the old one.
 *
 * A library that another one needs is loaded before it; the dynamic linker then matches DT_NEEDED with the SONAME of what
 * is loaded. RTLD_LOCAL is right: a library's own needs are in its scope in any case. One that has not that SONAME is
 * asked for by its path, as the following.
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

#include "linked.h"
#include "needed.h"
#include "memfile_linux.h"
#include "memory.h"
#include "vfs_libc.h"

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

/* Whose turn it is: recursive, for constructors load libraries, too. */
static pthread_mutex_t turn;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_turn(void)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&turn, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

static void take_turn(void)
{
    pthread_mutex_lock(&turn);
}

static void give_turn(void)
{
    pthread_mutex_unlock(&turn);
}

static void prepare(void)
{
    make_turn();
    /* A forked child finds nothing half loaded. The turn is made anew there: its owner is a thread of the parent's. */
    pthread_atfork(take_turn, give_turn, make_turn);
    ox.library_state = ox_alloc(ox.blob.library_count);
    if (ox.library_state != NULL) {
        memset(ox.library_state, WAITING, ox.blob.library_count);
    }
}

static bool need(const char *name, size_t length, void *context);

#define MEMORY_PATH "/proc/self/fd/%d"
#define SHORT_PATH "/dev/fd/%d" /* a link to the same folder, nearly everywhere */

static struct ox_loaded_library *find(uint32_t node)
{
    for (uint32_t i = 0; i < ox.loaded_count; i++) {
        if (ox.loaded[i].node == node) {
            return &ox.loaded[i];
        }
    }
    return NULL;
}

static bool is_taken(int fd)
{
    for (uint32_t i = 0; i < ox.loaded_count; i++) {
        if (ox.loaded[i].fd == fd) {
            return true;
        }
    }
    return false;
}

/* The same file under a number that no library has or had. */
static int renumber(int fd)
{
    int got = fd;
    while (got >= 0 && is_taken(got)) {
        int next = fcntl(fd, F_DUPFD_CLOEXEC, got + 1);
        if (got != fd) {
            close(got);
        }
        got = next;
    }
    if (got != fd) {
        int error = errno;
        close(fd);
        errno = error;
    }
    return got;
}

static bool is_loaded(int fd)
{
    char path[32];
    snprintf(path, sizeof path, MEMORY_PATH, fd);
    void *library = OX_REAL(dlopen)(path, RTLD_LAZY | RTLD_NOLOAD);
    return library != NULL && dlclose(library) == 0;
}

/* Whether its number stands for the library, if only in glibc's eyes. */
static bool is_good(const struct ox_loaded_library *known)
{
    uint32_t node;
    return !known->sealed || (ox_virtual_fd_node(known->fd, &node) && node == known->node) || is_loaded(known->fd);
}

/* The node's memory file, made when there is none. -1 with errno. */
static int library_fd(uint32_t node, bool *fresh, struct ox_memfile *file)
{
    struct ox_loaded_library *known = find(node);
    *fresh = false;
    if (known != NULL && is_good(known)) {
        return known->fd;
    }
    if (known == NULL) {
        struct ox_loaded_library *more = ox_realloc(ox.loaded, (ox.loaded_count + 1) * sizeof *more);
        if (more == NULL) {
            errno = ENOMEM;
            return -1;
        }
        ox.loaded = more;
        known = &more[ox.loaded_count];
    }
    int fd = ox_memfile_make_unsealed(node, file);
    if (fd >= 0 && (fd = renumber(fd)) < 0) {
        ox_memfile_unmap(file);
    }
    if (fd >= 0) {
        ox.loaded_count += known == &ox.loaded[ox.loaded_count];
        *known = (struct ox_loaded_library){.node = node, .fd = fd};
        *fresh = true;
    }
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
static void *load_without_path(uint32_t node, int fd, int flags)
{
    void *library = find(node)->handle;
    if (library == NULL && (library = load_from_disk(fd, flags)) != NULL) {
        find(node)->handle = library; /* its constructors may have loaded others: the table may lie elsewhere */
    }
    return library;
}

/* Lets the file ask for the memory file `fd` instead of the library of this name, which lies in its bytes. */
static void point(const struct loading *loading, const char *name, size_t length, int fd)
{
    char path[32];
    size_t size = (size_t)snprintf(path, sizeof path, MEMORY_PATH, fd) + 1;
    if (size > length + 1) {
        size = (size_t)snprintf(path, sizeof path, SHORT_PATH, fd) + 1;
    }
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
        find(loading->node)->sealed = true;
    }
    return loading->lowest == loading->depth;
}

/* All that waited for the library at this depth has been loaded with it. */
static void settle(unsigned depth)
{
    for (uint32_t i = 0; i < ox.blob.library_count; i++) {
        if (ox.library_state[i] >= DEFERRED + depth) {
            ox.library_state[i] = LOADED;
        }
    }
}

static void *load(const struct loading *loading, int flags)
{
    char path[32];
    if (loading->fd < 0) {
        return NULL;
    }
    snprintf(path, sizeof path, MEMORY_PATH, loading->fd);
    bool reachable = access(path, F_OK) == 0 || is_loaded(loading->fd);
    void *library = reachable ? OX_REAL(dlopen)(path, flags) : load_without_path(loading->node, loading->fd, flags);
    if (loading->cyclic) {
        settle(loading->depth);
    }
    return library;
}

void *ox_memload(uint32_t node, int flags)
{
    struct loading loading = {.node = node};
    pthread_once(&once, prepare);
    take_turn();
    arrange(&loading);
    void *library = load(&loading, flags);
    int error = errno;
    give_turn();
    errno = error;
    return library;
}

/* A library that nobody has asked for yet. Returns the depth at which it is loaded. */
static unsigned load_needed(uint32_t library, const char *name, struct loading *inner)
{
    bool system = (ox.blob.libraries[library].flags & OX_LIBRARY_FALLBACK) != 0
        && OX_REAL(dlopen)(name, RTLD_LAZY | RTLD_LOCAL) != NULL;
    if (system || inner->depth >= DEEPEST) {
        ox.library_state[library] = LOADED;
        return inner->depth;
    }
    if (arrange(inner)) {
        load(inner, RTLD_LAZY | RTLD_LOCAL);
        ox.library_state[library] = LOADED;
    } else {
        ox.library_state[library] = (uint8_t)(DEFERRED + inner->lowest);
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
    unsigned state = ox.library_state[i];
    struct loading inner = {.user = user, .node = node, .depth = user->depth + 1};
    unsigned lowest = inner.depth;
    if (state == WAITING) {
        ox.library_state[i] = LOADING;
        lowest = load_needed(i, name, &inner);
    } else if (state >= DEFERRED) {
        lowest = state - DEFERRED;
    }
    if (lowest < inner.depth) {
        wait_for(user, lowest);
    }
    const struct ox_loaded_library *there = find(node);
    if (there != NULL && (lowest < inner.depth || (ox.blob.libraries[i].flags & OX_LIBRARY_NAMELESS) != 0)) {
        point(user, name, length, there->fd);
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
    void *linked = ox_linked_open(lookup.node);
    if (linked != NULL) {
        return linked;
    }
    return ox_memload(lookup.node, flags);
}
