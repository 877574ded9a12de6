/* child_python.h: a process that acts as python for the application that started it. */
#ifndef OX_CHILD_PYTHON_H
#define OX_CHILD_PYTHON_H

#include "children.h"

/* Does what the command line of python asks for, as python does it, after ox_python_start. Returns the exit status. */
int ox_child_run(const struct ox_start *start);

#endif
