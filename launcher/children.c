#include "children.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "locate.h"
#include "memory.h"
#include "settings.h"
#include "state.h"

#define DEEPEST 100 /* applications within one another; no honest use comes near */

/* What an application tells the processes that it starts: the fields in their order, in hexadecimal, with colons. */
#define VARIABLE "OXCROSS_PROCESS"
#define FORMAT "%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64

struct marker {
    uint64_t executable;
    uint64_t depth;   /* how many applications stand above, each started by the one before */
    uint64_t process; /* who wrote it: the same when a process replaces itself by execve */
    uint64_t command; /* which of the commands the application is, or OX_NONE */
    uint64_t script;    /* digest of its sys.argv[0] */
    uint64_t arguments; /* digest of its sys.argv[1:] */
};

/* The blob's own digest: the same for every copy of an executable, another for every other. */
static uint64_t own_identity(void)
{
    uint64_t identity;
    memcpy(&identity, ox.blob.base + offsetof(struct ox_header, sha256), sizeof identity);
    return identity;
}

/* FNV-1a 64 over the words, each with its NUL. */
static uint64_t digest(int count, char *const *words)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < count; i++) {
        const char *byte = words[i];
        do {
            hash = (hash ^ (uint8_t)*byte) * 0x100000001b3u;
        } while (*byte++ != '\0');
    }
    return hash;
}

/* What the variable says, if this executable wrote it. */
static bool read_marker(struct marker *marker)
{
    const char *text = getenv(VARIABLE);
    struct marker read;
    if (text == NULL
        || sscanf(text, FORMAT, &read.executable, &read.depth, &read.process, &read.command, &read.script,
               &read.arguments)
            != 6
        || read.executable != own_identity()) {
        return false;
    }
    *marker = read;
    return true;
}

static void write_marker(const struct marker *marker)
{
    char text[6 * 17];
    snprintf(text, sizeof text, FORMAT, marker->executable, marker->depth, marker->process, marker->command,
        marker->script, marker->arguments);
    setenv(VARIABLE, text, 1);
}

/* Whether the parent runs this executable: for children that were given another environment. */
static bool parent_is_ours(void)
{
    char path[64];
    struct stat parent;
    struct stat own;
    snprintf(path, sizeof path, "/proc/%ld/exe", (long)getppid());
    return stat(path, &parent) == 0 && stat("/proc/self/exe", &own) == 0 && parent.st_dev == own.st_dev
        && parent.st_ino == own.st_ino;
}

/* Whether this process was started by the very name that sys.executable has: by whom execve was given that name, with
 * whatever as the first argument; but a shell that found the word "app" in PATH does the same. */
static bool called_as_executable(const char *argv0)
{
    const char *file = ox_started_file();
    const char *name = strrchr(ox.mount.path, '/') + 1;
    return strcmp(argv0, ox.mount.path) == 0 || (strcmp(file, ox.mount.path) == 0 && strcmp(argv0, name) != 0);
}

/* The first line of a file says who runs it: a python, or this executable. */
static bool names_interpreter(const char *path)
{
    char line[OX_PATH_MAX];
    char resolved[OX_PATH_MAX];
    FILE *file = fopen(path, "re");
    bool python = false;
    if (file != NULL && fgets(line, sizeof line, file) != NULL && strncmp(line, "#!", 2) == 0) {
        char *interpreter = line + 2 + strspn(line + 2, " \t");
        python = strstr(interpreter, "python") != NULL;
        interpreter[strcspn(interpreter, " \t\r\n")] = '\0';
        python = python || (realpath(interpreter, resolved) != NULL && strcmp(resolved, ox.mount.path) == 0);
    }
    if (file != NULL) {
        fclose(file);
    }
    return python;
}

