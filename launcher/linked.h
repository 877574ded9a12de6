/* linked.h: extension modules that are part of this executable.
 *
 * The application's link writes the table (templates/launcher.sh.j2); a launcher without such modules has an empty one.
 * A module is imported as one on disk is, by CPython's own loader: its file is there, without bytes, and dlopen(3) of it
 * gives a handle in which dlsym(3) finds the module's init function. So all of importlib's rules hold, for modules with
 * one phase and with several, in every interpreter.
 */
#ifndef OX_LINKED_H
#define OX_LINKED_H

#include <stddef.h>
#include <stdint.h>

struct ox_linked {
    const char *name; /* dotted, full */
    void *(*init)(void); /* PyInit_…, which CPython calls */
};

extern const struct ox_linked ox_linked[]; /* sorted by name, bytewise */
extern const size_t ox_linked_count;

/* The handle of the module whose file this node is; NULL when no linked-in module's is. */
void *ox_linked_open(uint32_t node);

#endif
