/* Preloaded into native programs that a macOS program starts (a shell, mostly): what they start in turn goes through
 * the loader when it is a Mach-O file. The loader is this library's path without ".preload.so". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

typedef int execve_function(const char *path, char *const argv[], char *const envp[]);
typedef int spawn_function(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);

static char loader_path[PATH_MAX];
static struct loader loader = {.path = loader_path};
static execve_function *real_execve;
static spawn_function *real_spawn;

__attribute__((constructor)) static void prepare(void)
{
    static const char suffix[] = ".preload.so";
    Dl_info info;
    real_execve = (execve_function *)dlsym(RTLD_NEXT, "execve");
    real_spawn = (spawn_function *)dlsym(RTLD_NEXT, "posix_spawn");
    if (dladdr(loader_path, &info) && strlen(info.dli_fname) < sizeof loader_path) {
        size_t length = strlen(info.dli_fname) - strlen(suffix);
        memcpy(loader_path, info.dli_fname, length);
    }
}

/* The path of a program in $PATH; the name itself when it has a slash, or is nowhere. */
static const char *search_path(const char *name, char buffer[PATH_MAX])
{
    const char *folders = getenv("PATH");
    for (const char *at = strchr(name, '/') ? NULL : folders ? folders : "/bin:/usr/bin"; at;) {
        const char *end = strchrnul(at, ':');
        int length = (int)(end - at);
        if (snprintf(buffer, PATH_MAX, "%.*s/%s", length ? length : 1, length ? at : ".", name) < PATH_MAX &&
            access(buffer, X_OK) == 0) {
            return buffer;
        }
        at = *end ? end + 1 : NULL;
    }
    return name;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    char head[COMMAND_HEAD];
    char *words[command_words(argv) + COMMAND_EXTRA];
    struct command command = {.argv = words};
    command_for(&loader, path, argv, head, &command);
    return real_execve(command.path, command.argv, envp);
}

int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

int execvpe(const char *name, char *const argv[], char *const envp[])
{
    char buffer[PATH_MAX];
    const char *path = search_path(name, buffer);
    if (!strchr(path, '/')) {
        errno = ENOENT;
        return -1;
    }
    return execve(path, argv, envp);
}

int execvp(const char *name, char *const argv[])
{
    return execvpe(name, argv, environ);
}

int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *restrict actions,
                const posix_spawnattr_t *restrict attributes, char *const argv[restrict], char *const envp[restrict])
{
    char head[COMMAND_HEAD];
    char *words[command_words(argv) + COMMAND_EXTRA];
    struct command command = {.argv = words};
    command_for(&loader, path, argv, head, &command);
    return real_spawn(pid, command.path, actions, attributes, command.argv, envp);
}

int posix_spawnp(pid_t *restrict pid, const char *restrict name, const posix_spawn_file_actions_t *restrict actions,
                 const posix_spawnattr_t *restrict attributes, char *const argv[restrict], char *const envp[restrict])
{
    char buffer[PATH_MAX];
    const char *path = search_path(name, buffer);
    return strchr(path, '/') ? posix_spawn(pid, path, actions, attributes, argv, envp) : ENOENT;
}