static bool has_python_suffix(const char *word)
{
    static const char *const suffixes[] = {".py", ".pyw", ".pyc", ".pyz"};
    const char *dot = strrchr(word, '.');
    for (size_t i = 0; dot != NULL && i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcmp(dot, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_main(const char *folder)
{
    char path[OX_PATH_MAX];
    return (size_t)snprintf(path, sizeof path, "%s/__main__.py", folder) < sizeof path && access(path, F_OK) == 0;
}

/* Takes the words before the program's own off: sys.argv[0] and all behind it stay. */
static void keep_from(struct ox_start *start, int program)
{
    start->argc -= program;
    start->argv += program;
}

static void recognise_file(struct ox_start *start, const struct marker *marker)
{
    static char resolved[OX_PATH_MAX]; /* start->script points into it */
    const char *word = start->shape.value;
    bool there = realpath(word, resolved) != NULL;
    if ((there && strcmp(resolved, ox.mount.path) == 0) || ox_is_command_path(word)
        || (marker != NULL && marker->script == digest(1, start->argv + start->shape.program))) {
        keep_from(start, start->shape.program);
    } else if (has_python_suffix(word)) {
        start->role = OX_PYTHON;
        start->script = there ? resolved : NULL;
    } else if (there && (start->shape.pure || has_main(resolved) || names_interpreter(resolved))) {
        start->role = OX_PYTHON;
    }
}

static void recognise_child(struct ox_start *start, const struct marker *marker)
{
    bool python = false;
    if (ox_is_worker_line(start->argc, start->argv)) {
        start->role = OX_WORKER;
        start->library = ox_worker_library(start->argc, start->argv);
        return;
    }
    start->shape = ox_read_shape(start->argc, start->argv);
    const struct ox_shape *shape = &start->shape;
    switch (shape->meaning) {
    case OX_FILE_NAME:
        recognise_file(start, marker);
        return;
    case OX_CODE:
        python = shape->pure || ox_reads_as_code(shape->value);
        break;
    case OX_MODULE_NAME:
        python = shape->pure || ox_reads_as_module(shape->value);
        break;
    case OX_STDIN:
        python = shape->pure || shape->program == start->argc - 1;
        break;
    case OX_OPTIONS:
        python = shape->pure;
        break;
    case OX_ABOUT:
        python = true;
        break;
    case OX_NO_PYTHON:
        break;
    }
    start->role = python ? OX_PYTHON : OX_APPLICATION;
}

_Noreturn static void stop_loop(const struct ox_start *start)
{
    fprintf(stderr,
        "oxcross: %s: it started itself %d times, each time from within the last%s%s. sys.executable is this "
        "application, and runs as Python only what its libraries start so (setting child-python%s)\n",
        ox.mount.path, DEEPEST, start->argc > 1 ? "; the first argument is " : "", start->argc > 1 ? start->argv[1] : "",
        ox_setting_number(OX_KEY_CHILD_PYTHON, 1) != 0 ? "" : ", which is off");
    fflush(stderr);
    _exit(70); /* EX_SOFTWARE */
}

/* The name of the application's file as a script has it in sys.argv[0]: where a shell found it, not the bare word. */
static char *script_name(char *argv0)
{
    char *file = ox_started_file();
    const char *slash = strrchr(file, '/');
    return strchr(argv0, '/') == NULL && slash != NULL && strcmp(slash + 1, argv0) == 0 ? file : argv0;
}

/* What the application sees as its arguments, and which of the commands it is. `again`: its parent's are repeated. */
static void prepare_application(struct ox_start *start, const struct marker *again)
{
    if (start->argc > 0) {
        start->argv[0] = script_name(start->argv[0]);
    }
    start->command = ox_command_named(&start->argc, &start->argv);
    if (start->command == OX_NONE && again != NULL && again->command != OX_NONE) {
        start->command = (uint32_t)again->command;
        start->argv[0] = ox_command_file(start->command);
    }
}

static char **copy_arguments(int argc, char **argv)
{
    char **copy = ox_alloc(((size_t)argc + 1) * sizeof *copy);
    if (copy == NULL) {
        ox_damaged("out of memory");
    }
    memcpy(copy, argv, ((size_t)argc + 1) * sizeof *copy);
    return copy;
}

struct ox_start ox_recognise(int argc, char **argv)
{
    struct ox_start start = {.role = OX_APPLICATION,
        .argc = argc,
        .argv = copy_arguments(argc, argv),
        .given_count = argc,
        .given = argv,
        .command = OX_NONE};
    struct marker marker = {0};
    bool marked = read_marker(&marker);
    bool again = marked && argc > 0 && marker.arguments == digest(argc - 1, argv + 1);
    if (argc > 1 && !again && ox_setting_number(OX_KEY_CHILD_PYTHON, 1) != 0 && called_as_executable(argv[0])
        && (marked || parent_is_ours())) {
        recognise_child(&start, marked ? &marker : NULL);
    }
    if (start.role == OX_APPLICATION) {
        prepare_application(&start, again ? &marker : NULL);
        marker.depth += marked && marker.process != (uint64_t)getpid();
        if (marker.depth > DEEPEST) {
            stop_loop(&start);
        }
        marker.command = start.command;
        marker.script = digest(start.argc > 0, start.argv);
        marker.arguments = digest(start.argc - 1, start.argv + 1);
    }
    marker.executable = own_identity();
    marker.process = (uint64_t)getpid();
    write_marker(&marker);
    return start;
}
