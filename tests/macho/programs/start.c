/* How a program begins and ends: arguments, the environment, initialisers, exit functions. */
#include <crt_externs.h>
#include <mach-o/dyld.h>
#include <mach-o/getsect.h>
#include <mach-o/ldsyms.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static int initialised;
__attribute__((used, section("__DATA,__own"))) static const char own[] = "a section";
static const char *const *const pointers[] = {(const char *const *)&own, (const char *const *)&initialised};
_Thread_local int thread_local_number = 7;
_Thread_local char thread_local_zeros[100];

__attribute__((constructor)) static void before(int argc, char **argv)
{
    initialised = argc;
    CHECK(argv[0]);
}

__attribute__((destructor)) static void after(void)
{
    puts("destructor");
}

static void at_exit(void)
{
    puts("atexit");
}

int main(int argc, char **argv, char **envp, char **apple)
{
    CHECK(initialised == argc);
    CHECK(pointers[0] == (const char *const *)&own && pointers[1] == (const char *const *)&initialised);
    CHECK(thread_local_number == 7 && thread_local_zeros[99] == 0);
    CHECK(*_NSGetEnviron() == envp && *_NSGetArgc() == argc && *_NSGetArgv() == argv);
    CHECK(strncmp(apple[0], "executable_path=/", 17) == 0);
    char path[1024];
    uint32_t size = 1;
    CHECK(_NSGetExecutablePath(path, &size) == -1 && size > 1);
    CHECK(_NSGetExecutablePath(path, &size) == 0 && access(path, X_OK) == 0);
    CHECK(strcmp(apple[0] + strlen("executable_path="), path) == 0);
    CHECK(_dyld_get_image_header(0) == (const struct mach_header *)&_mh_execute_header);
    CHECK(strcmp(_dyld_get_image_name(0), path) == 0);
    CHECK(_dyld_get_image_vmaddr_slide(0) != 0);
    unsigned long section_size;
    CHECK(memcmp(getsectiondata(&_mh_execute_header, "__DATA", "__own", &section_size), own, sizeof own) == 0);
    CHECK(section_size == sizeof own);
    CHECK(!getsectiondata(&_mh_execute_header, "__DATA", "__none", &section_size));
    for (int i = 0; i < argc; i++) {
        puts(argv[i]);
    }
    printf("%s\n", getenv("GIVEN"));
    atexit(at_exit);
    return 3;
}
