/* Pipes cannot be looked into here: what was read is put into another pipe, which takes the first one's number and gets all
 * that comes through that. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory.h"

struct forwarding {
    int from, to;
};

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        data += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static void *forward(void *argument)
{
    struct forwarding forwarding = *(struct forwarding *)argument;
    char data[16384];
    ssize_t got;
    ox_free(argument);
    do {
        got = read(forwarding.from, data, sizeof data);
    } while ((got < 0 && errno == EINTR) || (got > 0 && write_all(forwarding.to, data, (size_t)got)));
    close(forwarding.to);
    close(forwarding.from);
    return NULL;
}

/* The thread takes no signals: SIGPIPE says what write says, and the others are the application's. */
static bool start(struct forwarding forwarding)
{
    struct forwarding *argument = ox_alloc(sizeof *argument);
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    if (argument == NULL) {
        return false;
    }
    *argument = forwarding;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, forward, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started) {
        pthread_detach(thread);
    } else {
        ox_free(argument);
    }
    return started;
}

static int duplicate(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Gives the number to a pipe that begins with the data. */
static bool put_back(int number, const char *data, size_t size)
{
    int ends[2];
    int flags = fcntl(number, F_GETFD);
    struct forwarding forwarding = {.from = duplicate(number)};
    if (forwarding.from < 0 || pipe(ends) != 0) {
        return false;
    }
    forwarding.to = ends[1];
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    /* It has room: a pipe takes PIPE_BUF bytes, 512, at least. */
    if (!write_all(ends[1], data, size) || dup2(ends[0], number) < 0) {
        return false;
    }
    fcntl(number, F_SETFD, flags);
    close(ends[0]);
    return start(forwarding);
}

size_t ox_worker_peek(int argc, char *const *argv, char *data, size_t size)
{
    unsigned long long number;
    ssize_t got = 0;
    if (!ox_worker_value(argc, argv, "pipe_handle", &number)) {
        return 0;
    }
    int pipe_end = (int)number;
    struct pollfd wait = {.fd = pipe_end, .events = POLLIN};
    if (poll(&wait, 1, -1) == 1) {
        do {
            got = read(pipe_end, data, size);
        } while (got < 0 && errno == EINTR);
    }
    if (got > 0 && !put_back(pipe_end, data, (size_t)got)) {
        abort(); /* what was read is lost: no descriptors, no thread */
    }
    return got > 0 ? (size_t)got : 0;
}
