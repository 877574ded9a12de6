/* What the running program was given, and how others are started. */
#ifndef MACHO_PROCESS_H
#define MACHO_PROCESS_H

#include "command.h"

struct process {
    struct loader loader; /* this program's own path, and whether it tells what it does */
    char *preload;        /* "LD_PRELOAD=…" for native programs; NULL without the library */
    char *program; /* absolute path of the Mach-O executable, not resolved: _NSGetExecutablePath */
    int argc;
    char **argv;
    char **apple; /* main's fourth argument */
};

extern struct process process;

void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
