/* linked.h: extension modules that are part of this executable.
 *
 * The application's link writes the table (templates/launcher.sh.j2); a launcher without such modules has an empty one.
 * A module is imported as one on disk is: its file is there, without bytes, and CPython's own loader is told the init
 * function where it would look for it in a shared library. So all of importlib's rules hold, for modules with one phase
 * and with several, in every interpreter.
 */
#ifndef OX_LINKED_H
#define OX_LINKED_H

#include <Python.h>
#include <stddef.h>

struct ox_linked {
    const char *name; /* dotted, full */
    PyObject *(*init)(void);
};

extern const struct ox_linked ox_linked[]; /* sorted by name, bytewise */
extern const size_t ox_linked_count;

#endif
