/* memory.h: the one seam through which the launcher asks for memory, so that a later start from a snapshot can
 * put everything on one heap of its own. */
#ifndef OX_MEMORY_H
#define OX_MEMORY_H

#include <stddef.h>

/* As malloc, realloc, free: NULL when there is no memory. A size of 0 gives a pointer to free. */
void *ox_alloc(size_t size);
void *ox_realloc(void *memory, size_t size);
void ox_free(void *memory);

#endif
