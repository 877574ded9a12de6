/* memfile_linux.h: what memfile.h has, and more: sealed memory files (memfd_create, Linux 3.17). */
#ifndef OX_MEMFILE_LINUX_H
#define OX_MEMFILE_LINUX_H

#include <stdbool.h>
#include <stdint.h>

#include "memfile.h"

#define OX_MEMFILE_LINK (sizeof OX_DESCRIPTOR_PATH + 10) /* of a path with a descriptor's number and NUL */

/* A memory file, and its bytes where they lie in memory anyway. */
struct ox_memfile {
    int fd;
    const uint8_t *data;
    uint64_t size;
    bool mapped; /* data is a mapping, else the blob itself */
};

/* A new memory file with the node's bytes (a directory: none), close-on-exec. Returns the descriptor, or -1 with errno
 * (EIO: damaged). The bytes can be changed until ox_memfile_seal ends that, and gives it the permissions and the time that
 * stat tells; it returns fd. */
int ox_memfile_make_unsealed(uint32_t node, struct ox_memfile *file);
int ox_memfile_seal(int fd, uint32_t node);

/* Gives back the mapping of the bytes, where there is one. */
void ox_memfile_unmap(struct ox_memfile *file);

/* The node's file for a program to come: inherited, under a number that shell scripts do not use. Needs no lock and no
 * allocation (see exec_posix.c). -1 with errno. */
int ox_memfile_inherit(uint32_t node);

/* The node's memory file to run by the path that is put into `link`; inherited only by a script's interpreter. As
 * ox_memfile_inherit it needs no lock and no allocation. */
int ox_memfile_program(uint32_t node, char link[OX_MEMFILE_LINK]);

#endif
