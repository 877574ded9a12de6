/* The libc functions that start other programs. A program that is a virtual file runs from its memory file (on macOS from a
 * file of the cache); virtual files among the arguments and in the environment are handed over (handover.h).
 *
 * exec functions are called in children of vfork(2), which share this memory with a parent that waits and with its other
 * threads: so there is no lock here, no allocation but the stack's, and what is mapped is unmapped again. Libc's
 * functions were looked up before (ox_exec_ready).
 *
 * Not covered: a command line inside one word (system(3), sh -c "cat PATH"), execl(3) and its kin. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <unistd.h>

#include "order.h"
#include "vfs_libc.h"

OX_INTERPOSE(int, execve, const char *path, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, execv, const char *path, char *const argv[]);

extern char **environ;

static int start_changed(struct ox_order *order)
{
    void *memory = __builtin_alloca(ox_order_memory(order));
    if (ox_order_prepare(order, memory)) {
        ox_order_start(order);
    }
    ox_order_give_back(order);
    return -1;
}

int ox_execute(struct ox_order *order)
{
    switch (ox_order_examine(order)) {
    case OX_CHANGED:
        return start_changed(order);
    case OX_REFUSED:
        return -1;
    case OX_AS_IT_IS:
        break;
    }
    return ox_order_start(order);
}

int ox_execve(const char *path, char *const argv[], char *const envp[])
{
    struct ox_order order = {.path = path, .words = {.arguments = argv, .environment = envp}};
    return path == NULL ? OX_REAL(execve)(path, argv, envp) : ox_execute(&order);
}

int ox_execv(const char *path, char *const argv[])
{
    return ox_execve(path, argv, environ);
}
