/* locate.h: finds the running executable and the blob in it. */
#ifndef OX_LOCATE_H
#define OX_LOCATE_H

#include <stdbool.h>

/* Fills in ox.blob and ox.mount. Returns NULL, or what is wrong with the executable ("truncated: …", "damaged: …",
 * "there is no application in this launcher"). Takes a path to fall back on where /proc is not mounted. */
const char *ox_locate(const char *argv0);

/* The file that execve was given, as it was written; "" where that is not known. */
char *ox_started_file(void);

/* Whether the blob's bytes are what was written (SHA-256 over all of it). */
bool ox_intact(void);

/* Says on stderr, in one line, what is wrong with the executable, and ends the process with status 70 (EX_SOFTWARE of
 * <sysexits.h>). */
_Noreturn void ox_damaged(const char *what);

#endif
