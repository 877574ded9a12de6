/* A bundle as an extension module is one: its undefined names are looked up in the program. */
#include "library.h"

#include <stddef.h>
#include <string.h>

static _Thread_local int own = 3;

int bundle_function(int value)
{
    return program_function(value) + own++ + (absent == NULL);
}

size_t bundle_length(const char *text)
{
    return strlen(text);
}
