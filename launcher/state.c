#include "state.h"

struct ox_state ox = {.working = {.prefix = "", .node = OX_NONE}};
