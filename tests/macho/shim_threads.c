/* Threads, their attributes and keys, over glibc's. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "darwin.h"
#include "start.h"
#include "system.h"

enum {
    DARWIN_STACK_MIN = 8192,
    DARWIN_STACK_DEFAULT = 512 * 1024, /* of all threads but the first */
    STACK_EXTRA = 64 * 1024,           /* glibc keeps its own data on the stack */
    KEY_OFFSET = 256,                  /* macOS's own keys come first, so that 0 is no program's key */
    SLOTS = 512,
};

/* An attribute object of glibc's lies in macOS's, which is larger. */
_Static_assert(sizeof(pthread_attr_t) <= 64, "pthread_attr_t");
_Static_assert(sizeof(pthread_t) == sizeof(void *), "pthread_t");

void start_thread_state(void)
{
    static __thread uint64_t slots[SLOTS]; /* of mimalloc, _Py_ThreadId …: %gs:0 is the thread's own address */
    slots[0] = (uint64_t)(uintptr_t)slots;
    syscall(SYS_arch_prctl, ARCH_SET_GS, slots);
}

struct thread_start {
    void *(*function)(void *);
    void *argument;
};

static void *start_thread(void *data)
{
    struct thread_start start = *(struct thread_start *)data;
    free(data);
    start_thread_state();
    return start.function(start.argument);
}

static int darwin_pthread_create(pthread_t *thread, const pthread_attr_t *given, void *(*function)(void *),
                                 void *argument)
{
    pthread_attr_t attributes;
    size_t size = DARWIN_STACK_DEFAULT;
    int detached = PTHREAD_CREATE_JOINABLE;
    void *address = NULL;
    if (given) {
        pthread_attr_getdetachstate(given, &detached);
        pthread_attr_getstack(given, &address, &size);
    }
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, detached);
    /* Where no stack was given, glibc says that it ends at address 0. */
    if (address && (uintptr_t)address + size != 0) {
        pthread_attr_setstack(&attributes, address, size);
    } else {
        pthread_attr_setstacksize(&attributes, size + STACK_EXTRA);
    }
    struct thread_start *start = malloc(sizeof *start);
    if (!start) {
        return errno_to(EAGAIN);
    }
    *start = (struct thread_start){function, argument};
    int error = pthread_create(thread, &attributes, start_thread, start);
    pthread_attr_destroy(&attributes);
    if (error) {
        free(start);
    }
    return errno_to(error);
}

static int darwin_pthread_join(pthread_t thread, void **result)
{
    void *native;
    int error = pthread_join(thread, &native);
    if (!error && result) {
        *result = native == PTHREAD_CANCELED ? (void *)1 : native;
    }
    return errno_to(error);
}

/* ---- attributes ---- */

static int darwin_pthread_attr_init(pthread_attr_t *attributes)
{
    int error = pthread_attr_init(attributes);
    return errno_to(error ? error : pthread_attr_setstacksize(attributes, DARWIN_STACK_DEFAULT));
}

static int darwin_pthread_attr_destroy(pthread_attr_t *attributes)
{
    return errno_to(pthread_attr_destroy(attributes));
}

static int darwin_pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size)
{
    if (size < DARWIN_STACK_MIN || size % 4096) {
        return errno_to(EINVAL);
    }
    return errno_to(pthread_attr_setstacksize(attributes, size < 16384 ? 16384 : size));
}

static int darwin_pthread_attr_getstacksize(const pthread_attr_t *attributes, size_t *size)
{
    return errno_to(pthread_attr_getstacksize(attributes, size));
}

static int darwin_pthread_attr_setdetachstate(pthread_attr_t *attributes, int state)
{
    return state < 1 || state > 2 ? errno_to(EINVAL) : errno_to(pthread_attr_setdetachstate(attributes, state - 1));
}

static int darwin_pthread_attr_getdetachstate(const pthread_attr_t *attributes, int *state)
{
    int error = pthread_attr_getdetachstate(attributes, state);
    ++*state;
    return errno_to(error);
}

static int darwin_pthread_attr_setscope(pthread_attr_t *attributes, int scope)
{
    return scope == 1 ? errno_to(pthread_attr_setscope(attributes, PTHREAD_SCOPE_SYSTEM)) : errno_to(ENOTSUP);
}

static int darwin_pthread_attr_setguardsize(pthread_attr_t *attributes, size_t size)
{
    return errno_to(pthread_attr_setguardsize(attributes, size));
}

static int darwin_pthread_attr_setstack(pthread_attr_t *attributes, void *address, size_t size)
{
    return errno_to(pthread_attr_setstack(attributes, address, size));
}

/* ---- what is only on macOS ---- */

