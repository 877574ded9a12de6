/* Semaphores: named POSIX ones (macOS has no others), and libdispatch's. */
#define _GNU_SOURCE
#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "darwin.h"
#include "system.h"

enum {
    DARWIN_SEM_NAME = 31, /* PSEMNAMLEN */
};

static sem_t *darwin_sem_open(const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = va_arg(arguments, unsigned);
    unsigned value = va_arg(arguments, unsigned);
    va_end(arguments);
    sem_t *semaphore = SEM_FAILED;
    if (strlen(name) > DARWIN_SEM_NAME) {
        errno = ENAMETOOLONG;
    } else {
        semaphore = sem_open(name, open_flags_from(flags), mode, value);
    }
    return semaphore == SEM_FAILED ? (sem_t *)-1 : semaphore;
}

static int darwin_sem_close(sem_t *semaphore)
{
    return sem_close(semaphore);
}

static int darwin_sem_unlink(const char *name)
{
    return strlen(name) > DARWIN_SEM_NAME ? refuse(ENAMETOOLONG) : sem_unlink(name);
}

static int darwin_sem_wait(sem_t *semaphore)
{
    return sem_wait(semaphore);
}

static int darwin_sem_trywait(sem_t *semaphore)
{
    return sem_trywait(semaphore);
}

static int darwin_sem_post(sem_t *semaphore)
{
    return sem_post(semaphore);
}

static int darwin_sem_init(void)
{
    return refuse(ENOSYS);
}

/* ---- libdispatch ---- */

static const uint64_t forever = UINT64_MAX;

struct dispatch_semaphore {
    sem_t semaphore;
};

static struct dispatch_semaphore *darwin_dispatch_semaphore_create(long value)
{
    struct dispatch_semaphore *object = value < 0 ? NULL : malloc(sizeof *object);
    if (object) {
        sem_init(&object->semaphore, 0, (unsigned)value);
    }
    return object;
}

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Times of the wall clock are negative, as libdispatch has them. */
static uint64_t darwin_dispatch_time(uint64_t when, int64_t delta)
{
    if (when == forever) {
        return forever;
    }
    if ((int64_t)when < 0) {
        return when - (uint64_t)delta;
    }
    return (when ? when : nanoseconds(CLOCK_MONOTONIC)) + (uint64_t)delta;
}

static uint64_t darwin_dispatch_walltime(const struct timespec *when, int64_t delta)
{
    uint64_t base = when ? (uint64_t)when->tv_sec * 1000000000u + (uint64_t)when->tv_nsec : nanoseconds(CLOCK_REALTIME);
    return -(base + (uint64_t)delta);
}

static long darwin_dispatch_semaphore_wait(struct dispatch_semaphore *object, uint64_t timeout)
{
    int result;
    do {
        if (timeout == forever) {
            result = sem_wait(&object->semaphore);
        } else {
            bool wall = (int64_t)timeout < 0;
            uint64_t until = wall ? -timeout : timeout;
            struct timespec absolute = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
            result = timeout ? sem_clockwait(&object->semaphore, wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, &absolute)
                             : sem_trywait(&object->semaphore);
        }
    } while (result && errno == EINTR);
    return result;
}

static long darwin_dispatch_semaphore_signal(struct dispatch_semaphore *object)
{
    return sem_post(&object->semaphore);
}

/* Semaphores are the only objects here. */
static void darwin_dispatch_release(struct dispatch_semaphore *object)
{
    sem_destroy(&object->semaphore);
    free(object);
}

static const struct symbol semaphores_symbols[] = {
    SHIM(sem_open),
    SHIM(sem_close),
    SHIM(sem_unlink),
    SHIM(sem_wait),
    SHIM(sem_trywait),
    SHIM(sem_post),
    SHIM(sem_init),
    SHIM_AS("_sem_destroy", sem_init),
    SHIM_AS("_sem_getvalue", sem_init),
    SHIM(dispatch_semaphore_create),
    SHIM(dispatch_time),
    SHIM(dispatch_walltime),
    SHIM(dispatch_semaphore_wait),
    SHIM(dispatch_semaphore_signal),
    SHIM(dispatch_release),
};

SYMBOL_TABLE(semaphores);
