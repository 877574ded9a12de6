/* install.h: what every interpreter of the process gets when its import system is there, sub-interpreters too: the
 * finder on sys.meta_path, the hook on sys.path_hooks, exit and quit among the builtins, sys.frozen and its like.
 *
 * It happens within CPython's initialisation, before the first import from the standard library. */
#ifndef OX_INSTALL_H
#define OX_INSTALL_H

#include <Python.h>
#include <stdbool.h>

/* Lets the garbage collector work, which pauses while the first interpreter starts. */
void ox_resume_collector(void);

/* Runs the lines of code in embedded .pth files, as site does at the start of an environment. A line that raises is told
 * of on standard error and ends its file. */
void ox_run_start_lines(void);

#endif
