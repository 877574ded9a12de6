/* The command: load a Mach-O program, run it. */
#define _GNU_SOURCE
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "image.h"
#include "process.h"
#include "start.h"

struct process process;

enum {
    CANNOT_LOAD = 125, /* as env(1) and docker(1) have it for "the command could not be started" */
};

static const char usage[] =
    "usage: macho [--trace] [--argv0 NAME] PROGRAM [ARGUMENT ...]   run a macOS x86_64 executable\n"
    "       macho --missing FILE ...    list imports that this loader does not have\n"
    "       macho --provided            list the names of macOS's libraries that it has\n";

void trace(const char *format, ...)
{
    if (!process.loader.trace) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    char line[1024];
    vsnprintf(line, sizeof line, format, arguments);
    fprintf(stderr, "macho[%d]: %s\n", (int)getpid(), line);
    va_end(arguments);
}

struct missing_list {
    size_t count;
};

static void list_import(const struct image *image, int64_t ordinal, const char *name, bool weak, void *data)
{
    struct missing_list *list = data;
    const char *library = "flat namespace";
    uintptr_t value;
    if (ordinal == BIND_SPECIAL_DYLIB_SELF || ordinal == BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE) {
        return;
    }
    if (ordinal > 0) {
        if ((uint64_t)ordinal > image->dependency_count) {
            return;
        }
        const char *path = image->dependencies[ordinal - 1].path;
        const struct system_library *system = system_library(path);
        if ((!system && !system_path(path)) || (system && system_symbol(system, name, &value))) {
            return;
        }
        library = path;
    } else if (system_any_symbol(name, &value)) {
        return;
    }
    printf("%s\t%s%s\n", name, library, weak ? "\tweak" : "");
    list->count += !weak && ordinal > 0;
}

/* Imports of the files themselves, nothing of what they need: 1 when one is missing that macOS's libraries should have. */
static int list_missing(char **paths)
{
    struct missing_list list = {0};
    for (; *paths; paths++) {
        struct image *image = image_map(*paths);
        if (!image || !image_imports(image, list_import, &list)) {
            fprintf(stderr, "macho: %s\n", failure());
            return CANNOT_LOAD;
        }
    }
    return list.count ? 1 : 0;
}

/* dyld makes a relative path absolute, and leaves symbolic links alone. */
static char *absolute_path(const char *path)
{
    char folder[PATH_MAX];
    char *result;
    if (*path == '/' || !getcwd(folder, sizeof folder)) {
        return strdup(path);
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    return asprintf(&result, "%s/%s", folder, path) < 0 ? NULL : result;
}

/* The library lies beside this program. Programs of macOS do not see the variable. */
static void prepare_preload(void)
{
    const char *given = getenv("LD_PRELOAD");
    char *variable;
    if (asprintf(&variable, "LD_PRELOAD=%s.preload.so", process.loader.path) < 0) {
        abort();
    }
    const char *path = variable + strlen("LD_PRELOAD=");
    if (access(path, R_OK) == 0) {
        process.preload = variable;
    }
    if (given && strcmp(given, path) == 0) {
        unsetenv("LD_PRELOAD");
    }
}

static void prepare_process(const char *program, int argc, char **argv)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) {
        perror("macho: /proc/self/exe");
        exit(CANNOT_LOAD);
    }
    self[length] = '\0';
    process.loader.path = strdup(self);
    prepare_preload();
    process.program = absolute_path(program);
    process.argc = argc;
    process.argv = argv;
    static char *apple[2];
    if (!process.program || asprintf(&apple[0], "executable_path=%s", process.program) < 0) {
        abort();
    }
    process.apple = apple;
}

/* macOS makes the main thread's stack as large as LC_MAIN says; on Linux it grows up to the limit of the moment. */
static void allow_stack(uint64_t size)
{
    struct rlimit limit;
    if (size && getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < size &&
        (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= size)) {
        limit.rlim_cur = size;
        setrlimit(RLIMIT_STACK, &limit);
    }
}

static int run(void)
{
    struct image *image = image_load(process.program, NULL, false);
    if (!image) {
        fprintf(stderr, "macho: %s\n", failure());
        return CANNOT_LOAD;
    }
    const void *entry = image_at(image, image->lowest + image->entry, 1);
    if (image->header->filetype != MH_EXECUTE || !image->has_entry || !entry) {
        fprintf(stderr, "macho: %s: not an executable with LC_MAIN\n", image->path);
        return CANNOT_LOAD;
    }
    allow_stack(image->stack_size);
    start_thread_state();
    start_shims();
    atexit(image_terminate_all);
    image_initialise(image);
    extern char **environ;
    exit(((int (*)(int, char **, char **, char **))(uintptr_t)entry)(process.argc, process.argv, environ,
                                                                     process.apple));
}

int main(int argc, char **argv)
{
    const char *argv0 = NULL;
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--trace") == 0) {
            process.loader.trace = true;
        } else if (strcmp(argv[at], "--argv0") == 0 && at + 1 < argc) {
            argv0 = argv[++at];
        } else if (strcmp(argv[at], "--missing") == 0 && at + 1 < argc) {
            return list_missing(argv + at + 1);
        } else if (strcmp(argv[at], "--provided") == 0) {
            system_print();
            return 0;
        } else {
            at = argc;
        }
    }
    if (at >= argc) {
        fputs(usage, stderr);
        return 2;
    }
    const char *program = argv[at];
    if (argv0) {
        argv[at] = (char *)argv0;
    }
    prepare_process(program, argc - at, argv + at);
    return run();
}
