/* Mutexes, conditions, read-write locks, once: glibc's objects inside macOS's, which are at least as large.
 *
 * A static initialiser of macOS's is a signature in the first eight bytes and zeros: the signature is replaced by zeros
 * (glibc's own initialiser) in one atomic step before the first use, whoever comes first. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

enum {
    MUTEX_SIGNATURE = 0x32AAABA7,
    ERRORCHECK_SIGNATURE = 0x32AAABA1,
    RECURSIVE_SIGNATURE = 0x32AAABA2,
    FIRSTFIT_SIGNATURE = 0x32AAABA3,
    CONDITION_SIGNATURE = 0x3CB0B1BB,
    RWLOCK_SIGNATURE = 0x2DA8B3B4,
    ONCE_SIGNATURE = 0x30B1BCBA,
};

_Static_assert(sizeof(pthread_mutex_t) <= 64, "pthread_mutex_t");
_Static_assert(sizeof(pthread_cond_t) <= 48, "pthread_cond_t");
_Static_assert(sizeof(pthread_rwlock_t) <= 200, "pthread_rwlock_t");
_Static_assert(sizeof(pthread_once_t) <= 16, "pthread_once_t");
_Static_assert(sizeof(pthread_mutexattr_t) <= 16, "pthread_mutexattr_t");
_Static_assert(sizeof(pthread_condattr_t) <= 16, "pthread_condattr_t");
_Static_assert(sizeof(pthread_rwlockattr_t) <= 24, "pthread_rwlockattr_t");

/* Zeros in the place of a signature, if that is what is there. */
static void ready(void *object, uint64_t signature)
{
    _Atomic uint64_t *first = object;
    uint64_t expected = signature;
    if (atomic_load_explicit(first, memory_order_relaxed) == signature) {
        atomic_compare_exchange_strong(first, &expected, 0);
    }
}

static pthread_mutex_t *mutex(void *object)
{
    uint64_t signature = atomic_load_explicit((_Atomic uint64_t *)object, memory_order_relaxed);
    pthread_mutex_t *native = object;
    switch (signature) {
    case RECURSIVE_SIGNATURE: /* the kind first: whoever sees zeros sees it */
        native->__data.__kind = PTHREAD_MUTEX_RECURSIVE;
        ready(object, signature);
        break;
    case ERRORCHECK_SIGNATURE:
        native->__data.__kind = PTHREAD_MUTEX_ERRORCHECK;
        ready(object, signature);
        break;
    case MUTEX_SIGNATURE:
    case FIRSTFIT_SIGNATURE:
        ready(object, signature);
        break;
    }
    return native;
}

static pthread_cond_t *condition(void *object)
{
    ready(object, CONDITION_SIGNATURE);
    return object;
}

static pthread_rwlock_t *rwlock(void *object)
{
    ready(object, RWLOCK_SIGNATURE);
    return object;
}

/* ---- mutexes ---- */

static int darwin_pthread_mutex_init(void *object, const pthread_mutexattr_t *attributes)
{
    return errno_to(pthread_mutex_init(object, attributes));
}

static int darwin_pthread_mutex_destroy(void *object)
{
    return errno_to(pthread_mutex_destroy(mutex(object)));
}

static int darwin_pthread_mutex_lock(void *object)
{
    return errno_to(pthread_mutex_lock(mutex(object)));
}

static int darwin_pthread_mutex_trylock(void *object)
{
    return errno_to(pthread_mutex_trylock(mutex(object)));
}

static int darwin_pthread_mutex_unlock(void *object)
{
    return errno_to(pthread_mutex_unlock(mutex(object)));
}

static int darwin_pthread_mutexattr_init(pthread_mutexattr_t *attributes)
{
    return errno_to(pthread_mutexattr_init(attributes));
}

static int darwin_pthread_mutexattr_destroy(pthread_mutexattr_t *attributes)
{
    return errno_to(pthread_mutexattr_destroy(attributes));
}

static const struct pair mutex_types[] = {
    {0, PTHREAD_MUTEX_NORMAL}, {1, PTHREAD_MUTEX_ERRORCHECK}, {2, PTHREAD_MUTEX_RECURSIVE},
};

static int darwin_pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int type)
{
    return errno_to(pthread_mutexattr_settype(attributes, (int)pair_from(PAIRS(mutex_types), type)));
}

static int darwin_pthread_mutexattr_gettype(const pthread_mutexattr_t *attributes, int *type)
{
    int native;
    int error = pthread_mutexattr_gettype(attributes, &native);
    *type = (int)pair_to(PAIRS(mutex_types), native);
    return errno_to(error);
}

static const struct pair sharing[] = {{1, PTHREAD_PROCESS_SHARED}, {2, PTHREAD_PROCESS_PRIVATE}};

