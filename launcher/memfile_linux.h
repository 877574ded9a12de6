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
void ox_memfile_unmap(struct ox_memfile *file);

/* Opens the node as open(2) would read-only; `flags`: O_CLOEXEC and O_NONBLOCK count. -1 with errno. */
int ox_memfile_open(uint32_t node, int flags);

#endif
