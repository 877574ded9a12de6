/* sysconf, pathconf, confstr, limits, usage, uname. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "darwin.h"
#include "limits_darwin.h"
#include "system.h"

/* By what Linux says … */
static const struct pair sysconf_native[] = {
    {1, _SC_ARG_MAX},          {2, _SC_CHILD_MAX},       {3, _SC_CLK_TCK},          {5, _SC_OPEN_MAX},
    {29, _SC_PAGESIZE},        {57, _SC_NPROCESSORS_CONF}, {58, _SC_NPROCESSORS_ONLN}, {200, _SC_PHYS_PAGES},
};

/* … or by what macOS has. */
static const struct pair sysconf_values[] = {
    {4, 16},      {6, 1},       {7, 1},       {8, 200112},   {9, 99},      {10, 2048},    {11, 99},     {12, 1000},
    {13, 2},      {14, 32},     {15, 2048},   {16, 255},     {17, 200112}, {18, 200112},  {19, 200112}, {20, 200112},
    {21, -1},     {22, 200112}, {23, 200112}, {24, 200112},  {25, 200112}, {26, 20},      {27, 255},    {28, -1},
    {30, -1},     {31, -1},     {32, 200112}, {33, -1},      {34, -1},     {35, -1},      {36, -1},     {37, -1},
    {38, 200112}, {39, -1},     {40, -1},     {41, -1},      {42, 90},     {43, 90},      {44, -1},     {45, -1},
    {46, -1},     {47, 200112}, {48, -1},     {49, 87381},   {50, 32767},  {51, -1},      {52, -1},     {56, 1024},
    {59, -1},     {65, -1},     {66, -1},     {67, -1},      {68, -1},     {69, -1},      {70, 4096},   {71, 4096},
    {72, 255},    {73, 255},    {74, -1},     {75, -1},      {76, 200112}, {77, 200112},  {78, 200112}, {79, -1},
    {80, -1},     {81, -1},     {82, 200112}, {83, 200112},  {84, -1},     {85, 4},       {86, 512},    {87, 200112},
    {88, 200112}, {89, -1},     {90, 200112}, {91, 200112},  {92, -1},     {93, 8192},    {94, -1},     {95, -1},
    {96, 200112}, {97, -1},     {101, 128},   {107, 2147483647}, {108, 1}, {109, 1},      {116, 600},   {118, 200112},
    {120, 32},    {131, 128},
};

static long darwin_sysconf(int name)
{
    for (size_t i = 0; i < sizeof sysconf_native / sizeof *sysconf_native; i++) {
        if (sysconf_native[i].darwin == name) {
            return sysconf((int)sysconf_native[i].native);
        }
    }
    for (size_t i = 0; i < sizeof sysconf_values / sizeof *sysconf_values; i++) {
        if (sysconf_values[i].darwin == name) {
            return sysconf_values[i].native;
        }
    }
    return name > 0 && name <= 131 ? -1 : refuse(EINVAL);
}

static const struct pair path_names[] = {
    {1, _PC_LINK_MAX}, {2, _PC_MAX_CANON}, {3, _PC_MAX_INPUT},        {4, _PC_NAME_MAX}, {6, _PC_PIPE_BUF},
    {7, _PC_CHOWN_RESTRICTED}, {8, _PC_NO_TRUNC}, {18, _PC_FILESIZEBITS}, {25, _PC_SYNC_IO},
};

/* What macOS says without asking the file; 0 is none of it. */
static long fixed_limit(int name)
{
    switch (name) {
    case 5: /* _PC_PATH_MAX, _PC_SYMLINK_MAX, */
        return 1024;
    case 24:
        return 255;
    case 9: /* _PC_VDISABLE */
        return 255;
    case 10: /* _PC_NAME_CHARS_MAX */
        return 255;
    case 11: /* _PC_CASE_SENSITIVE, _PC_CASE_PRESERVING, _PC_2_SYMLINKS */
    case 12:
    case 15:
        return 1;
    }
    return 0;
}

static long darwin_pathconf(const char *path, int name)
{
    int64_t native = pair_from(PAIRS(path_names), name);
    if (fixed_limit(name)) {
        return access(path, F_OK) ? -1 : fixed_limit(name);
    }
    return native < 0 ? refuse(EINVAL) : pathconf(path, (int)native);
}

static long darwin_fpathconf(int fd, int name)
{
    int64_t native = pair_from(PAIRS(path_names), name);
    if (fixed_limit(name)) {
        return lseek(fd, 0, SEEK_CUR) < 0 && errno == EBADF ? -1 : fixed_limit(name);
    }
    return native < 0 ? refuse(EINVAL) : fpathconf(fd, (int)native);
}

