#define _GNU_SOURCE 1
#include "platform.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

int main(int argc, char **argv)
{
    return ox_main(argc, argv);
}

const char *ox_last_separator(const char *path)
{
    return strrchr(path, OX_SEPARATOR);
}

void ox_separate(char *path)
{
    (void)path;
}

bool ox_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool ox_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool ox_real_path(const char *path, char *resolved)
{
    return realpath(path, resolved) != NULL;
}

FILE *ox_open_to_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC); /* not every libc has fopen's "e" */
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (file == NULL && fd >= 0) {
        close(fd);
    }
    return file;
}

bool ox_print(const void *text, size_t size)
{
    return fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0;
}

void ox_set_variable(const char *name, const char *value)
{
    setenv(name, value, 1);
}

char *ox_variable(const char *name)
{
    const char *value = getenv(name);
    size_t size = value == NULL ? 0 : strlen(value) + 1;
    char *copy = value == NULL ? NULL : ox_alloc(size);
    if (copy != NULL) {
        memcpy(copy, value, size);
    }
    return copy;
}

unsigned long ox_process(void)
{
    return (unsigned long)getpid();
}

/* By SIGINT, so that a shell sees what happened (Modules/main.c, exit_sigint). */
void ox_die_interrupted(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(SIGINT, &action, NULL);
    kill(getpid(), SIGINT);
    exit(128 + SIGINT);
}
