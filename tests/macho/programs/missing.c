/* Calls a function that macOS has and the loader does not, when there is an argument. */
#include <stdio.h>

extern int acl_init(int count);
extern int mkfifoat(int folder, const char *path, unsigned short mode) __attribute__((weak_import)); /* of macOS 13 */

int main(int argc, char **argv)
{
    (void)argv;
    puts(mkfifoat ? "there" : "not there");
    fflush(stdout);
    return argc > 1 ? acl_init(1) : 0;
}
