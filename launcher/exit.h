/* exit.h: the end of the process. */
#ifndef OX_EXIT_H
#define OX_EXIT_H

#include "outcome.h"

/* Ends the process: fast (the default) or through Py_FinalizeEx, as OX_KEY_EXIT says.
 *
 * The fast way does what a program can notice of Py_FinalizeEx: it joins threads (threading._shutdown), runs atexit
 * callbacks, finalizers (__del__) written in Python, writes out every open file object, sys.stdout and sys.stderr, and
 * runs the C library's exit handlers. It does not take the interpreter apart: the kernel frees memory faster. */
_Noreturn void ox_exit(struct ox_outcome outcome);

#endif
