/* run.h: runs the application. */
#ifndef OX_RUN_H
#define OX_RUN_H

#include "commands.h"
#include "outcome.h"

struct ox_outcome ox_run(const struct ox_program *program);

#endif
