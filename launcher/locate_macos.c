#include "locate.h"

#include <mach-o/dyld.h>
#include <mach-o/ldsyms.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

/* `link` finds this by its magic and fills it in. volatile: the zeros are not what it holds at run time. */
__attribute__((used)) static const volatile struct ox_locator locator = {
    .magic = OX_LOCATOR_MAGIC};

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
    uint64_t address = locator.address;
    if (address == 0) {
        return "there is no application in this launcher";
    }
    /* Pages behind the end of a file kill the process that reads them, so this comes before any look at the blob. */
    if (stat(mount->path, &status) != 0) {
        return "cannot look at the executable file";
    }
    if ((uint64_t)status.st_size < locator.file_end) {
        return "truncated: the file is shorter than it was made";
    }
    const char *wrong = ox_blob_open(&ox.blob, (const uint8_t *)&_mh_execute_header + address, locator.size);
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