static int darwin_pthread_mutexattr_setpshared(pthread_mutexattr_t *attributes, int shared)
{
    return errno_to(pthread_mutexattr_setpshared(attributes, (int)pair_from(PAIRS(sharing), shared)));
}

/* ---- conditions ---- */

static int darwin_pthread_cond_init(void *object, const pthread_condattr_t *attributes)
{
    return errno_to(pthread_cond_init(object, attributes));
}

static int darwin_pthread_cond_destroy(void *object)
{
    return errno_to(pthread_cond_destroy(condition(object)));
}

static int darwin_pthread_cond_signal(void *object)
{
    return errno_to(pthread_cond_signal(condition(object)));
}

static int darwin_pthread_cond_broadcast(void *object)
{
    return errno_to(pthread_cond_broadcast(condition(object)));
}

static int darwin_pthread_cond_wait(void *object, void *lock)
{
    return errno_to(pthread_cond_wait(condition(object), mutex(lock)));
}

static int darwin_pthread_cond_timedwait(void *object, void *lock, const struct timespec *until)
{
    return errno_to(pthread_cond_timedwait(condition(object), mutex(lock), until));
}

static int darwin_pthread_cond_timedwait_relative_np(void *object, void *lock, const struct timespec *wait)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait->tv_sec;
    until.tv_nsec += wait->tv_nsec;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return errno_to(pthread_cond_clockwait(condition(object), mutex(lock), CLOCK_MONOTONIC, &until));
}

static int darwin_pthread_condattr_init(pthread_condattr_t *attributes)
{
    return errno_to(pthread_condattr_init(attributes));
}

static int darwin_pthread_condattr_destroy(pthread_condattr_t *attributes)
{
    return errno_to(pthread_condattr_destroy(attributes));
}

static int darwin_pthread_condattr_setpshared(pthread_condattr_t *attributes, int shared)
{
    return errno_to(pthread_condattr_setpshared(attributes, (int)pair_from(PAIRS(sharing), shared)));
}

/* ---- read-write locks, once ---- */

static int darwin_pthread_rwlock_init(void *object, const pthread_rwlockattr_t *attributes)
{
    return errno_to(pthread_rwlock_init(object, attributes));
}

static int darwin_pthread_rwlock_destroy(void *object)
{
    return errno_to(pthread_rwlock_destroy(rwlock(object)));
}

static int darwin_pthread_rwlock_rdlock(void *object)
{
    return errno_to(pthread_rwlock_rdlock(rwlock(object)));
}

static int darwin_pthread_rwlock_wrlock(void *object)
{
    return errno_to(pthread_rwlock_wrlock(rwlock(object)));
}

static int darwin_pthread_rwlock_tryrdlock(void *object)
{
    return errno_to(pthread_rwlock_tryrdlock(rwlock(object)));
}

static int darwin_pthread_rwlock_trywrlock(void *object)
{
    return errno_to(pthread_rwlock_trywrlock(rwlock(object)));
}

static int darwin_pthread_rwlock_unlock(void *object)
{
    return errno_to(pthread_rwlock_unlock(rwlock(object)));
}

static int darwin_pthread_once(void *object, void (*function)(void))
{
    ready(object, ONCE_SIGNATURE);
    return errno_to(pthread_once(object, function));
}

/* ---- os_unfair_lock, OSSpinLock, OSAtomic ---- */

