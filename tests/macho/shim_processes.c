/* Processes: fork, wait, exit. How another program is started is shim_spawn.c's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "darwin.h"
#include "limits_darwin.h"
#include "process.h"
#include "system.h"

static const struct pair wait_options[] = {
    {0x1, WNOHANG}, {0x2, WUNTRACED}, {0x10, WCONTINUED},
};

static const struct pair waitid_options[] = {
    {0x1, WNOHANG}, {0x4, WEXITED}, {0x8, WSTOPPED}, {0x10, WCONTINUED}, {0x20, WNOWAIT},
};

int wait_status_to(int native)
{
    if (WIFCONTINUED(native)) {
        return 0x7f | 19 << 8; /* as if stopped by SIGCONT */
    }
    if (WIFSTOPPED(native)) {
        return 0x7f | signal_to(WSTOPSIG(native)) << 8;
    }
    if (WIFSIGNALED(native)) {
        return signal_to(WTERMSIG(native)) | (WCOREDUMP(native) ? 0x80 : 0);
    }
    return native;
}

static pid_t darwin_wait4(pid_t process, int *status, int options, struct darwin_rusage *usage)
{
    int native;
    struct rusage used;
    pid_t result = wait4(process, &native, (int)bits_from(PAIRS(wait_options), (uint32_t)options), usage ? &used : NULL);
    if (result > 0) {
        if (status) {
            *status = wait_status_to(native);
        }
        if (usage) {
            rusage_to(&used, usage);
        }
    }
    return result;
}

static pid_t darwin_waitpid(pid_t process, int *status, int options)
{
    return darwin_wait4(process, status, options, NULL);
}

static pid_t darwin_wait3(int *status, int options, struct darwin_rusage *usage)
{
    return darwin_wait4(-1, status, options, usage);
}

static pid_t darwin_wait(int *status)
{
    return darwin_wait4(-1, status, 0, NULL);
}

static int darwin_waitid(int type, uint32_t id, struct darwin_siginfo *info, int options)
{
    static const idtype_t types[] = {P_ALL, P_PID, P_PGID};
    siginfo_t native;
    memset(&native, 0, sizeof native);
    if (type < 0 || type > 2) {
        return refuse(EINVAL);
    }
    if (waitid(types[type], id, &native, (int)bits_from(PAIRS(waitid_options), (uint32_t)options))) {
        return -1;
    }
    siginfo_to(&native, info);
    return 0;
}

static pid_t darwin_fork(void)
{
    return fork();
}

/* The child of a real vfork would return into frames of this function: a fork instead, which promises more. */
static pid_t darwin_vfork(void)
{
    return fork();
}

static int darwin_atexit(void (*function)(void))
{
    return atexit(function);
}

static int darwin_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return errno_to(pthread_atfork(prepare, parent, child));
}

static pid_t darwin_setpgrp(void)
{
    return setpgid(0, 0) ? -1 : getpgrp();
}

static const char *darwin_getprogname(void)
{
    return program_invocation_short_name;
}

static void darwin_setprogname(const char *name)
{
    const char *slash = strrchr(name, '/');
    program_invocation_short_name = (char *)(slash ? slash + 1 : name);
}

static int darwin_issetugid(void)
{
    return 0;
}

/* The program that another process runs by this loader, which is all that the kernel knows of it: the word of its command line
 * (main.c). 0: it runs none. */
static int program_of(int pid, char *buffer, uint32_t size)
{
    char name[64], own[PATH_MAX], other[PATH_MAX], words[16384];
    snprintf(name, sizeof name, "/proc/%d/exe", pid);
    ssize_t length = readlink(name, other, sizeof other);
    if (length < 0 || length != readlink("/proc/self/exe", own, sizeof own) || memcmp(own, other, (size_t)length) != 0) {
        return 0;
    }
    snprintf(name, sizeof name, "/proc/%d/cmdline", pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? 0 : read(fd, words, sizeof words - 1);
    if (fd >= 0) {
        close(fd);
    }
    words[length < 0 ? 0 : length] = '\0';
    const char *word = words + strlen(words) + 1;
    for (; word < words + length && strncmp(word, "--", 2) == 0; word += strlen(word) + 1) {
        word += strcmp(word, "--argv0") == 0 ? sizeof "--argv0" : 0;
    }
    snprintf(name, sizeof name, "/proc/%d/cwd", pid);
    ssize_t folder = word >= words + length || *word == '/' ? 0 : readlink(name, other, sizeof other);
    length = word >= words + length || folder < 0 ? 0
             : snprintf(buffer, size, "%.*s%s%s", (int)folder, other, folder ? "/" : "", word);
    return length < (ssize_t)size ? (int)length : 0;
}

static int darwin_proc_pidpath(int pid, void *buffer, uint32_t size)
{
    char link[64];
    int program = pid == getpid() ? 0 : program_of(pid, buffer, size);
    if (program) {
        return program;
    }
    if (pid == getpid()) {
        int length = snprintf(buffer, size, "%s", process.program);
        return length < (int)size ? length : refuse(ENOMEM) + 1;
    }
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    ssize_t length = readlink(link, buffer, size - 1);
    if (length < 0) {
        errno = ESRCH;
        return 0;
    }
    ((char *)buffer)[length] = '\0';
    return (int)length;
}

static _Noreturn void darwin___assert_rtn(const char *function, const char *file, int line, const char *expression)
{
    fprintf(stderr, "Assertion failed: (%s), function %s, file %s, line %d.\n", expression, function ? function : "?",
            file, line);
    abort();
}

static const struct symbol processes_symbols[] = {
    SHIM(wait4),       SHIM(waitpid),     SHIM(wait3),        SHIM(wait),           SHIM(waitid),
    SHIM(fork),        SHIM(vfork),       SHIM(atexit),       SHIM(pthread_atfork),
    SHIM(getprogname), SHIM(setprogname), SHIM(issetugid),    SHIM(proc_pidpath),   SHIM(__assert_rtn),
    SHIM(setpgrp),
};

SYMBOL_TABLE(processes);
