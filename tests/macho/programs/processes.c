/* Starting programs: this one again by exec and by posix_spawn, a script of which it is the interpreter, one of Linux. */
#include <fcntl.h>
#include <mach-o/dyld.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;
static char self[1024];

static int code(int status)
{
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int code_of(pid_t child)
{
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return code(status);
}

static void by_exec(void)
{
    pid_t child = fork();
    if (!child) {
        char *argv[] = {"a name of its own", "child", "a name of its own", NULL};
        char *envp[] = {"ONLY=this", NULL};
        execve(self, argv, envp);
        _exit(1);
    }
    CHECK(code_of(child) == 42);
    child = fork();
    if (!child) {
        execl(self, self, "child", self, NULL);
        _exit(1);
    }
    CHECK(code_of(child) == 42);
    char *none[] = {"x", NULL};
    CHECK(execv("/no/such/file", none) == -1 && errno == ENOENT);
}

static void by_spawn(void)
{
    pid_t child;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t set;
    char *argv[] = {self, "print", NULL};
    CHECK(posix_spawn_file_actions_init(&actions) == 0 && posix_spawnattr_init(&attributes) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 1, "printed", O_WRONLY | O_CREAT | O_TRUNC, 0600) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(posix_spawnattr_setsigdefault(&attributes, &set) == 0);
    CHECK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) == 0);
    CHECK(posix_spawn(&child, self, &actions, &attributes, argv, environ) == 0 && code_of(child) == 0);
    char text[16] = "";
    int fd = open("printed", O_RDONLY);
    CHECK(read(fd, text, sizeof text) == 8 && strcmp(text, "printed\n") == 0);
    CHECK(posix_spawn_file_actions_destroy(&actions) == 0 && posix_spawnattr_destroy(&attributes) == 0);
    CHECK(posix_spawn(&child, "/no/such/file", NULL, NULL, argv, environ) == ENOENT);
    char *native[] = {"sh", "-c", "exit 5", NULL};
    CHECK(posix_spawnp(&child, "sh", NULL, NULL, native, environ) == 0 && code_of(child) == 5);
}

static void by_script(void)
{
    char text[1200];
    snprintf(text, sizeof text, "#!%s child %s\n", self, self);
    int fd = open("script", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
    pid_t child;
    char *argv[] = {"script", NULL};
    CHECK(posix_spawn(&child, "./script", NULL, NULL, argv, environ) == 0 && code_of(child) == 42);
    CHECK(chmod("script", 0644) == 0 && posix_spawn(&child, "./script", NULL, NULL, argv, environ) == EACCES);
    FILE *pipe = popen("echo out; exit 3", "r");
    char line[16];
    CHECK(pipe && fgets(line, sizeof line, pipe) && strcmp(line, "out\n") == 0);
    CHECK(code(pclose(pipe)) == 3 && code(system("exit 4")) == 4);
}

int main(int argc, char **argv)
{
    uint32_t size = sizeof self;
    CHECK(_NSGetExecutablePath(self, &size) == 0);
    if (argc >= 3 && strcmp(argv[1], "child") == 0) {
        CHECK(strcmp(argv[0], argv[2]) == 0 || strcmp(argv[2], self) == 0);
        CHECK(strcmp(argv[0], "a name of its own") != 0 || strcmp(environ[0], "ONLY=this") == 0);
        return 42;
    }
    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        puts("printed");
        return 0;
    }
    CHECK(argc == 2 && chdir(argv[1]) == 0);
    by_exec();
    by_spawn();
    by_script();
    puts("ok");
    return 0;
}