/* 0 free, 1 held, 2 held and waited for. */
static void darwin_os_unfair_lock_lock(_Atomic uint32_t *lock)
{
    uint32_t state = 0;
    if (atomic_compare_exchange_strong(lock, &state, 1)) {
        return;
    }
    while (atomic_exchange(lock, 2) != 0) {
        syscall(SYS_futex, lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
    }
}

static bool darwin_os_unfair_lock_trylock(_Atomic uint32_t *lock)
{
    uint32_t state = 0;
    return atomic_compare_exchange_strong(lock, &state, 1);
}

static void darwin_os_unfair_lock_unlock(_Atomic uint32_t *lock)
{
    if (atomic_exchange(lock, 0) == 2) {
        syscall(SYS_futex, lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

/* What the locks of newer systems' libraries wait with: UL_COMPARE_AND_WAIT, microseconds or nanoseconds, 0 for ever. */
static int wait_for_change(void *address, uint64_t value, uint64_t nanoseconds)
{
    struct timespec wait = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    long result = syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, (uint32_t)value, nanoseconds ? &wait : NULL, NULL, 0);
    return result && errno == EAGAIN ? 0 : (int)result;
}

static int darwin___ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t microseconds)
{
    (void)operation;
    return wait_for_change(address, value, (uint64_t)microseconds * 1000);
}

static int darwin___ulock_wait2(uint32_t operation, void *address, uint64_t value, uint64_t nanoseconds, uint64_t second)
{
    (void)operation;
    (void)second;
    return wait_for_change(address, value, nanoseconds);
}

static int darwin___ulock_wake(uint32_t operation, void *address, uint64_t value)
{
    (void)value;
    bool all = operation & 0x100; /* ULF_WAKE_ALL */
    return syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, all ? INT_MAX : 1, NULL, NULL, 0) > 0 ? 0 : refuse(ENOENT);
}

static bool darwin_OSAtomicCompareAndSwapPtr(void *old, void *new, void *_Atomic *target)
{
    return atomic_compare_exchange_strong(target, &old, new);
}

static bool darwin_OSAtomicCompareAndSwap32(int32_t old, int32_t new, _Atomic int32_t *target)
{
    return atomic_compare_exchange_strong(target, &old, new);
}

static bool darwin_OSAtomicCompareAndSwap64(int64_t old, int64_t new, _Atomic int64_t *target)
{
    return atomic_compare_exchange_strong(target, &old, new);
}

static int32_t darwin_OSAtomicAdd32(int32_t amount, _Atomic int32_t *target)
{
    return atomic_fetch_add(target, amount) + amount;
}

static int64_t darwin_OSAtomicAdd64(int64_t amount, _Atomic int64_t *target)
{
    return atomic_fetch_add(target, amount) + amount;
}

static void darwin_OSMemoryBarrier(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

static const struct symbol locks_symbols[] = {
    SHIM(pthread_mutex_init),
    SHIM(pthread_mutex_destroy),
    SHIM(pthread_mutex_lock),
    SHIM(pthread_mutex_trylock),
    SHIM(pthread_mutex_unlock),
    SHIM(pthread_mutexattr_init),
    SHIM(pthread_mutexattr_destroy),
    SHIM(pthread_mutexattr_settype),
    SHIM(pthread_mutexattr_gettype),
    SHIM(pthread_mutexattr_setpshared),
    SHIM(pthread_cond_init),
    SHIM(pthread_cond_destroy),
    SHIM(pthread_cond_signal),
    SHIM(pthread_cond_broadcast),
    SHIM(pthread_cond_wait),
    SHIM(pthread_cond_timedwait),
    SHIM(pthread_cond_timedwait_relative_np),
    SHIM(pthread_condattr_init),
    SHIM(pthread_condattr_destroy),
    SHIM(pthread_condattr_setpshared),
    SHIM(pthread_rwlock_init),
    SHIM(pthread_rwlock_destroy),
    SHIM(pthread_rwlock_rdlock),
    SHIM(pthread_rwlock_wrlock),
    SHIM(pthread_rwlock_tryrdlock),
    SHIM(pthread_rwlock_trywrlock),
    SHIM(pthread_rwlock_unlock),
    SHIM(pthread_once),
    SHIM(os_unfair_lock_lock),
    SHIM(os_unfair_lock_trylock),
    SHIM(os_unfair_lock_unlock),
    SHIM_AS("_OSSpinLockLock", os_unfair_lock_lock),
    SHIM_AS("_OSSpinLockTry", os_unfair_lock_trylock),
    SHIM_AS("_OSSpinLockUnlock", os_unfair_lock_unlock),
    SHIM(__ulock_wait),
    SHIM(__ulock_wait2),
    SHIM(__ulock_wake),
    SHIM(OSAtomicCompareAndSwapPtr),
    SHIM_AS("_OSAtomicCompareAndSwapPtrBarrier", OSAtomicCompareAndSwapPtr),
    SHIM(OSAtomicCompareAndSwap32),
    SHIM_AS("_OSAtomicCompareAndSwap32Barrier", OSAtomicCompareAndSwap32),
    SHIM_AS("_OSAtomicCompareAndSwapInt", OSAtomicCompareAndSwap32),
    SHIM_AS("_OSAtomicCompareAndSwapIntBarrier", OSAtomicCompareAndSwap32),
    SHIM(OSAtomicCompareAndSwap64),
    SHIM_AS("_OSAtomicCompareAndSwap64Barrier", OSAtomicCompareAndSwap64),
    SHIM_AS("_OSAtomicCompareAndSwapLong", OSAtomicCompareAndSwap64),
    SHIM_AS("_OSAtomicCompareAndSwapLongBarrier", OSAtomicCompareAndSwap64),
    SHIM(OSAtomicAdd32),
    SHIM_AS("_OSAtomicAdd32Barrier", OSAtomicAdd32),
    SHIM(OSAtomicAdd64),
    SHIM_AS("_OSAtomicAdd64Barrier", OSAtomicAdd64),
    SHIM(OSMemoryBarrier),
};

SYMBOL_TABLE(locks);
