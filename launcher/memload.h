/* memload.h: shared libraries of the virtual file system, loaded without a file on disk. */
#ifndef OX_MEMLOAD_H
#define OX_MEMLOAD_H

#include <stdint.h>

/* Loads a virtual file as dlopen(3) would, with the embedded libraries that it needs (OX_LIBRARIES) before it. NULL
 * with dlerror() set, or with errno when the file itself cannot be had. */
void *ox_memload(uint32_t node, int flags);

#endif
