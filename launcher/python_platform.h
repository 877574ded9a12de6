/* python_platform.h: what CPython wants otherwise on each system. */
#ifndef OX_PYTHON_PLATFORM_H
#define OX_PYTHON_PLATFORM_H

#include <Python.h>
#include <stdbool.h>

/* A text as Python decodes names of files, to be freed with PyMem_RawFree; NULL without memory. */
wchar_t *ox_decode(const char *text);

PyStatus ox_preinitialize(const PyPreConfig *config, int argc, char **argv);
PyStatus ox_set_arguments(PyConfig *config, int argc, char **argv);

/* Attributes of sys that only this system has. False with an exception. */
bool ox_set_platform_attributes(void);

#endif
