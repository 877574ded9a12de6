/* kqueue: descriptors, timers, processes, user events. */
#include <fcntl.h>
#include <string.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static const struct timespec no_wait;
static const struct timespec second = {1, 0};

static int change(int queue, uintptr_t ident, int filter, int flags, unsigned fflags, intptr_t data)
{
    struct kevent event;
    EV_SET(&event, ident, (int16_t)filter, (uint16_t)flags, fflags, data, (void *)0x55);
    return kevent(queue, &event, 1, NULL, 0, NULL);
}

static void descriptors(int queue)
{
    int pair[2];
    char byte;
    struct kevent events[8];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_READ, EV_ADD, 0, 0) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, &no_wait) == 0);
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_WRITE, EV_ADD, 0, 0) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, &second) == 1 && events[0].filter == EVFILT_WRITE);
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_WRITE, EV_DELETE, 0, 0) == 0);
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_WRITE, EV_DELETE, 0, 0) == -1 && errno == ENOENT);
    CHECK(write(pair[1], "abc", 3) == 3 && kevent(queue, NULL, 0, events, 8, &second) == 1);
    CHECK(events[0].ident == (uintptr_t)pair[0] && events[0].filter == EVFILT_READ && events[0].data == 3);
    CHECK(events[0].udata == (void *)0x55 && !(events[0].flags & EV_EOF));
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_READ, EV_DISABLE, 0, 0) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, &no_wait) == 0);
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_READ, EV_ENABLE | EV_ONESHOT | EV_ADD, 0, 0) == 0);
    close(pair[1]);
    CHECK(kevent(queue, NULL, 0, events, 8, &second) == 1 && events[0].flags & EV_EOF);
    CHECK(read(pair[0], &byte, 1) == 1 && kevent(queue, NULL, 0, events, 8, &no_wait) == 0);
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_READ, EV_ADD, 0, 0) == 0);
    close(pair[0]); /* takes its events with it */
    CHECK(kevent(queue, NULL, 0, events, 8, &no_wait) == 0);
    CHECK(change(queue, (uintptr_t)pair[0], EVFILT_READ, EV_ADD, 0, 0) == -1 && errno == EBADF);
    struct kevent wrong;
    EV_SET(&wrong, pair[0], EVFILT_READ, EV_ADD, 0, 0, 0);
    CHECK(kevent(queue, &wrong, 1, events, 8, NULL) == 1 && events[0].flags & EV_ERROR && events[0].data == EBADF);
}

static void others(int queue)
{
    struct kevent events[8];
    CHECK(change(queue, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_USECONDS, 2000) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, &second) == 1 && events[0].filter == EVFILT_TIMER && events[0].data == 1);
    CHECK(kevent(queue, NULL, 0, events, 8, &no_wait) == 0);
    CHECK(change(queue, 2, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, &no_wait) == 0);
    CHECK(change(queue, 2, EVFILT_USER, 0, NOTE_TRIGGER, 0) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, &second) == 1 && events[0].ident == 2);
    CHECK(kevent(queue, NULL, 0, events, 8, &no_wait) == 0);
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (!child) {
        char byte;
        struct kevent event;
        CHECK(kevent(queue, NULL, 0, &event, 1, &no_wait) == -1 && errno == EBADF); /* not inherited */
        close(fds[1]);
        CHECK(read(fds[0], &byte, 1) == 0);
        _exit(6);
    }
    CHECK(change(queue, (uintptr_t)child, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_EXITSTATUS, 0) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, &no_wait) == 0 && close(fds[1]) == 0);
    CHECK(kevent(queue, NULL, 0, events, 8, NULL) == 1 && events[0].ident == (uintptr_t)child);
    int status = (int)events[0].data;
    CHECK(events[0].fflags & NOTE_EXIT && WEXITSTATUS(status) == 6 && waitpid(child, NULL, 0) == child);
}

int main(void)
{
    int queue = kqueue();
    CHECK(queue >= 0);
    descriptors(queue);
    others(queue);
    CHECK(close(queue) == 0 && change(queue, 0, EVFILT_READ, EV_ADD, 0, 0) == -1 && errno == EBADF);
    puts("ok");
    return 0;
}
