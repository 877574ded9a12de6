#include "state.h"

struct ox_state ox;
