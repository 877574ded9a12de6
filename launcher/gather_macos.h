/* gather_macos.h: puts a library or a program into the cache, with the embedded libraries that it needs, and those that they
 * need: dyld finds them by the paths that are in the files.
 */
#ifndef OX_GATHER_MACOS_H
#define OX_GATHER_MACOS_H

#include "cache_macos.h"

enum ox_use_of_file {
    OX_TO_LOAD, /* a library; what is loaded already is left alone */
    OX_TO_RUN   /* a program, or any file that one gets; neither a lock is taken nor anything allocated */
};

/* True: cache->path is the file's. False with errno (ENOEXEC: a library that this machine cannot load); cache->path is then
 * what could not be had, or written. */
bool ox_gather(uint32_t node, enum ox_use_of_file use, struct ox_cache *cache);

#endif
