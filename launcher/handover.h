/* handover.h: which words of another program's command line and environment name virtual files, and those lists with
 * other names in their place: the other program sees no virtual files.
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

struct ox_handover {
    char *const *arguments;   /* as execve(2) takes them; NULL is an empty list */
    char *const *environment; /* the same */
    size_t size;              /* bytes that ox_handover_write needs, aligned for pointers; 0: nothing to hand over */
    size_t argument_count, environment_count, own; /* own: from this argument on they are for this executable */
    size_t count;   /* words that name virtual files */
    uint32_t *nodes; /* the files, each once */
    int *descriptors;
    size_t opened; /* how many */
};

/* Looks at `arguments` and `environment`, and fills in the rest. */
void ox_handover_measure(struct ox_handover *handover);

/* Opens each file by `open` (a descriptor, or -1 with errno) and puts lists with /proc/self/fd/N in place of the files'
 * paths into `memory` and into arguments and environment. False when a file cannot be opened: then as much as `opened`
 * says is open. */
bool ox_handover_write(struct ox_handover *handover, void *memory, int (*open)(uint32_t node));

#endif
