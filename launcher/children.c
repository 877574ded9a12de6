#include "children.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "locate.h"
#include "settings.h"
#include "state.h"

#define DEEPEST 100 /* applications within one another; no honest use comes near */

/* "digest of the blob:depth:process:digest of the arguments", the numbers in hexadecimal. */
#define VARIABLE "OXCROSS_PROCESS"

struct marker {
    uint64_t executable;
    uint64_t depth;   /* how many applications stand above, each started by the one before */
    uint64_t process; /* who wrote it: the same when a process replaces itself by execve */
    uint64_t arguments;
};

/* The blob's own digest: the same for every copy of an executable, another for every other. */
static uint64_t own_identity(void)
{
    uint64_t identity;
    memcpy(&identity, ox.blob.base + offsetof(struct ox_header, sha256), sizeof identity);
    return identity;
}

/* FNV-1a 64 over the arguments, each with its NUL. */
static uint64_t digest(int argc, char *const *argv)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 1; i < argc; i++) {
        const char *byte = argv[i];
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
        || sscanf(text, "%16" SCNx64 ":%8" SCNx64 ":%16" SCNx64 ":%16" SCNx64, &read.executable, &read.depth,
               &read.process, &read.arguments)
            != 4
        || read.executable != own_identity()) {
        return false;
    }
    *marker = read;
    return true;
}

static void write_marker(const struct marker *marker)
{
    char text[80];
    snprintf(text, sizeof text, "%016" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%016" PRIx64, marker->executable, marker->depth,
        marker->process, marker->arguments);
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

/* name=number or name=None, as multiprocessing.spawn.get_command_line writes them and freeze_support reads them. */
static bool is_worker(int argc, char *const *argv)
{
    if (argc < 3 || strcmp(argv[1], "--multiprocessing-fork") != 0) {
        return false;
    }
    for (int i = 2; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (value == NULL || value == argv[i]) {
            return false;
        }
        value++;
        bool number = value[0] != '\0' && value[strspn(value, "0123456789")] == '\0';
        if (!number && strcmp(value, "None") != 0) {
            return false;
        }
    }
    return true;
}

/* Whether the value of a -c is code rather than the name of a file, a colour, a configuration. */
static bool reads_as_code(const char *text)
{
    return strchr(text, '\n') != NULL || strchr(text, ';') != NULL || strncmp(text, "import ", 7) == 0
        || strncmp(text, "from ", 5) == 0 || strncmp(text, "raise ", 6) == 0
        || (strchr(text, '(') != NULL && strchr(text, ')') != NULL);
}

/* Whether a module, or the package that it would be in, is embedded. */
static bool is_embedded(const char *name)
{
    uint32_t row;
    return ox_blob_find_module(&ox.blob, name, strcspn(name, "."), &row) == OX_FOUND;
}

/* The command line up to what is to be run. */
struct shape {
    int program;       /* index of the first word that is no option */
    char kind;         /* 'c', 'm', or 0 */
    const char *value; /* of -c or -m */
    bool pure;         /* an option was given that libraries pass and applications rarely have */
    bool says_utf8;
};

/* By the rules of Python/getopt.c. False when there is an option that no library passes. */
static bool read_shape(int argc, char *const *argv, struct shape *shape)
{
    for (int i = 1; i < argc; i++) {
        const char *letter = argv[i];
        if (letter[0] != '-' || letter[1] == '\0') {
            shape->program = i;
            return true;
        }
        for (letter++; *letter != '\0'; letter++) {
            if (strchr("BEIPS", *letter) != NULL) {
                shape->pure = true;
            } else if (strchr("cmWX", *letter) != NULL) {
                char option = *letter;
                const char *value = letter[1] != '\0' ? letter + 1 : argv[++i];
                if (value == NULL) {
                    return false;
                }
                if (option == 'c' || option == 'm') {
                    shape->kind = option;
                    shape->value = value;
                    return true;
                }
                shape->says_utf8 |= option == 'X' && (strcmp(value, "utf8") == 0 || strncmp(value, "utf8=", 5) == 0);
                break;
            } else if (strchr("bdOqsuvx", *letter) == NULL) {
                return false;
            }
        }
    }
    return false; /* nothing to run */
}

/* The real path of a word that names a file; NULL for any other. */
static const char *resolve(const char *word, char resolved[OX_PATH_MAX])
{
    return strchr(word, '/') == NULL && access(word, F_OK) != 0 ? NULL : realpath(word, resolved);
}

/* Whether the first line of a file says that this executable runs it: "#!" and its path. */
static bool names_own_interpreter(const char *path)
{
    char line[OX_PATH_MAX];
    char resolved[OX_PATH_MAX];
    FILE *file = fopen(path, "re");
    bool ours = false;
    if (file != NULL && fgets(line, sizeof line, file) != NULL && strncmp(line, "#!", 2) == 0) {
        char *interpreter = line + 2 + strspn(line + 2, " \t");
        interpreter[strcspn(interpreter, " \t\r\n")] = '\0';
        ours = realpath(interpreter, resolved) != NULL && strcmp(resolved, ox.mount.path) == 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return ours;
}

static void recognise_program(const struct shape *shape, struct ox_start *start)
{
    static char resolved[OX_PATH_MAX]; /* start->script points into it */
    const char *word = start->argv[shape->program];
    size_t size = strlen(word);
    if (strcmp(word, "-") == 0) {
        start->role = shape->pure ? OX_PYTHON : OX_APPLICATION;
        return;
    }
    const char *path = resolve(word, resolved);
    if (path == NULL) {
        return;
    }
    if (strcmp(path, ox.mount.path) == 0) {
        start->argc -= shape->program;
        start->argv += shape->program;
    } else if (size > 3 && strcmp(word + size - 3, ".py") == 0) {
        bool inside = strncmp(path, ox.mount.path, ox.mount.size) == 0 && path[ox.mount.size] == '/';
        start->role = inside || shape->pure || names_own_interpreter(path) ? OX_PYTHON : OX_APPLICATION;
        start->script = inside ? path : NULL;
    } else if (names_own_interpreter(path)) {
        start->role = OX_PYTHON;
    }
}

static void recognise_child(struct ox_start *start)
{
    struct shape shape = {0};
    if (is_worker(start->argc, start->argv)) {
        start->role = OX_WORKER;
        return;
    }
    if (!read_shape(start->argc, start->argv, &shape)) {
        return;
    }
    start->says_utf8 = shape.says_utf8;
    if (shape.kind == 0) {
        recognise_program(&shape, start);
    } else if (shape.pure || (shape.kind == 'c' ? reads_as_code(shape.value) : is_embedded(shape.value))) {
        start->role = OX_PYTHON;
    }
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

struct ox_start ox_recognise(int argc, char **argv)
{
    struct ox_start start = {.role = OX_APPLICATION, .argc = argc, .argv = argv};
    struct marker marker = {0};
    bool marked = read_marker(&marker);
    bool again = marked && argc > 1 && marker.arguments == digest(argc, argv);
    if (argc > 1 && !again && ox_setting_number(OX_KEY_CHILD_PYTHON, 1) != 0 && (marked || parent_is_ours())) {
        recognise_child(&start);
    }
    if (marked && start.role == OX_APPLICATION && marker.process != (uint64_t)getpid()) {
        marker.depth++;
    }
    if (marker.depth > DEEPEST) {
        stop_loop(&start);
    }
    marker.executable = own_identity();
    marker.process = (uint64_t)getpid();
    if (start.role == OX_APPLICATION) {
        marker.arguments = digest(start.argc, start.argv);
    }
    write_marker(&marker);
    return start;
}
