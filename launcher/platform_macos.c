#include "platform.h"

#include <libproc.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "exec.h"
#include "state.h"

#define FARTHEST 16 /* ancestors that are looked at */

void ox_platform_start(void)
{
    ox_exec_ready();
}

const void *ox_find_last(const void *memory, int byte, size_t size)
{
    const unsigned char *bytes = memory;
    while (size > 0) {
        if (bytes[--size] == (unsigned char)byte) {
            return bytes + size;
        }
    }
    return NULL;
}

/* The parent of a process; 0 when it cannot be known. */
static int parent_of(int process)
{
    struct kinfo_proc known;
    size_t size = sizeof known;
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, process};
    bool found = sysctl(name, sizeof name / sizeof *name, &known, &size, NULL, 0) == 0 && size == sizeof known;
    return found ? known.kp_eproc.e_ppid : 0;
}

bool ox_descends_from_own(void)
{
    char path[PROC_PIDPATHINFO_MAXSIZE];
    struct stat other;
    struct stat own;
    int process = getppid();
    if (stat(ox.mount.path, &own) != 0) {
        return false;
    }
    for (int i = 0; i < FARTHEST && process > 1; i++) {
        if (proc_pidpath(process, path, sizeof path) > 0 && stat(path, &other) == 0 && other.st_dev == own.st_dev
            && other.st_ino == own.st_ino) {
            return true;
        }
        process = parent_of(process);
    }
    return false;
}
