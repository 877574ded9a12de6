/* What macOS has otherwise of the functions of exec_posix.c. */
#undef _FORTIFY_SOURCE
#include "exec.h"

#include <pthread.h>
#include <unistd.h>

#include "cache_macos.h"
#include "memfile_macos.h"
#include "order.h"
#include "vfs_libc.h"

OX_INTERPOSE(int, execve, const char *path, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, execvp, const char *file, char *const argv[]);

extern char **environ;

static void prepare_fork(void)
{
    ox_cache_ready();
    ox_memfile_ready();
}

/* With what memory files and the cache use. */
void ox_exec_ready(void)
{
    static const enum ox_real_name names[] = {OX_REAL_execve, OX_REAL_execvp, OX_REAL_posix_spawn, OX_REAL_posix_spawnp,
        OX_REAL_open, OX_REAL_openat, OX_REAL_stat, OX_REAL_lstat, OX_REAL_fstat, OX_REAL_access, OX_REAL_realpath,
        OX_REAL_getcwd, OX_REAL_chdir, OX_REAL_mkdir, OX_REAL_unlink, OX_REAL_rename, OX_REAL_fchmod, OX_REAL_futimens};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        ox_real(names[i]);
    }
    pthread_atfork(prepare_fork, NULL, NULL);
}

/* Whether this is a child that went to a virtual directory, for the program that it is about to become: there that cannot be,
 * and subprocess.run(…, cwd=) is told so. (On Linux such children come of vfork(2), and chdir says it.) */
static bool is_lost(void)
{
    uint32_t node = atomic_load(&ox.working.node);
    return node != OX_NONE && atomic_load(&ox.working.child) && node != atomic_load(&ox.working.inherited);
}

int ox_order_start(const struct ox_order *order)
{
    if (is_lost()) {
        return ox_fail(ENOTDIR);
    }
    return OX_REAL(execve)(order->path, order->words.arguments, order->words.environment);
}

int ox_execvp(const char *file, char *const argv[])
{
    char found[OX_PATH_MAX];
    if (strchr(file, '/') != NULL) {
        return ox_execve(file, argv, environ);
    }
    const char *path = ox_order_search(file, argv, environ, found);
    if (path != NULL) {
        return ox_execve(path, argv, environ);
    }
    return is_lost() ? ox_fail(ENOTDIR) : OX_REAL(execvp)(file, argv);
}
