/* The table of a launcher without extension modules of an application: see linked.h. */
#include "linked.h"

const struct ox_linked ox_linked[] = {{NULL, NULL}};
const size_t ox_linked_count = 0;
