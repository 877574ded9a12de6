/* builtins.h: exit, quit, help, copyright, credits and license, without importing site for them. */
#ifndef OX_BUILTINS_H
#define OX_BUILTINS_H

#include <Python.h>
#include <stdbool.h>

/* Puts stand-ins into builtins; the first use of one has site make them all. False with an exception set. */
bool ox_builtins_install(PyObject *module);

#endif
