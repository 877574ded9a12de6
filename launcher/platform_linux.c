#define _GNU_SOURCE 1
#include "platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec.h"

#define FARTHEST 16 /* ancestors that are looked at */

void ox_platform_start(void)
{
    ox_exec_ready();
}

const void *ox_find_last(const void *memory, int byte, size_t size)
{
    return memrchr(memory, byte, size);
}

/* The parent of a process, from /proc/PROCESS/stat (proc(5)): "1 (name) S 0 …"; 0 when it cannot be known. */
static long parent_of(long process)
{
    char text[512];
    long parent = 0;
    snprintf(text, sizeof text, "/proc/%ld/stat", process);
    FILE *file = fopen(text, "re");
    if (file != NULL) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        const char *end = strrchr(text, ')'); /* a name may hold anything */
        if (end == NULL || sscanf(end, ") %*c %ld", &parent) != 1) {
            parent = 0;
        }
    }
    return parent;
}

bool ox_descends_from_own(void)
{
    char path[64];
    struct stat other;
    struct stat own;
    long process = getppid();
    if (stat("/proc/self/exe", &own) != 0) {
        return false;
    }
    for (int i = 0; i < FARTHEST && process > 1; i++) {
        snprintf(path, sizeof path, "/proc/%ld/exe", process);
        if (stat(path, &other) == 0 && other.st_dev == own.st_dev && other.st_ino == own.st_ino) {
            return true;
        }
        process = parent_of(process);
    }
    return false;
}
