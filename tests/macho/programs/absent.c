/* What a weak import is linked against and does not find again. */
#include "library.h"

int absent(void)
{
    return 1;
}
