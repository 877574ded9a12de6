#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "locate.h"
#include "memory.h"
#include "platform.h"
#include "settings.h"
#include "state.h"

static const char *base_name(const char *path)
{
    const char *slash = ox_last_separator(path);
    return slash == NULL ? path : slash + 1;
}

/* The name that a program is called by: that of its file, without what all programs' files end in. */
static struct ox_text program_name(const char *path)
{
    static const char suffix[] = OX_PROGRAM_SUFFIX;
    struct ox_text name = {base_name(path), 0};
    name.size = strlen(name.data);
    size_t stem = name.size - (sizeof suffix - 1);
    if (name.size > sizeof suffix - 1 && strcasecmp(name.data + stem, suffix) == 0) {
        name.size = stem;
    }
    return name;
}

/* The next "name=target", and how long the name is. */
static bool next_command(uint32_t *at, struct ox_text *text, size_t *size)
{
    if (!ox_setting_next(OX_KEY_COMMAND, at, text)) {
        return false;
    }
    const char *sign = memchr(text->data, '=', text->size);
    if (sign == NULL) {
        ox_damaged("a command has no '='");
    }
    *size = (size_t)(sign - text->data);
    return true;
}

/* The command of this name, by its number; OX_NONE when there is none. */
static uint32_t command_called(const char *name, size_t size)
{
    struct ox_text text;
    size_t length;
    uint32_t number = 0;
    for (uint32_t at = 0; next_command(&at, &text, &length); number++) {
        if (length == size && memcmp(text.data, name, size) == 0) {
            return number;
        }
    }
    return OX_NONE;
}

bool ox_is_command_path(const char *path)
{
    static const char folder[] = {OX_SEPARATOR, 'b', 'i', 'n', OX_SEPARATOR};
    size_t size = ox.mount.size;
    if (strncmp(path, ox.mount.path, size) != 0 || strncmp(path + size, folder, sizeof folder) != 0) {
        return false;
    }
    const char *name = path + size + sizeof folder;
    return command_called(name, strlen(name)) != OX_NONE;
}

/* The command of this number, which is among those of the blob. */
static const struct ox_setting *command_setting(uint32_t command, struct ox_text *text)
{
    uint32_t at = 0;
    const struct ox_setting *setting;
    do {
        setting = ox_blob_setting(&ox.blob, OX_KEY_COMMAND, &at);
    } while (setting != NULL && command-- != 0);
    if (setting == NULL || !ox_blob_text(&ox.blob, setting->text, text)) {
        ox_damaged("a command is missing");
    }
    return setting;
}

char *ox_command_file(uint32_t command)
{
    struct ox_text text;
    command_setting(command, &text);
    size_t size = ox.mount.size + sizeof "/bin/" + text.size;
    char *path = ox_alloc(size);
    if (path == NULL) {
        ox_damaged("out of memory");
    }
    snprintf(path, size, "%s/bin/%.*s", ox.mount.path, (int)strcspn(text.data, "="), text.data);
    ox_separate(path + ox.mount.size);
    return path;
}

uint32_t ox_command_named(int *argc, char ***argv)
{
    if (*argc == 0) {
        return OX_NONE;
    }
    struct ox_text called = program_name((*argv)[0]);
    uint32_t command = command_called(called.data, called.size);
    if (command == OX_NONE && *argc > 1) {
        const char *name = ox_is_command_path((*argv)[1]) ? base_name((*argv)[1]) : (*argv)[1];
        command = command_called(name, strlen(name));
        if (command != OX_NONE) {
            (*argc)--;
            (*argv)++;
        }
    }
    /* Unless it is the path of a file, as that of a script is. */
    if (command != OX_NONE && ox_last_separator((*argv)[0]) == NULL) {
        (*argv)[0] = ox_command_file(command);
    }
    return command;
}

/* How many characters have to be put in, taken out or changed to make one word of the other (Levenshtein's distance). */
static size_t distance(const char *left, size_t left_size, const char *right, size_t right_size)
{
    size_t row[64];
    if (right_size >= sizeof row / sizeof *row) {
        return SIZE_MAX; /* nobody types that */
    }
    for (size_t j = 0; j <= right_size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= left_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= right_size; j++) {
            size_t change = diagonal + (left[i - 1] != right[j - 1]);
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < shift ? change : shift;
        }
    }
    return row[right_size];
}

/* Says which command was perhaps meant. */
static void suggest(const char *word)
{
    struct ox_text text;
    struct ox_text best = {NULL, 0};
    size_t size;
    size_t least = strlen(word) / 3 + 2; /* what is farther away is no slip of the finger */
    for (uint32_t at = 0; next_command(&at, &text, &size);) {
        size_t far = distance(word, strlen(word), text.data, size);
        if (far < least) {
            least = far;
            best = (struct ox_text){text.data, size};
        }
    }
    fprintf(stderr, "%s: there is no command '%s'", base_name(ox.mount.path), word);
    if (best.data != NULL) {
        fprintf(stderr, "; did you mean '%.*s'?", (int)best.size, best.data);
    }
    fputc('\n', stderr);
}

static void list_commands(FILE *stream)
{
    const char *own = base_name(ox.mount.path);
    const char *example = own;
    struct ox_text text;
    size_t size;
    fprintf(stream, "usage: %s COMMAND [ARGUMENT ...]\n\ncommands:\n", own);
    for (uint32_t at = 0; next_command(&at, &text, &size);) {
        fprintf(stream, "  %.*s\n", (int)size, text.data);
        example = text.data;
    }
    fprintf(stream, OX_LINK_HINT, own, (int)strcspn(example, "="), example);
}

struct ox_program ox_program(uint32_t command, int argc, char *const *argv)
{
    struct ox_program program = {.kind = ox_setting_number(OX_KEY_RUN_KIND, 0), .target = ""};
    struct ox_text text = {"", 0};
    if (command != OX_NONE) {
        program.kind = command_setting(command, &text)->number;
        program.target = text.data + strcspn(text.data, "=") + 1;
    } else if (program.kind == OX_RUN_COMMANDS) {
        bool asked = argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0);
        if (argc > 1 && !asked) {
            suggest(argv[1]);
        }
        list_commands(asked ? stdout : stderr);
        exit(asked ? 0 : 2);
    } else if (ox_setting_text(OX_KEY_RUN_TARGET, &text)) {
        program.target = text.data;
    }
    return program;
}
