/* interpreter.h: starts the interpreter. */
#ifndef OX_INTERPRETER_H
#define OX_INTERPRETER_H

#include "children.h"

/* Initialises Python from OX_SETTINGS, with the importer in place before the first import. Ends the process with a
 * message when that fails. */
void ox_python_start(const struct ox_start *start);

#endif
