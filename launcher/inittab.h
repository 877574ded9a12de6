/* inittab.h: which built-in modules this executable has. */
#ifndef OX_INITTAB_H
#define OX_INITTAB_H

#include <stdbool.h>

/* Gives CPython's table of built-in modules its final form, before the interpreter is initialised: without those that the
 * application leaves out (OX_KEY_LEFT_OUT), with the importer's. False when there is no memory. */
bool ox_inittab_prepare(void);

#endif
