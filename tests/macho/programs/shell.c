/* Has a shell run argv[1], and returns what it returned. */
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    int status = system(argv[1]);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}
