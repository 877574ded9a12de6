/* repl.h: python without anything to run. */
#ifndef OX_REPL_H
#define OX_REPL_H

#include <Python.h>

/* A prompt on a terminal, else the program on standard input, in the namespace `dict`. NULL with an exception set. */
PyObject *ox_run_repl(PyObject *dict);

#endif
