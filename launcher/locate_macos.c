#include "locate.h"

#include <mach-o/dyld.h>
#include <mach-o/ldsyms.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

char *ox_started_file(void)
{
    static char path[OX_PATH_MAX];
    uint32_t size = sizeof path;
    if (path[0] == '\0' && _NSGetExecutablePath(path, &size) != 0) {
        path[0] = '\0';
    }
    return path;
}

static bool own_path(const char *argv0, char path[OX_PATH_MAX])
{
    char resolved[OX_PATH_MAX];
    const char *given = ox_started_file();
    if (realpath(given[0] != '\0' ? given : argv0, resolved) == NULL) {
        return false;
    }
    memcpy(path, resolved, strlen(resolved) + 1);
    return true;
}

static void forked(void)
{
    atomic_store(&ox.working.process, getpid());
    atomic_store(&ox.working.inherited, atomic_load(&ox.working.node));
    atomic_store(&ox.working.child, true);
}

const char *ox_locate(const char *argv0)
{
    struct ox_mount *mount = &ox.mount;
    struct stat status;
    if (!own_path(argv0, mount->path)) {
        memcpy(mount->path, "oxcross", sizeof "oxcross");
        return "cannot find out the path of this executable";
    }
    if (stat(mount->path, &status) != 0) {
        return "cannot look at the executable file";
    }
    const char *wrong = ox_open_blob((const uint8_t *)&_mh_execute_header, (uint64_t)status.st_size);
    if (wrong != NULL) {
        return wrong;
    }
    mount->modified = status.st_mtimespec.tv_sec;
    mount->user = status.st_uid;
    mount->group = status.st_gid;
    atomic_store(&ox.working.process, getpid());
    pthread_atfork(NULL, NULL, forked);
    mount->size = strlen(mount->path);
    return NULL;
}
