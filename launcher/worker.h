/* worker.h: the command line that multiprocessing, and what was made from it, give to spawned children where sys.frozen
 * is set: --multiprocessing-fork name=number … (multiprocessing, multiprocess) or --billiard-fork (billiard). */
#ifndef OX_WORKER_H
#define OX_WORKER_H

#include <stdbool.h>
#include <stddef.h>

/* Whether these are such arguments: as LIBRARY.spawn.get_command_line writes them and freeze_support reads them. */
bool ox_is_worker_line(int argc, char *const *argv);

/* The library whose child this is: its name as a package. May wait for what the parent sends first. */
const char *ox_worker_library(int argc, char *const *argv);

/* The number behind "name=" in such a line; false when it is not there. */
bool ox_worker_value(int argc, char *const *argv, const char *name, unsigned long long *value);

/* Copies what lies in the pipe from the parent and leaves it there. Waits until something does; 0 when there is nothing to come. */
size_t ox_worker_peek(int argc, char *const *argv, char *data, size_t size);

#endif
