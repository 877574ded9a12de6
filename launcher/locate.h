/* locate.h: finds the running executable and the blob in it. */
#ifndef OX_LOCATE_H
#define OX_LOCATE_H

#include <stdbool.h>
#include <stdint.h>

/* Fills in ox.blob and ox.mount. Returns NULL, or what is wrong with the executable ("truncated: …", "damaged: …",
 * "there is no application in this launcher"). Takes a path to fall back on where /proc is not mounted. */
const char *ox_locate(const char *argv0);

/* What ox_locate does with the image that was mapped, of whose file that is the size in bytes: pages behind the end of a file kill the
 * process that reads them, so this comes before any look at the blob. A signature may lie behind what was made. */
const char *ox_open_blob(const uint8_t *image, uint64_t file_size);

/* The file that execve was given, as it was written; "" where that is not known. */
char *ox_started_file(void);

/* Whether the blob's bytes are what was written (SHA-256 over all of it). */
bool ox_intact(void);

/* Says on stderr, in one line, what is wrong with the executable, and ends the process with status 70 (EX_SOFTWARE of
 * <sysexits.h>). */
_Noreturn void ox_damaged(const char *what);

#endif
