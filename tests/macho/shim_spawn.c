/* exec, posix_spawn, system. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "darwin.h"
#include "process.h"
#include "system.h"

extern char **environ;

/* Native programs get a library that makes them start Mach-O programs, too, through this loader. */
static char *const *environment_for(const struct command *command, char *const *envp, char **room)
{
    if (command->macho || !process.preload) {
        return envp;
    }
    size_t count = command_words(envp);
    memcpy(room, envp, count * sizeof *room);
    room[count] = process.preload;
    room[count + 1] = NULL;
    return room;
}

static int darwin_execve(const char *path, char *const *argv, char *const *envp)
{
    static char *const none[] = {NULL};
    envp = envp ? envp : none;
    char head[COMMAND_HEAD];
    char *words[command_words(argv) + COMMAND_EXTRA];
    char *variables[command_words(envp) + 2];
    struct command command = {.argv = words};
    command_for(&process.loader, path_from(path), argv, head, &command);
    return execve(command.path, command.argv, environment_for(&command, envp, variables));
}

static int darwin_execv(const char *path, char *const *argv)
{
    return darwin_execve(path, argv, environ);
}

/* The path of a program in $PATH, or the name as it is. The first that is there and may be executed. */
static const char *search_path(const char *name, char buffer[PATH_MAX])
{
    const char *folders = getenv("PATH");
    if (strchr(name, '/')) {
        return name;
    }
    for (const char *at = folders ? folders : "/usr/bin:/bin"; at;) {
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

static int darwin_execvp(const char *name, char *const *argv)
{
    char buffer[PATH_MAX];
    const char *path = search_path(name, buffer);
    if (!strchr(path, '/')) {
        return refuse(ENOENT);
    }
    return darwin_execve(path, argv, environ);
}

enum {
    LIST_MAX = 256, /* words of execl and its kin */
};

static bool collect_words(char **words, const char *first, va_list arguments)
{
    size_t count = 0;
    words[count++] = (char *)first;
    while (words[count - 1] && count < LIST_MAX) {
        words[count++] = va_arg(arguments, char *);
    }
    return !words[count - 1];
}

static int darwin_execl(const char *path, const char *first, ...)
{
    char *words[LIST_MAX];
    va_list arguments;
    va_start(arguments, first);
    bool whole = collect_words(words, first, arguments);
    va_end(arguments);
    return whole ? darwin_execv(path, words) : refuse(E2BIG);
}

static int darwin_execlp(const char *name, const char *first, ...)
{
    char *words[LIST_MAX];
    va_list arguments;
    va_start(arguments, first);
    bool whole = collect_words(words, first, arguments);
    va_end(arguments);
    return whole ? darwin_execvp(name, words) : refuse(E2BIG);
}

static int darwin_execle(const char *path, const char *first, ...)
{
    char *words[LIST_MAX];
    va_list arguments;
    va_start(arguments, first);
    bool whole = collect_words(words, first, arguments);
    char *const *envp = va_arg(arguments, char *const *);
    va_end(arguments);
    return whole ? darwin_execve(path, words, envp) : refuse(E2BIG);
}

/* ---- posix_spawn: on macOS both objects are pointers ---- */

static int darwin_posix_spawn_file_actions_init(posix_spawn_file_actions_t **actions)
{
    *actions = malloc(sizeof **actions);
    return *actions ? errno_to(posix_spawn_file_actions_init(*actions)) : errno_to(ENOMEM);
}

static int darwin_posix_spawn_file_actions_destroy(posix_spawn_file_actions_t **actions)
{
    posix_spawn_file_actions_destroy(*actions);
    free(*actions);
    return 0;
}

static int darwin_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t **actions, int fd, const char *path,
                                                   int flags, uint16_t mode)
{
    return errno_to(posix_spawn_file_actions_addopen(*actions, fd, path, open_flags_from(flags), mode));
}

static int darwin_posix_spawn_file_actions_addclose(posix_spawn_file_actions_t **actions, int fd)
{
    return errno_to(posix_spawn_file_actions_addclose(*actions, fd));
}

static int darwin_posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t **actions, int from, int to)
{
    return errno_to(posix_spawn_file_actions_adddup2(*actions, from, to));
}

static int darwin_posix_spawn_file_actions_addinherit_np(posix_spawn_file_actions_t **actions, int fd)
{
    return errno_to(posix_spawn_file_actions_adddup2(*actions, fd, fd));
}

static int darwin_posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t **actions, const char *path)
{
    return errno_to(posix_spawn_file_actions_addchdir_np(*actions, path));
}

static int darwin_posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t **actions, int fd)
{
    return errno_to(posix_spawn_file_actions_addfchdir_np(*actions, fd));
}

enum {
    DARWIN_SPAWN_SETEXEC = 0x40,
    DARWIN_SPAWN_CLOEXEC_DEFAULT = 0x4000,
};

static const struct pair spawn_flags[] = {
    {0x1, POSIX_SPAWN_RESETIDS},   {0x2, POSIX_SPAWN_SETPGROUP}, {0x4, POSIX_SPAWN_SETSIGDEF},
    {0x8, POSIX_SPAWN_SETSIGMASK}, {0x400, POSIX_SPAWN_SETSID},
};

