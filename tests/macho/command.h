/* Command lines of other programs: for the loader, and for native programs that it starts (preload/exec.c). */
#ifndef MACHO_COMMAND_H
#define MACHO_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct loader {
    const char *path;
    bool trace;
};

struct command {
    const char *path;
    char **argv; /* NULL-terminated, as execve takes it */
    bool macho;  /* it goes through the loader */
};

enum {
    COMMAND_EXTRA = 8, /* words that come before those of the caller, and the NULL */
    COMMAND_HEAD = 512,
};

/* Fill command->argv, which has room for the caller's words and COMMAND_EXTRA more; it points into head, too. No heap:
 * between fork and exec. */
void command_for(const struct loader *loader, const char *path, char *const *argv, char head[COMMAND_HEAD],
                 struct command *command);
/* How many words before the NULL. */
size_t command_words(char *const *words);

#endif
