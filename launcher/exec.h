/* exec.h: other programs get virtual files. */
#ifndef OX_EXEC_H
#define OX_EXEC_H

/* Looks up the functions of libc that start programs, and what they need: a child of fork(2) or vfork(2) must not. */
void ox_exec_ready(void);

#endif
