#include "children.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "locate.h"
#include "marker.h"
#include "memory.h"
#include "platform.h"
#include "settings.h"
#include "state.h"

#define DEEPEST 100 /* applications within one another; no honest use comes near */

/* Whether this process was started by the very name that sys.executable has: by whom execve was given that name, with
 * whatever as the first argument; but a shell that found the word "app" in PATH does the same. */
static bool called_as_executable(const char *argv0)
{
    const char *file = ox_started_file();
    const char *name = ox_last_separator(ox.mount.path) + 1;
    return strcmp(argv0, ox.mount.path) == 0 || (strcmp(file, ox.mount.path) == 0 && strcmp(argv0, name) != 0);
}

enum interpreter { OX_ANOTHER, OX_A_PYTHON, OX_OURSELVES };

/* Who the first line of a file says runs it. */
static enum interpreter interpreter_of(const char *path)
{
    char line[OX_PATH_MAX];
    char resolved[OX_PATH_MAX];
    FILE *file = ox_open_to_read(path);
    enum interpreter found = OX_ANOTHER;
    if (file != NULL && fgets(line, sizeof line, file) != NULL && strncmp(line, "#!", 2) == 0) {
        char *interpreter = line + 2 + strspn(line + 2, " \t");
        found = strstr(interpreter, "python") != NULL ? OX_A_PYTHON : OX_ANOTHER;
        interpreter[strcspn(interpreter, " \t\r\n")] = '\0';
        if (ox_real_path(interpreter, resolved) && strcmp(resolved, ox.mount.path) == 0) {
            found = OX_OURSELVES;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
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
    return (size_t)snprintf(path, sizeof path, "%s/__main__.py", folder) < sizeof path && ox_exists(path);
}

/* Takes the words before the program's own off: sys.argv[0] and all behind it stay. */
static void keep_from(struct ox_start *start, int program)
{
    start->argc -= program;
    start->argv += program;
}

static void recognise_file(struct ox_start *start, const struct ox_marker *marker)
{
    static char resolved[OX_PATH_MAX]; /* start->script points into it */
    const char *word = start->shape.value;
    bool there = ox_real_path(word, resolved);
    if ((there && strcmp(resolved, ox.mount.path) == 0) || ox_is_command_path(word)
        || (marker != NULL && marker->script == ox_digest(1, start->argv + start->shape.program))) {
        keep_from(start, start->shape.program);
    } else if (has_python_suffix(word)) {
        start->role = OX_PYTHON;
        start->script = there ? resolved : NULL;
    } else if (there && (start->shape.pure || has_main(resolved) || interpreter_of(resolved) != OX_ANOTHER)) {
        start->role = OX_PYTHON;
    }
}

static void recognise_child(struct ox_start *start, const struct ox_marker *marker)
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

/* A script that was written for this executable, and is run by it in another user's name, by another machine's shell …:
 * no process in between is known. */
static bool is_own_script(char *const *argv)
{
    return has_python_suffix(argv[1]) && interpreter_of(argv[1]) == OX_OURSELVES;
}

_Noreturn static void stop_loop(const struct ox_start *start)
{
    fprintf(stderr,
        "oxcross: %s: it started itself %d times, each time from within the last%s%s. sys.executable is this "
        "application, and runs as Python only what its libraries start so (setting child-python%s)\n",
        ox.mount.path, DEEPEST, start->argc > 1 ? "; the first argument is " : "", start->argc > 1 ? start->argv[1] : "",
        ox_setting_number(OX_KEY_CHILD_PYTHON, 1) != 0 ? "" : ", which is off");
    fflush(stderr);
    _Exit(70); /* EX_SOFTWARE */
}

/* The name of the application's file as a script has it in sys.argv[0]: where a shell found it, not the bare word. */
static char *script_name(char *argv0)
{
    char *file = ox_started_file();
    const char *slash = ox_last_separator(file);
    return ox_last_separator(argv0) == NULL && slash != NULL && strcmp(slash + 1, argv0) == 0 ? file : argv0;
}

/* What the application sees as its arguments, and which of the commands it is. `again`: its parent's are repeated. */
static void prepare_application(struct ox_start *start, const struct ox_marker *again)
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
    struct ox_marker marker = {0};
    bool marked = ox_marker_read(&marker);
    bool again = marked && argc > 0 && marker.arguments == ox_digest(argc - 1, argv + 1);
    if (argc > 1 && !again && ox_setting_number(OX_KEY_CHILD_PYTHON, 1) != 0 && called_as_executable(argv[0])) {
        struct ox_start child = start;
        recognise_child(&child, marked ? &marker : NULL);
        /* Ancestors are looked for last: most command lines are the application's, whoever started it. */
        bool differs = child.role != OX_APPLICATION || child.argc != start.argc;
        if (differs && (marked || ox_descends_from_own() || is_own_script(argv))) {
            start = child;
        }
    }
    if (start.role == OX_APPLICATION) {
        prepare_application(&start, again ? &marker : NULL);
        marker.depth += marked && marker.process != ox_process();
        if (marker.depth > DEEPEST) {
            stop_loop(&start);
        }
        marker.command = start.command;
        marker.script = ox_digest(start.argc > 0, start.argv);
        marker.arguments = ox_digest(start.argc - 1, start.argv + 1);
    }
    ox_marker_write(&marker);
    return start;
}
