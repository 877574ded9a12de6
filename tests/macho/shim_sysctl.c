/* sysctl: what the machine and the system are, by name and by number. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

enum kind {
    TEXT,
    INT32,
    INT64,
};

static int64_t processors(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN);
}

static int64_t memory(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static int64_t zero(void)
{
    return 0;
}

static int64_t one(void)
{
    return 1;
}

static int64_t page(void)
{
    return 4096;
}

static int64_t line(void)
{
    return 64;
}

static int64_t backlog(void)
{
    return 128;
}

static int64_t arguments(void)
{
    return 1048576;
}

/* CTL_KERN is 1, CTL_HW 6. */
static const struct {
    const char *name;
    int numbers[2];
    enum kind kind;
    const char *text;
    int64_t (*number)(void);
} values[] = {
    {"kern.ostype", {1, 1}, TEXT, "Darwin", NULL},
    {"kern.osrelease", {1, 2}, TEXT, DARWIN_RELEASE, NULL},
    {"kern.version", {1, 4}, TEXT, "Darwin Kernel Version " DARWIN_RELEASE ": a loader on Linux", NULL},
    {"kern.argmax", {1, 8}, INT32, NULL, arguments},
    {"kern.osversion", {1, 65}, TEXT, DARWIN_BUILD, NULL},
    {"kern.osproductversion", {0}, TEXT, DARWIN_PRODUCT, NULL},
    {"kern.ipc.somaxconn", {0}, INT32, NULL, backlog},
    {"hw.machine", {6, 1}, TEXT, "x86_64", NULL},
    {"hw.model", {6, 2}, TEXT, "MacBookPro15,1", NULL},
    {"hw.ncpu", {6, 3}, INT32, NULL, processors},
    {"hw.pagesize", {6, 7}, INT64, NULL, page},
    {"hw.memsize", {6, 24}, INT64, NULL, memory},
    {"hw.availcpu", {6, 25}, INT32, NULL, processors},
    {"hw.activecpu", {0}, INT32, NULL, processors},
    {"hw.logicalcpu", {0}, INT32, NULL, processors},
    {"hw.logicalcpu_max", {0}, INT32, NULL, processors},
    {"hw.physicalcpu", {0}, INT32, NULL, processors},
    {"hw.physicalcpu_max", {0}, INT32, NULL, processors},
    {"hw.cachelinesize", {0}, INT64, NULL, line},
    {"hw.optional.x86_64", {0}, INT32, NULL, one},
    {"hw.optional.arm64", {0}, INT32, NULL, zero},
    {"sysctl.proc_translated", {0}, INT32, NULL, zero},
    {"machdep.cpu.brand_string", {0}, TEXT, "Intel(R) Core(TM)", NULL},
};

enum {
    VALUE_COUNT = sizeof values / sizeof *values,
};

static int give(size_t index, void *out, size_t *size)
{
    int32_t small = values[index].number ? (int32_t)values[index].number() : 0;
    int64_t large = values[index].number ? values[index].number() : 0;
    const void *value = values[index].kind == TEXT ? (const void *)values[index].text
                        : values[index].kind == INT32 ? (const void *)&small
                                                      : (const void *)&large;
    size_t needed = values[index].kind == TEXT ? strlen(values[index].text) + 1 : values[index].kind == INT32 ? 4 : 8;
    if (!size) {
        return 0;
    }
    /* Numbers fit into what the caller has, as the kernel does it for those of hw. */
    if (out && values[index].kind != TEXT && *size == 4) {
        value = &small;
        needed = 4;
    }
    if (out && *size < needed) {
        return refuse(ENOMEM);
    }
    if (out) {
        memcpy(out, value, needed);
    }
    *size = needed;
    return 0;
}

static int darwin_sysctlbyname(const char *name, void *out, size_t *size, const void *new, size_t new_size)
{
    (void)new_size;
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        if (strcmp(values[i].name, name) == 0) {
            return new ? refuse(EPERM) : give(i, out, size);
        }
    }
    return refuse(ENOENT);
}

/* kern.proc.pid.PID: who its parent is, and its own number, of all that struct kinfo_proc has. */
static int give_process(int pid, char *out, size_t *size)
{
    enum {
        SIZE = 648,
        PID = 40,
        PARENT = 560,
    };
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) {
        fclose(file);
    }
    text[length] = '\0';
    char *behind = strrchr(text, ')'); /* the name before it may have anything in it */
    int parent;
    bool known = behind && sscanf(behind, ") %*c %d", &parent) == 1;
    if (out && known && *size < SIZE) {
        return refuse(ENOMEM);
    }
    if (out && known) {
        memset(out, 0, SIZE);
        memcpy(out + PID, &pid, sizeof pid);
        memcpy(out + PARENT, &parent, sizeof parent);
    }
    *size = known ? SIZE : 0; /* nothing of one that is not there */
    return 0;
}

static int darwin_sysctl(const int *numbers, unsigned count, void *out, size_t *size, const void *new, size_t new_size)
{
    (void)new_size;
    if (count == 4 && numbers[0] == 1 && numbers[1] == 14 && numbers[2] == 1 && size) {
        return give_process(numbers[3], out, size);
    }
    for (size_t i = 0; i < VALUE_COUNT && count == 2; i++) {
        if (values[i].numbers[0] && values[i].numbers[0] == numbers[0] && values[i].numbers[1] == numbers[1]) {
            return new ? refuse(EPERM) : give(i, out, size);
        }
    }
    return refuse(ENOENT);
}

static const struct symbol sysctl_symbols[] = {
    SHIM(sysctlbyname),
    SHIM(sysctl),
};

SYMBOL_TABLE(sysctl);
