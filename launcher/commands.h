/* commands.h: several programs in one executable: which of them this process is to be.
 *
 * The name that the process was started by picks the command: a link or copy that is called like it. Else the first
 * argument does, and is taken off. Else it is the program that runs without a command, if there is one.
 */
#ifndef OX_COMMANDS_H
#define OX_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "blob.h"

/* A program in this executable. */
struct ox_program {
    int64_t kind; /* enum ox_run */
    const char *target;
};

/* Whether the path is that of a command's file: the executable's, and "/bin/NAME". */
bool ox_is_command_path(const char *path);

/* That file's path, as sys.argv[0]. It lives as long as the process. */
char *ox_command_file(uint32_t command);

/* The number of the command that the arguments name, and what the program is to see as sys.argv: both may change. OX_NONE
 * when they name none. */
uint32_t ox_command_named(int *argc, char ***argv);

/* The command of this number, or for OX_NONE the program that runs without one. Without such a program it ends the
 * process: by a list of the commands, with status 2, or 0 where that was asked for (--help). */
struct ox_program ox_program(uint32_t command, int argc, char *const *argv);

#endif
