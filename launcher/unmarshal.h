/* unmarshal.h: reads marshalled code objects, as marshal does, in four fifths of its instructions.
 *
 * Most of what a module's bytecode consists of are names, and most names occur in many modules: each interpreter has a
 * table of those that it has read, so that a name is made and interned once. Besides, file names are set at once, and
 * tuples of constants, which can be in no cycle, are kept from the garbage collector. */
#ifndef OX_UNMARSHAL_H
#define OX_UNMARSHAL_H

#include <Python.h>
#include <stdint.h>

#include "words.h"

/* What PyMarshal_ReadObjectFromString gives, with the file name `path` (str) in all code objects. NULL with an exception:
 * ValueError and others for damage, whatever bytes these are; MemoryError. Nothing that it gives contains itself, and
 * memory stays below some tens of bytes for each of `data`. Code can be read without harm, not run: bytecode that is
 * damaged does what it says. `words` may be NULL. For another series of Python than this was written for it is marshal
 * that reads, which trusts its input. */
PyObject *ox_unmarshal(struct ox_words *words, const uint8_t *data, size_t size, PyObject *path);

#endif
