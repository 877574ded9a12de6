/* The libc functions that start other programs. A program that is a virtual file runs from its memory file; virtual files
 * among the arguments and in the environment are handed over as memory files that it inherits (handover.h).
 *
 * exec functions are called in children of vfork(2), which share this memory with a parent that waits and with its other
 * threads: so there is no lock here, no allocation but the stack's, and what is mapped is unmapped again. Libc's
 * functions were looked up before (ox_exec_ready).
 *
 * Not covered: a command line inside one word (system(3), sh -c "cat PATH"), execl(3) and its kin. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <unistd.h>

#include "exec.h"
#include "order_linux.h"
#include "vfs_linux.h"

OX_INTERPOSE(int, execve, const char *path, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, execv, const char *path, char *const argv[]);
OX_INTERPOSE(int, execvp, const char *file, char *const argv[]);
OX_INTERPOSE(int, execvpe, const char *file, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, fexecve, int fd, char *const argv[], char *const envp[]);

extern char **environ;

void ox_exec_ready(void)
{
    static const enum ox_real_name names[] = {OX_REAL_execve, OX_REAL_execvpe, OX_REAL_fexecve, OX_REAL_posix_spawn,
        OX_REAL_posix_spawnp};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        ox_real(names[i]);
    }
}

/* order->path NULL: the program is order->fd. */
static int start(const struct ox_order *order)
{
    return order->path != NULL
        ? OX_REAL(execve)(order->path, order->words.arguments, order->words.environment)
        : OX_REAL(fexecve)(order->fd, order->words.arguments, order->words.environment);
}

static int start_changed(struct ox_order *order)
{
    void *memory = __builtin_alloca(ox_order_memory(order));
    if (ox_order_prepare(order, memory)) {
        start(order);
    }
    ox_order_give_back(order);
    return -1;
}

static int execute(struct ox_order *order)
{
    switch (ox_order_examine(order)) {
    case OX_CHANGED:
        return start_changed(order);
    case OX_REFUSED:
        return -1;
    case OX_AS_IT_IS:
        break;
    }
    return start(order);
}

int ox_execve(const char *path, char *const argv[], char *const envp[])
{
    struct ox_order order = {.path = path, .words = {.arguments = argv, .environment = envp}};
    return path == NULL ? OX_REAL(execve)(path, argv, envp) : execute(&order);
}

int ox_execv(const char *path, char *const argv[])
{
    return ox_execve(path, argv, environ);
}

int ox_fexecve(int fd, char *const argv[], char *const envp[])
{
    struct ox_order order = {.fd = fd, .words = {.arguments = argv, .environment = envp}};
    return execute(&order);
}

int ox_execvpe(const char *file, char *const argv[], char *const envp[])
{
    char found[OX_PATH_MAX];
    if (strchr(file, '/') != NULL) {
        return ox_execve(file, argv, envp);
    }
    const char *path = ox_order_search(file, argv, envp, found);
    return path != NULL ? ox_execve(path, argv, envp) : OX_REAL(execvpe)(file, argv, envp);
}

int ox_execvp(const char *file, char *const argv[])
{
    return ox_execvpe(file, argv, environ);
}
