/* A library with data, a function, a thread-local variable, an initialiser and a terminator. */
#include "library.h"

#include <stdio.h>

int inner_number = 5;
int *inner_pointer = &inner_number; /* rebased */
_Thread_local int inner_local = 11;

__attribute__((constructor)) static void initialise(void)
{
    inner_number++;
    puts("inner begins");
}

__attribute__((destructor)) static void terminate(void)
{
    puts("inner ends");
}

int inner_function(int value)
{
    return *inner_pointer + value;
}

const char *inner_name(void)
{
    return "inner";
}

int shared_name(void)
{
    return 1;
}
