/* What only Linux has of the functions of exec_posix.c. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include "exec.h"

#include <unistd.h>

#include "order.h"
#include "vfs_libc.h"

OX_INTERPOSE(int, execve, const char *path, char *const argv[], char *const envp[]);
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
int ox_order_start(const struct ox_order *order)
{
    return order->path != NULL
        ? OX_REAL(execve)(order->path, order->words.arguments, order->words.environment)
        : OX_REAL(fexecve)(order->fd, order->words.arguments, order->words.environment);
}

int ox_fexecve(int fd, char *const argv[], char *const envp[])
{
    struct ox_order order = {.fd = fd, .words = {.arguments = argv, .environment = envp}};
    return ox_execute(&order);
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
