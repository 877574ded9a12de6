/* code.h: makes a code object of parts that nobody has vouched for. */
#ifndef OX_CODE_H
#define OX_CODE_H

#include <Python.h>

#include <internal/pycore_code.h>

/* The code object; NULL with an exception when its parts do not fit each other. Its bytecode is what CPython can hold
 * and show, which is not to say that it can be run. */
PyObject *ox_code(const struct _PyCodeConstructor *code);

#endif
