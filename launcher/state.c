#include "state.h"

struct ox_state ox = {.working = {.start = OX_UNKNOWN, .node = OX_NONE}};
