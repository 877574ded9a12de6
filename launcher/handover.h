/* handover.h: which words of another program's command line and environment name virtual files, and those lists with
 * other names in their place: the other program sees no virtual files. On Linux it gets memory files, /proc/self/fd/N, which
 * it inherits; on macOS, where /dev/fd/N has but one position for all who open it, copies in the cache (cache_macos.h).
 *
 * A word names one when it is PATH, @PATH, NAME=PATH or NAME=@PATH (--option=PATH, if=PATH; of the environment every
 * NAME=PATH) with an absolute PATH of a virtual file. Directories are never handed over: they would have to be extracted.
 * What stands behind this executable's own path is for it (nice EXECUTABLE …) and stays, with the environment.
 *
 * May run in a child of vfork(2): no lock, no allocation, nothing changed but the memory that is given.
 */
#ifndef OX_HANDOVER_H
#define OX_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memfile.h"

struct ox_handover {
    char *const *arguments;   /* as execve(2) takes them; NULL is an empty list */
    char *const *environment; /* the same */
    size_t size;              /* bytes that ox_handover_write needs, aligned for pointers; 0: nothing to hand over */
    size_t argument_count, environment_count, own; /* own: from this argument on they are for this executable */
    size_t count;    /* words that name virtual files */
    uint32_t *nodes; /* Linux: the files that are open, each once */
    int *descriptors;
    size_t opened; /* how many */
};

/* Bytes of a handed-over file's path, with its NUL. */
#ifdef __APPLE__
#define OX_HANDED_SIZE 1024 /* of a file of the cache: the system's PATH_MAX */
#else
#define OX_HANDED_SIZE (sizeof OX_DESCRIPTOR_PATH + 10) /* with a descriptor's number */
#endif

/* Puts the path under which another program finds the node's file into `path`. False with errno. */
typedef bool ox_handover_namer(struct ox_handover *handover, uint32_t node, char path[OX_HANDED_SIZE]);

/* Looks at `arguments` and `environment`, and fills in the rest. */
void ox_handover_measure(struct ox_handover *handover);

/* Puts lists with other paths in place of the files' into `memory` and into arguments and environment. False when a file has
 * none: then as much as `opened` says is open. */
bool ox_handover_write(struct ox_handover *handover, void *memory, ox_handover_namer *name);

/* Linux (handover_linux.c): the namer's work, when `open` opens a file for a program to come (a descriptor, or -1 with errno). */
bool ox_handover_inherit(
    struct ox_handover *handover, uint32_t node, char path[OX_HANDED_SIZE], int (*open)(uint32_t node));

#endif
