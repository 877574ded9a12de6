/* A library that needs inner.c's, and re-exports it. */
#include "library.h"

#include <dlfcn.h>
#include <stdio.h>

static int (*const bound)(int) = inner_function;
static int *const elsewhere = &inner_number;

__attribute__((constructor)) static void initialise(void)
{
    printf("outer begins, inner has %d\n", inner_number);
}

int outer_function(int value)
{
    return bound(value) + *elsewhere;
}

int *outer_local(void)
{
    return &inner_local;
}

/* The next one after this library's. */
int shared_name(void)
{
    int (*next)(void) = (int (*)(void))dlsym(RTLD_NEXT, "shared_name");
    int (*own)(void) = (int (*)(void))dlsym(RTLD_SELF, "shared_name");
    return own == shared_name && next ? 10 + next() : -1;
}
