#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include "locate.h"

#include <fcntl.h>
#include <linux/auxvec.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

/* A note nobody reads: `link` turns its program header into the PT_LOAD of the blob. Its own alignment keeps the linker
 * from putting it into one PT_NOTE with the build id. */
__asm__(".pushsection .note.oxcross,\"a\",@note\n"
        ".balign 16\n"
        ".long 8, 4, 1\n"
        ".ascii \"oxcross\\0\"\n"
        ".long 0\n"
        ".popsection\n");

/* The image's first byte, from the linker. */
extern const uint8_t __ehdr_start[] __attribute__((visibility("hidden")));

char *ox_started_file(void)
{
    static char unknown[] = "";
    char *given = (char *)getauxval(AT_EXECFN); // NOLINT: the kernel hands pointers over as numbers
    return given == NULL ? unknown : given;
}

static bool own_path(const char *argv0, char path[OX_PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, OX_PATH_MAX - 1);
    if (size > 0 && path[0] == '/') {
        path[size] = '\0';
        return true;
    }
    /* No /proc: what execve was given. */
    const char *given = ox_started_file();
    char resolved[OX_PATH_MAX];
    if (realpath(given[0] != '\0' ? given : argv0, resolved) == NULL) {
        return false;
    }
    memcpy(path, resolved, strlen(resolved) + 1);
    return true;
}

static bool own_status(const char *path, struct stat *status)
{
    return syscall(SYS_newfstatat, AT_FDCWD, path, status, 0) == 0
        || syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/exe", status, 0) == 0; /* it was deleted since */
}

static void forked(void)
{
    atomic_store(&ox.working.process, getpid());
}

const char *ox_locate(const char *argv0)
{
    struct ox_mount *mount = &ox.mount;
    struct stat status;
    if (!own_path(argv0, mount->path)) {
        memcpy(mount->path, "oxcross", sizeof "oxcross");
        return "cannot find out the path of this executable (is /proc mounted?)";
    }
    if (!own_status(mount->path, &status)) {
        return "cannot look at the executable file";
    }
    const char *wrong = ox_open_blob(__ehdr_start, (uint64_t)status.st_size);
    if (wrong != NULL) {
        return wrong;
    }
    mount->modified = status.st_mtim.tv_sec;
    mount->user = status.st_uid;
    mount->group = status.st_gid;
    atomic_store(&ox.working.process, getpid());
    pthread_atfork(NULL, NULL, forked);
    mount->size = strlen(mount->path);
    return NULL;
}
