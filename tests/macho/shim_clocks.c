/* Clocks, timers, time stamps of files. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <utime.h>

#include "darwin.h"
#include "system.h"

/* macOS's monotonic clock goes on while the machine sleeps, CLOCK_UPTIME_RAW does not. */
static const struct pair clocks[] = {
    {0, CLOCK_REALTIME},       {6, CLOCK_BOOTTIME},           {4, CLOCK_MONOTONIC_RAW},      {5, CLOCK_MONOTONIC_RAW},
    {8, CLOCK_MONOTONIC},      {9, CLOCK_MONOTONIC},          {12, CLOCK_PROCESS_CPUTIME_ID}, {16, CLOCK_THREAD_CPUTIME_ID},
};

static int darwin_clock_gettime(int clock, struct timespec *now)
{
    int64_t native = pair_from(PAIRS(clocks), clock);
    return native < 0 ? refuse(EINVAL) : clock_gettime((clockid_t)native, now);
}

static int darwin_clock_getres(int clock, struct timespec *resolution)
{
    int64_t native = pair_from(PAIRS(clocks), clock);
    return native < 0 ? refuse(EINVAL) : clock_getres((clockid_t)native, resolution);
}

static int darwin_clock_settime(int clock, const struct timespec *now)
{
    int64_t native = pair_from(PAIRS(clocks), clock);
    return native < 0 ? refuse(EINVAL) : clock_settime((clockid_t)native, now);
}

static uint64_t darwin_clock_gettime_nsec_np(int clock)
{
    struct timespec now;
    if (darwin_clock_gettime(clock, &now)) {
        return 0;
    }
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int darwin_gettimeofday(struct darwin_timeval *now, void *zone)
{
    (void)zone;
    struct timeval native;
    if (gettimeofday(&native, NULL)) {
        return -1;
    }
    if (now) {
        *now = timeval_to(&native);
    }
    return 0;
}

static int darwin_settimeofday(const struct darwin_timeval *now, const void *zone)
{
    (void)now;
    (void)zone;
    return refuse(EPERM);
}

struct darwin_itimerval {
    struct darwin_timeval it_interval, it_value;
};

static int darwin_setitimer(int which, const struct darwin_itimerval *new, struct darwin_itimerval *old)
{
    struct itimerval before;
    struct itimerval after = {0};
    if (new) {
        after.it_interval = timeval_from(&new->it_interval);
        after.it_value = timeval_from(&new->it_value);
    }
    int result = setitimer(which, new ? &after : NULL, &before);
    if (result == 0 && old) {
        *old = (struct darwin_itimerval){timeval_to(&before.it_interval), timeval_to(&before.it_value)};
    }
    return result;
}

static int darwin_getitimer(int which, struct darwin_itimerval *now)
{
    struct itimerval native;
    int result = getitimer(which, &native);
    if (result == 0) {
        *now = (struct darwin_itimerval){timeval_to(&native.it_interval), timeval_to(&native.it_value)};
    }
    return result;
}

/* ---- time stamps ---- */

static struct timespec stamp_from(const struct timespec *darwin)
{
    struct timespec native = *darwin;
    if (darwin->tv_nsec == -1) {
        native.tv_nsec = UTIME_NOW;
    } else if (darwin->tv_nsec == -2) {
        native.tv_nsec = UTIME_OMIT;
    }
    return native;
}

static int darwin_utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    struct timespec native[2];
    if (times) {
        native[0] = stamp_from(&times[0]);
        native[1] = stamp_from(&times[1]);
    }
    return utimensat(folder_from(folder), path, times ? native : NULL, at_flags_from(flags));
}

static int darwin_futimens(int fd, const struct timespec times[2])
{
    struct timespec native[2];
    if (times) {
        native[0] = stamp_from(&times[0]);
        native[1] = stamp_from(&times[1]);
    }
    return futimens(fd, times ? native : NULL);
}

static int darwin_utimes(const char *path, const struct darwin_timeval times[2])
{
    struct timeval native[2];
    if (times) {
        native[0] = timeval_from(&times[0]);
        native[1] = timeval_from(&times[1]);
    }
    return utimes(path, times ? native : NULL);
}

static int darwin_lutimes(const char *path, const struct darwin_timeval times[2])
{
    struct timeval native[2];
    if (times) {
        native[0] = timeval_from(&times[0]);
        native[1] = timeval_from(&times[1]);
    }
    return lutimes(path, times ? native : NULL);
}

static int darwin_futimes(int fd, const struct darwin_timeval times[2])
{
    struct timeval native[2];
    if (times) {
        native[0] = timeval_from(&times[0]);
        native[1] = timeval_from(&times[1]);
    }
    return futimes(fd, times ? native : NULL);
}

static int darwin_utime(const char *path, const struct utimbuf *times)
{
    return utime(path, times);
}

static const struct symbol clocks_symbols[] = {
    SHIM(clock_gettime), SHIM(clock_getres), SHIM(clock_settime), SHIM(clock_gettime_nsec_np),
    SHIM(gettimeofday),  SHIM(settimeofday), SHIM(setitimer),     SHIM(getitimer),
    SHIM(utimensat),     SHIM(futimens),     SHIM(utimes),        SHIM(lutimes),
    SHIM(futimes),       SHIM(utime),
};

SYMBOL_TABLE(clocks);