/* The user's own folders, made when they are asked for: below $TMPDIR here, so that tests can have theirs. */
static const char *user_folder(char letter)
{
    static __thread char path[1024];
    const char *base = getenv("TMPDIR");
    int length = snprintf(path, sizeof path, "%s/macho-%u", base && *base == '/' ? base : "/tmp", getuid());
    if (length < (int)sizeof path - 4) {
        mkdir(path, 0700);
        length += sprintf(path + length, "/%c", letter);
        mkdir(path, 0700);
        strcpy(path + length, "/");
    }
    return path;
}

static const char *configuration(int name)
{
    switch (name) {
    case 1: /* _CS_PATH */
        return "/usr/bin:/bin:/usr/sbin:/sbin";
    case 65536: /* _CS_DARWIN_USER_DIR, _TEMP_DIR, _CACHE_DIR */
        return user_folder('0');
    case 65537:
        return user_folder('T');
    case 65538:
        return user_folder('C');
    }
    return name > 1 && name < 36 ? "" : NULL; /* known, without a value */
}

static size_t darwin_confstr(int name, char *buffer, size_t size)
{
    const char *value = configuration(name);
    if (!value) {
        errno = EINVAL;
        return 0;
    }
    return (size_t)snprintf(buffer, size, "%s", value) + 1;
}

/* ---- limits ---- */

static const struct pair limits[] = {
    {0, RLIMIT_CPU}, {1, RLIMIT_FSIZE}, {2, RLIMIT_DATA},    {3, RLIMIT_STACK}, {4, RLIMIT_CORE},
    {5, RLIMIT_AS},  {6, RLIMIT_MEMLOCK}, {7, RLIMIT_NPROC}, {8, RLIMIT_NOFILE},
};
static const uint64_t DARWIN_INFINITY = UINT64_MAX >> 1;

struct darwin_rlimit {
    uint64_t rlim_cur, rlim_max;
};

/* The resource may have a flag that asks for POSIX's behaviour. */
static int64_t limit_from(int darwin)
{
    return pair_from(PAIRS(limits), darwin & ~0x1000);
}

static int darwin_getrlimit(int resource, struct darwin_rlimit *limit)
{
    struct rlimit native;
    int64_t which = limit_from(resource);
    if (which < 0) {
        return refuse(EINVAL);
    }
    int result = getrlimit((__rlimit_resource_t)which, &native);
    if (result == 0) {
        limit->rlim_cur = native.rlim_cur == RLIM_INFINITY ? DARWIN_INFINITY : native.rlim_cur;
        limit->rlim_max = native.rlim_max == RLIM_INFINITY ? DARWIN_INFINITY : native.rlim_max;
    }
    return result;
}

static int darwin_setrlimit(int resource, const struct darwin_rlimit *limit)
{
    int64_t which = limit_from(resource);
    if (which < 0) {
        return refuse(EINVAL);
    }
    struct rlimit native = {
        limit->rlim_cur >= DARWIN_INFINITY ? RLIM_INFINITY : limit->rlim_cur,
        limit->rlim_max >= DARWIN_INFINITY ? RLIM_INFINITY : limit->rlim_max,
    };
    return setrlimit((__rlimit_resource_t)which, &native);
}

void rusage_to(const struct rusage *native, struct darwin_rusage *darwin)
{
    darwin->ru_utime = timeval_to(&native->ru_utime);
    darwin->ru_stime = timeval_to(&native->ru_stime);
    memcpy(darwin->counts, &native->ru_maxrss, sizeof darwin->counts);
    darwin->counts[0] *= 1024; /* ru_maxrss is bytes on macOS */
}

static int darwin_getrusage(int who, struct darwin_rusage *usage)
{
    struct rusage native;
    int result = getrusage(who, &native);
    if (result == 0) {
        rusage_to(&native, usage);
    }
    return result;
}

/* ---- uname ---- */

struct darwin_utsname {
    char sysname[256], nodename[256], release[256], version[256], machine[256];
};

static int darwin_uname(struct darwin_utsname *name)
{
    memset(name, 0, sizeof *name);
    strcpy(name->sysname, "Darwin");
    gethostname(name->nodename, sizeof name->nodename - 1);
    strcpy(name->release, DARWIN_RELEASE);
    strcpy(name->version, "Darwin Kernel Version " DARWIN_RELEASE ": a loader on Linux");
    strcpy(name->machine, "x86_64");
    return 0;
}

static const struct symbol limits_symbols[] = {
    SHIM(sysconf),   SHIM(pathconf),  SHIM(fpathconf), SHIM(confstr),
    SHIM(getrlimit), SHIM(setrlimit), SHIM(getrusage), SHIM(uname),
};

SYMBOL_TABLE(limits);
