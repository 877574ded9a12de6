/* A program with libraries: argv[1] is a bundle. */
#include <dlfcn.h>
#include <mach-o/dyld.h>
#include <mach-o/loader.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "library.h"

static int images;

static void added(const struct mach_header *header, intptr_t slide)
{
    CHECK(header->magic == MH_MAGIC_64 && slide);
    images++;
}

int program_function(int value)
{
    return value * 2;
}

static void *other_thread(void *argument)
{
    CHECK(inner_local == 11 && outer_local() == &inner_local && &inner_local != argument);
    return NULL;
}

static void libraries(void)
{
    pthread_t thread;
    CHECK(inner_number == 6 && inner_function(1) == 7 && outer_function(1) == 13);
    CHECK(inner_local == 11 && outer_local() == &inner_local);
    inner_local = 12;
    CHECK(pthread_create(&thread, NULL, other_thread, &inner_local) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(shared_name() == 11 && absent == NULL);
}

static void loading(const char *path)
{
    void *bundle = dlopen(path, RTLD_NOW);
    if (!bundle) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    int (*function)(int) = (int (*)(int))dlsym(bundle, "bundle_function");
    CHECK(function && function(5) == 14 && function(5) == 15 && dlopen(path, RTLD_LAZY) == bundle);
    CHECK(dlopen(path, RTLD_NOLOAD) == bundle && images == (int)_dyld_image_count());
    Dl_info info;
    CHECK(dladdr((void *)function, &info) && strcmp(info.dli_sname, "bundle_function") == 0);
    CHECK(info.dli_saddr == (void *)function && strstr(info.dli_fname, "bundle"));
    CHECK(!dlsym(bundle, "no_such_name") && strstr(dlerror(), "no_such_name") && !dlerror());
    CHECK(dlclose(bundle) == 0 && dlclose(&info) == -1);
}

static void handles(void)
{
    void *self = dlopen(NULL, RTLD_LAZY);
    CHECK(dlsym(self, "program_function") == (void *)program_function);
    CHECK(dlsym(RTLD_DEFAULT, "inner_function") == (void *)inner_function);
    CHECK(dlsym(RTLD_MAIN_ONLY, "program_function") && !dlsym(RTLD_MAIN_ONLY, "inner_function"));
    CHECK(dlsym(RTLD_SELF, "inner_function") && !dlsym(RTLD_NEXT, "program_function"));
    void *system = dlopen("/usr/lib/libSystem.B.dylib", RTLD_LAZY);
    CHECK(system && dlsym(system, "getpid") == dlsym(self, "getpid") && !dlsym(system, "inner_function"));
    CHECK(dlopen("libc.dylib", RTLD_LAZY) == system && !dlopen("/no/such.dylib", RTLD_LAZY));
    CHECK(strstr(dlerror(), "/no/such.dylib"));
    void *outer = dlopen("@rpath/libouter.dylib", RTLD_NOLOAD);
    CHECK(outer && dlsym(outer, "inner_name") && dlsym(outer, "outer_function"));
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    _dyld_register_func_for_add_image(added);
    CHECK(images == 3 && _dyld_image_count() == 3);
    libraries();
    loading(argv[1]);
    handles();
    puts("ok");
    return 0;
}
