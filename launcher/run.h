/* run.h: runs what OX_SETTINGS names. */
#ifndef OX_RUN_H
#define OX_RUN_H

#include <stdbool.h>

/* How the application ended. */
struct ox_outcome {
    int status;       /* exit status, if it ends by exiting */
    bool interrupted; /* KeyboardInterrupt was not caught: the process ends by SIGINT, as python does */
};

struct ox_outcome ox_run(void);

#endif
