/* cache_macos.h: files of the blob as files of the user's cache: libraries, which dyld cannot load from memory, programs, and
 * what other programs get (handover.h).
 *
 * A file is ~/Library/Caches/oxcross/KEY/PATH, where PATH is its path below the executable and KEY says which set of
 * native files this is, so that they find each other by the paths that they have in them (@loader_path/../x.dylibs/…); of
 * another file it is the file's own, which no other version of it takes from a program that still reads it. The
 * environment variable OXCROSS_CACHE names another folder than ~/Library/Caches/oxcross. Files are written beside and
 * renamed, so that several processes can do it at once; they stay for the next time, and are compared with what is in
 * the executable each time before they are used. Signatures are as they were: nothing in a file is changed.
 *
 * Nothing here takes a lock or allocates (see exec_posix.c).
 */
#ifndef OX_CACHE_MACOS_H
#define OX_CACHE_MACOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes_posix.h"
#include "state.h"

enum { OX_CACHE_KEY = 32 }; /* digits of KEY */

struct ox_cache {
    size_t size;            /* of the folder's path */
    char path[OX_PATH_MAX]; /* the folder's, or that of the file that is looked at */
};

/* Asks the system for its folder for caches, which a child of fork(2) must not. */
void ox_cache_ready(void);

/* Finds or makes the folder, in which nobody else can write: that of the native files, or for a node that is none (OX_NONE:
 * it counts as one) its own. False with errno; cache->path is then what could not be had. */
bool ox_cache_open(struct ox_cache *cache, uint32_t node);

/* Lets cache->path be that of a node. False with errno. */
bool ox_cache_name(struct ox_cache *cache, uint32_t node);

/* Sees to it that the file that cache->path names is there and has the node's bytes. False with errno. */
bool ox_cache_put(const struct ox_cache *cache, uint32_t node, const struct ox_bytes *bytes);

/* Whether a path is one of this executable's native files in a cache. */
bool ox_cache_has(const char *path);

#endif
