/* run.h: runs the application. */
#ifndef OX_RUN_H
#define OX_RUN_H

#include <stdbool.h>

#include "commands.h"

/* How the application ended. */
struct ox_outcome {
    int status;       /* exit status, if it ends by exiting */
    bool interrupted; /* KeyboardInterrupt was not caught: the process ends by SIGINT, as python does */
};

struct ox_outcome ox_run(const struct ox_program *program);

#endif