static int darwin_pthread_threadid_np(pthread_t thread, uint64_t *id)
{
    if (thread && !pthread_equal(thread, pthread_self())) {
        return errno_to(ESRCH); /* glibc does not say for others */
    }
    *id = (uint64_t)gettid();
    return 0;
}

static uint32_t darwin_pthread_mach_thread_np(pthread_t thread)
{
    uint64_t id = 0;
    darwin_pthread_threadid_np(thread, &id);
    return (uint32_t)id;
}

static int darwin_pthread_main_np(void)
{
    return gettid() == getpid();
}

static int darwin_pthread_setname_np(const char *name)
{
    char cut[16];
    strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = '\0';
    return errno_to(pthread_setname_np(pthread_self(), cut));
}

static int stack_of(pthread_t thread, void **start, size_t *size)
{
    pthread_attr_t attributes;
    int error = pthread_getattr_np(thread, &attributes);
    if (!error) {
        error = pthread_attr_getstack(&attributes, start, size);
        pthread_attr_destroy(&attributes);
    }
    return error;
}

/* The high end: stacks grow down. */
static void *darwin_pthread_get_stackaddr_np(pthread_t thread)
{
    void *start;
    size_t size;
    return stack_of(thread, &start, &size) ? NULL : (char *)start + size;
}

static size_t darwin_pthread_get_stacksize_np(pthread_t thread)
{
    void *start;
    size_t size;
    return stack_of(thread, &start, &size) ? 0 : size;
}

static int darwin_pthread_set_qos_class_self_np(unsigned class, int priority)
{
    (void)class;
    (void)priority;
    return 0;
}

static int darwin_sched_get_priority_min(int policy)
{
    (void)policy;
    return 15;
}

static int darwin_sched_get_priority_max(int policy)
{
    (void)policy;
    return 47;
}

/* ---- cancellation ---- */

static int darwin_pthread_cancel(pthread_t thread)
{
    return errno_to(pthread_cancel(thread));
}

/* macOS: 1 enabled, 0 disabled; Linux the other way round. */
static int darwin_pthread_setcancelstate(int state, int *old)
{
    int before;
    int error = pthread_setcancelstate(state ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE, &before);
    if (!error && old) {
        *old = before == PTHREAD_CANCEL_ENABLE;
    }
    return errno_to(error);
}

/* macOS: 2 deferred, 0 asynchronous. */
static int darwin_pthread_setcanceltype(int type, int *old)
{
    int before;
    int error = pthread_setcanceltype(type ? PTHREAD_CANCEL_DEFERRED : PTHREAD_CANCEL_ASYNCHRONOUS, &before);
    if (!error && old) {
        *old = before == PTHREAD_CANCEL_DEFERRED ? 2 : 0;
    }
    return errno_to(error);
}

/* ---- keys ---- */

static int darwin_pthread_key_create(unsigned long *key, void (*destructor)(void *))
{
    pthread_key_t native;
    int error = pthread_key_create(&native, destructor);
    if (!error) {
        *key = (unsigned long)native + KEY_OFFSET;
    }
    return errno_to(error);
}

static int darwin_pthread_key_delete(unsigned long key)
{
    return errno_to(pthread_key_delete((pthread_key_t)(key - KEY_OFFSET)));
}

static void *darwin_pthread_getspecific(unsigned long key)
{
    return pthread_getspecific((pthread_key_t)(key - KEY_OFFSET));
}

static int darwin_pthread_setspecific(unsigned long key, const void *value)
{
    return errno_to(pthread_setspecific((pthread_key_t)(key - KEY_OFFSET), value));
}

static const struct symbol threads_symbols[] = {
    SHIM(pthread_create),
    SHIM(pthread_join),
    SHIM(pthread_attr_init),
    SHIM(pthread_attr_destroy),
    SHIM(pthread_attr_setstacksize),
    SHIM(pthread_attr_getstacksize),
    SHIM(pthread_attr_setdetachstate),
    SHIM(pthread_attr_getdetachstate),
    SHIM(pthread_attr_setscope),
    SHIM(pthread_attr_setguardsize),
    SHIM(pthread_attr_setstack),
    SHIM(pthread_threadid_np),
    SHIM(pthread_mach_thread_np),
    SHIM(pthread_main_np),
    SHIM(pthread_setname_np),
    SHIM(pthread_get_stackaddr_np),
    SHIM(pthread_get_stacksize_np),
    SHIM(pthread_set_qos_class_self_np),
    SHIM(sched_get_priority_min),
    SHIM(sched_get_priority_max),
    SHIM(pthread_cancel),
    SHIM(pthread_setcancelstate),
    SHIM(pthread_setcanceltype),
    SHIM(pthread_key_create),
    SHIM(pthread_key_delete),
    SHIM(pthread_getspecific),
    SHIM(pthread_setspecific),
};

SYMBOL_TABLE(threads);
