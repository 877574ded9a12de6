/* What the libraries of the tests share. */
#ifndef LIBRARY_H
#define LIBRARY_H

/* inner.c, which outer.c re-exports. */
extern int inner_number;
extern _Thread_local int inner_local;
int inner_function(int value);
const char *inner_name(void);

/* outer.c */
int outer_function(int value);
int *outer_local(void);
int shared_name(void);

/* program.c: found by flat lookup, exported by the program. */
int program_function(int value);

/* Not there at run time. */
int absent(void) __attribute__((weak_import));

#endif
