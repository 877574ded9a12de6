/* memfile_linux.h: virtual files as descriptors: sealed memory files (memfd_create, Linux 3.17). */
#ifndef OX_MEMFILE_LINUX_H
#define OX_MEMFILE_LINUX_H

#include <stdbool.h>
#include <stdint.h>

/* A new memory file with the node's bytes (a directory: none), close-on-exec, sealed against every change, permissions and time as stat
 * tells them. `start`, when given, gets a pointer to the bytes where they lie in memory anyway (the blob's, or a
 * mapping to be given back with ox_memfile_unmap). Returns the descriptor, or -1 with errno (EIO: damaged). */
struct ox_memfile {
    int fd;
    const uint8_t *data;
    uint64_t size;
    bool mapped; /* data is a mapping, else the blob itself */
};

int ox_memfile_make(uint32_t node, struct ox_memfile *file);

/* In two steps, between which the bytes of the file can be changed. ox_memfile_seal returns fd. */
int ox_memfile_make_unsealed(uint32_t node, struct ox_memfile *file);
int ox_memfile_seal(int fd, uint32_t node);

void ox_memfile_unmap(struct ox_memfile *file);

/* The node's memory file for a program to come: inherited, under a number that shell scripts do not use. Needs no lock
 * and no allocation (see exec_linux.c). -1 with errno. */
int ox_memfile_inherit(uint32_t node);

/* The node's memory file to run by the path that is put into `link`; inherited only by a script's interpreter. The same
 * holds. */
int ox_memfile_program(uint32_t node, char link[32]);

/* Opens the node as open(2) would read-only; `flags`: O_CLOEXEC and O_NONBLOCK count. -1 with errno. */
int ox_memfile_open(uint32_t node, int flags);

#endif
