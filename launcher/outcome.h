/* outcome.h: how the application ended. */
#ifndef OX_OUTCOME_H
#define OX_OUTCOME_H

#include <stdbool.h>

struct ox_outcome {
    int status;       /* exit status, if it ends by exiting */
    bool interrupted; /* KeyboardInterrupt was not caught: the process ends by SIGINT, as python does */
};

/* Takes the exception that ended the application, and tells it as python tells it. */
struct ox_outcome ox_uncaught(void);

#endif
