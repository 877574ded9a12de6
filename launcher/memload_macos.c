/* Shared libraries and extension modules: dyld loads none from memory, so they go through files of the user's cache
 * (cache_macos.h), with the embedded ones that they need. Which of those are loaded already, dyld knows.
 *
 * What dlerror(3) says of one that cannot be loaded has the path that was asked for, and where its file is. */
#include "memload.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gather_macos.h"
#include "linked.h"
#include "rebind_macos.h"
#include "vfs_libc.h"

OX_INTERPOSE(void *, dlopen, const char *path, int flags);
OX_INTERPOSE(char *, dlerror, void);

static _Thread_local char message[3 * OX_PATH_MAX];
static _Thread_local bool failed; /* and nobody has asked why */

static __attribute__((format(printf, 1, 2))) void *fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    failed = true;
    return NULL;
}

char *ox_dlerror(void)
{
    if (!failed) {
        return OX_REAL(dlerror)();
    }
    failed = false;
    return message;
}

static void *fail_without_file(const char *path, const struct ox_cache *cache)
{
    if (errno == EIO || errno == ENOEXEC) {
        return fail("%s: it is %s", path, errno == EIO ? "damaged" : "no library for this machine");
    }
    return fail("%s: macOS loads libraries from files only, and %s cannot be written: %s; OXCROSS_CACHE can name "
                "another folder",
        path, cache->path[0] != '\0' ? cache->path : "~/Library/Caches/oxcross", strerror(errno));
}

void *ox_memload(uint32_t node, int flags)
{
    char path[2 * OX_PATH_MAX];
    struct ox_text below;
    struct ox_cache cache;
    if (!ox_vfs_path(node, &below) || below.size >= OX_PATH_MAX) {
        return fail("%s: it is damaged", ox.mount.path);
    }
    ox_vfs_write(below, path);
    if (!ox_gather(node, OX_TO_LOAD, &cache)) {
        return fail_without_file(path, &cache);
    }
    ox_rebind_start();
    void *library = OX_REAL(dlopen)(cache.path, flags);
    if (library == NULL) {
        const char *why = OX_REAL(dlerror)();
        return fail("%s: its file in the cache, %s, cannot be loaded: %s", path, cache.path,
            why != NULL ? why : "dlopen does not say why");
    }
    return library;
}

/* What is not ours is left to dyld, which sees its true caller then. */
void *ox_dlopen(const char *path, int flags)
{
    failed = false;
    if (path == NULL || path[0] == '\0' || strchr(path, '/') == NULL || ox_vfs_outside(path)) {
        return OX_REAL(dlopen)(path, flags);
    }
    struct ox_lookup lookup;
    ox_vfs_lookup(path, &lookup);
    if (lookup.place != OX_VIRTUAL || ox.blob.nodes[lookup.node].kind != OX_FILE) {
        return OX_REAL(dlopen)(lookup.path, flags); /* dlerror() says what is wrong */
    }
    void *linked = ox_linked_open(lookup.node);
    return linked != NULL ? linked : ox_memload(lookup.node, flags);
}
