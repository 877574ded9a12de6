/* Threads: every kind of lock with its static initialiser, keys, thread-local variables, semaphores. */
#include <dispatch/dispatch.h>
#include <fcntl.h>
#include <os/lock.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

enum {
    THREADS = 8,
    ROUNDS = 2000,
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static os_unfair_lock unfair = OS_UNFAIR_LOCK_INIT;
static pthread_key_t key;
static int counter, unfair_counter, once_counter, waiting, go, destroyed;
static _Thread_local int own = 41;
static _Thread_local char zeros[256];

static void destroy(void *value)
{
    CHECK(own == 42 && *(int *)value == 5);
    __sync_fetch_and_add(&destroyed, 1);
}

static void run_once(void)
{
    once_counter++;
}

static void *work(void *argument)
{
    static int value = 5;
    uintptr_t self;
    __asm__("movq %%gs:0, %0" : "=r"(self));
    CHECK(self && own == 41 && zeros[255] == 0);
    own++;
    pthread_once(&once, run_once);
    CHECK(pthread_getspecific(key) == NULL && pthread_setspecific(key, &value) == 0);
    pthread_mutex_lock(&mutex);
    waiting++;
    pthread_cond_broadcast(&condition);
    while (!go) {
        CHECK(pthread_cond_wait(&condition, &mutex) == 0);
    }
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_mutex_lock(&recursive) == 0 && pthread_mutex_lock(&recursive) == 0);
        counter++;
        CHECK(pthread_mutex_unlock(&recursive) == 0 && pthread_mutex_unlock(&recursive) == 0);
        os_unfair_lock_lock(&unfair);
        unfair_counter++;
        os_unfair_lock_unlock(&unfair);
        CHECK(pthread_rwlock_rdlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
    }
    CHECK(own == 42);
    uint64_t id;
    CHECK(pthread_threadid_np(NULL, &id) == 0 && id && pthread_setname_np("a name that is long") == 0);
    return argument;
}

static void pool(void)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    CHECK(pthread_key_create(&key, destroy) == 0);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 1 << 20) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, 1000) == EINVAL);
    for (long i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], i % 2 ? &attributes : NULL, work, (void *)i) == 0);
    }
    pthread_mutex_lock(&mutex);
    while (waiting < THREADS) {
        CHECK(pthread_cond_wait(&condition, &mutex) == 0);
    }
    go = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    for (long i = 0; i < THREADS; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)i);
    }
    CHECK(counter == THREADS * ROUNDS && unfair_counter == counter && once_counter == 1 && destroyed == THREADS);
    CHECK(own == 41);
}

static void waits(void)
{
    struct timeval now;
    struct timespec wait = {0, 10000000};
    pthread_mutex_lock(&mutex);
    CHECK(pthread_cond_timedwait_relative_np(&condition, &mutex, &wait) == ETIMEDOUT); /* 60 */
    gettimeofday(&now, NULL);
    struct timespec until = {now.tv_sec, now.tv_usec * 1000};
    CHECK(pthread_cond_timedwait(&condition, &mutex, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
    CHECK(pthread_mutex_lock(&checked) == 0 && pthread_mutex_lock(&checked) == EDEADLK); /* 11 */
    CHECK(pthread_mutex_trylock(&mutex) == 0 && pthread_mutex_trylock(&mutex) == EBUSY);
    dispatch_semaphore_t semaphore = dispatch_semaphore_create(1);
    CHECK(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER) == 0);
    CHECK(dispatch_semaphore_wait(semaphore, dispatch_time(DISPATCH_TIME_NOW, 1000000)) != 0);
    CHECK(dispatch_semaphore_signal(semaphore) == 0 && dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW) == 0);
    dispatch_release(semaphore);
}

static void semaphores(void)
{
    char name[32];
    sem_t unnamed;
    snprintf(name, sizeof name, "/macho-test-%d", (int)getpid());
    sem_unlink(name);
    sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    CHECK(semaphore != SEM_FAILED && sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
    CHECK(sem_wait(semaphore) == 0 && sem_trywait(semaphore) == -1 && errno == EAGAIN);
    CHECK(sem_post(semaphore) == 0 && sem_close(semaphore) == 0 && sem_unlink(name) == 0);
    CHECK(sem_open("/a-name-of-more-than-thirty-one-bytes", O_CREAT, 0600, 1) == SEM_FAILED && errno == ENAMETOOLONG);
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    CHECK(sem_init(&unnamed, 0, 1) == -1 && errno == ENOSYS);
}

static void *stopped(void *argument)
{
    (void)argument;
    for (;;) {
        pthread_testcancel();
        usleep(1000);
    }
}

static void *leaves(void *argument)
{
    pthread_exit(argument);
}

int main(void)
{
    pool();
    waits();
    semaphores();
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, NULL, leaves, &thread) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == &thread);
    CHECK(pthread_create(&thread, NULL, stopped, NULL) == 0 && pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(pthread_main_np() && pthread_get_stacksize_np(pthread_self()) >= 512 * 1024);
    CHECK((char *)pthread_get_stackaddr_np(pthread_self()) > (char *)&thread);
    puts("ok");
    return 0;
}