static int darwin_posix_spawnattr_init(posix_spawnattr_t **attributes)
{
    *attributes = malloc(sizeof **attributes);
    return *attributes ? errno_to(posix_spawnattr_init(*attributes)) : errno_to(ENOMEM);
}

static int darwin_posix_spawnattr_destroy(posix_spawnattr_t **attributes)
{
    posix_spawnattr_destroy(*attributes);
    free(*attributes);
    return 0;
}

static int darwin_posix_spawnattr_setflags(posix_spawnattr_t **attributes, short flags)
{
    if (flags & (DARWIN_SPAWN_SETEXEC | DARWIN_SPAWN_CLOEXEC_DEFAULT)) {
        return errno_to(ENOTSUP);
    }
    return errno_to(posix_spawnattr_setflags(*attributes, (short)bits_from(PAIRS(spawn_flags), (uint16_t)flags)));
}

static int darwin_posix_spawnattr_getflags(posix_spawnattr_t **attributes, short *flags)
{
    short native;
    int result = posix_spawnattr_getflags(*attributes, &native);
    *flags = (short)bits_to(PAIRS(spawn_flags), (uint16_t)native);
    return errno_to(result);
}

static int darwin_posix_spawnattr_setpgroup(posix_spawnattr_t **attributes, pid_t group)
{
    return errno_to(posix_spawnattr_setpgroup(*attributes, group));
}

static int darwin_posix_spawnattr_setsigmask(posix_spawnattr_t **attributes, const uint32_t *signals)
{
    sigset_t native;
    signal_set_from(*signals, &native);
    return errno_to(posix_spawnattr_setsigmask(*attributes, &native));
}

static int darwin_posix_spawnattr_setsigdefault(posix_spawnattr_t **attributes, const uint32_t *signals)
{
    sigset_t native;
    signal_set_from(*signals, &native);
    return errno_to(posix_spawnattr_setsigdefault(*attributes, &native));
}

static int darwin_posix_spawn(pid_t *pid, const char *path, posix_spawn_file_actions_t *const *actions,
                              posix_spawnattr_t *const *attributes, char *const *argv, char *const *envp)
{
    envp = envp ? envp : environ;
    char head[COMMAND_HEAD];
    char *words[command_words(argv) + COMMAND_EXTRA];
    char *variables[command_words(envp) + 2];
    struct command command = {.argv = words};
    command_for(&process.loader, path_from(path), argv, head, &command);
    return errno_to(posix_spawn(pid, command.path, actions ? *actions : NULL, attributes ? *attributes : NULL,
                                command.argv, environment_for(&command, envp, variables)));
}

static int darwin_posix_spawnp(pid_t *pid, const char *name, posix_spawn_file_actions_t *const *actions,
                               posix_spawnattr_t *const *attributes, char *const *argv, char *const *envp)
{
    char buffer[PATH_MAX];
    const char *path = search_path(name, buffer);
    if (!strchr(path, '/')) {
        return errno_to(ENOENT);
    }
    return darwin_posix_spawn(pid, path, actions, attributes, argv, envp);
}

/* Like glibc's, but by way of darwin_execve. */
static int darwin_system(const char *text)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction interrupt;
    struct sigaction quit;
    sigset_t child;
    sigset_t before;
    int status = -1;
    if (!text) {
        return 1;
    }
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    pthread_sigmask(SIG_BLOCK, &child, &before);
    pid_t process_id = fork();
    if (process_id == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        darwin_execve("/bin/sh", (char *[]){"sh", "-c", (char *)text, NULL}, environ);
        _exit(127);
    }
    while (process_id > 0 && waitpid(process_id, &status, 0) < 0 && errno == EINTR) {
    }
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == -1 ? -1 : wait_status_to(status);
}

static const struct symbol spawn_symbols[] = {
    SHIM(system),
    SHIM(execve),
    SHIM(execv),
    SHIM(execvp),
    SHIM(execl),
    SHIM(execlp),
    SHIM(execle),
    SHIM(posix_spawn),
    SHIM(posix_spawnp),
    SHIM(posix_spawn_file_actions_init),
    SHIM(posix_spawn_file_actions_destroy),
    SHIM(posix_spawn_file_actions_addopen),
    SHIM(posix_spawn_file_actions_addclose),
    SHIM(posix_spawn_file_actions_adddup2),
    SHIM(posix_spawn_file_actions_addinherit_np),
    SHIM(posix_spawn_file_actions_addchdir_np),
    SHIM(posix_spawn_file_actions_addfchdir_np),
    SHIM(posix_spawnattr_init),
    SHIM(posix_spawnattr_destroy),
    SHIM(posix_spawnattr_setflags),
    SHIM(posix_spawnattr_getflags),
    SHIM(posix_spawnattr_setpgroup),
    SHIM(posix_spawnattr_setsigmask),
    SHIM(posix_spawnattr_setsigdefault),
};

SYMBOL_TABLE(spawn);
