/* kqueue over epoll: the kqueue's descriptor is an epoll's; descriptors, timers, processes and user events are watched.
 *
 * A descriptor has one registration with epoll for its read and its write event. Signals and file-system events
 * (EVFILT_SIGNAL, EVFILT_VNODE) are refused with EINVAL. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

enum {
    EVFILT_READ = -1,
    EVFILT_WRITE = -2,
    EVFILT_PROC = -5,
    EVFILT_TIMER = -7,
    EVFILT_USER = -10,
    EV_ADD = 0x1,
    EV_DELETE = 0x2,
    EV_ENABLE = 0x4,
    EV_DISABLE = 0x8,
    EV_ONESHOT = 0x10,
    EV_CLEAR = 0x20,
    EV_RECEIPT = 0x40,
    EV_DISPATCH = 0x80,
    EV_ERROR = 0x4000,
    EV_EOF = 0x8000,
    NOTE_SECONDS = 0x1,
    NOTE_USECONDS = 0x2,
    NOTE_NSECONDS = 0x4,
    NOTE_ABSOLUTE = 0x8,
    NOTE_TRIGGER = 0x01000000,
    NOTE_EXITSTATUS = 0x04000000,
};
static const uint32_t NOTE_EXIT = 0x80000000;

struct darwin_kevent {
    uint64_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    int64_t data;
    void *udata;
};
_Static_assert(sizeof(struct darwin_kevent) == 32, "struct kevent");

struct note {
    struct note *next;
    struct darwin_kevent event;
    int helper; /* a timerfd, pidfd or eventfd; -1 for a descriptor's own events */
    bool disabled;
    bool always; /* epoll does not take it, as regular files: always ready */
};

struct queue {
    struct queue *next;
    int epoll;
    struct note *notes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct queue *queues;

static int watched(const struct note *note)
{
    return note->helper >= 0 ? note->helper : (int)note->event.ident;
}

static struct queue *find_queue(int fd)
{
    struct queue *queue = queues;
    while (queue && queue->epoll != fd) {
        queue = queue->next;
    }
    return queue;
}

static struct note *find_note(const struct queue *queue, uint64_t ident, int filter)
{
    struct note *note = queue->notes;
    while (note && !(note->event.ident == ident && note->event.filter == filter)) {
        note = note->next;
    }
    return note;
}

/* What epoll is asked for a descriptor, out of all the notes on it. */
static uint32_t wanted_events(const struct queue *queue, int fd)
{
    uint32_t events = 0;
    bool level = false;
    for (const struct note *note = queue->notes; note; note = note->next) {
        if (watched(note) != fd || note->disabled) {
            continue;
        }
        events |= note->event.filter == EVFILT_WRITE ? EPOLLOUT : EPOLLIN | EPOLLRDHUP;
        level = level || !(note->event.flags & EV_CLEAR);
    }
    return events && !level ? events | EPOLLET : events;
}

/* Bring epoll's registration in line; 0, or an errno. */
static int update(const struct queue *queue, int fd)
{
    struct epoll_event event = {.events = wanted_events(queue, fd), .data.fd = fd};
    if (!event.events) {
        epoll_ctl(queue->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (epoll_ctl(queue->epoll, EPOLL_CTL_MOD, fd, &event) == 0) {
        return 0;
    }
    return epoll_ctl(queue->epoll, EPOLL_CTL_ADD, fd, &event) ? errno : 0;
}

static void remove_note(struct queue *queue, struct note *note)
{
    struct note **at = &queue->notes;
    while (*at != note) {
        at = &(*at)->next;
    }
    *at = note->next;
    int fd = watched(note);
    if (!note->always) {
        update(queue, fd);
    }
    if (note->helper >= 0) {
        close(note->helper);
    }
    free(note);
}

static void free_queue(struct queue *queue)
{
    while (queue->notes) {
        remove_note(queue, queue->notes);
    }
    struct queue **at = &queues;
    while (*at != queue) {
        at = &(*at)->next;
    }
    *at = queue->next;
    free(queue);
}

void kqueue_forget(int fd)
{
    int saved = errno;
    pthread_mutex_lock(&lock);
    struct queue *own = find_queue(fd);
    if (own) {
        free_queue(own);
    }
    for (struct queue *queue = queues; queue; queue = queue->next) {
        struct note *next;
        for (struct note *note = queue->notes; note; note = next) {
            next = note->next;
            if (note->helper < 0 && (int)note->event.ident == fd) {
                remove_note(queue, note);
            }
        }
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}

/* kqueues are not inherited by a fork's child. */
static void forget_in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    while (queues) {
        int fd = queues->epoll;
        struct queue *queue = queues;
        queues = queue->next;
        while (queue->notes) { /* not out of epoll: that is the parent's, too */
            struct note *note = queue->notes;
            queue->notes = note->next;
            if (note->helper >= 0) {
                close(note->helper);
            }
            free(note);
        }
        close(fd);
        free(queue);
    }
}

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void add_fork_handlers(void)
{
    pthread_atfork(before_fork, after_fork, forget_in_child);
}

static int darwin_kqueue(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, add_fork_handlers);
    struct queue *queue = calloc(1, sizeof *queue);
    if (!queue) {
        return refuse(ENOMEM);
    }
    queue->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (queue->epoll < 0) {
        free(queue);
        return -1;
    }
    pthread_mutex_lock(&lock);
    queue->next = queues;
    queues = queue;
    pthread_mutex_unlock(&lock);
    return queue->epoll;
}

static struct timespec to_timespec(int64_t nanoseconds)
{
    return (struct timespec){nanoseconds / 1000000000, nanoseconds % 1000000000};
}

static int timer(const struct darwin_kevent *change)
{
    int64_t unit = change->fflags & NOTE_SECONDS    ? 1000000000
                   : change->fflags & NOTE_USECONDS ? 1000
                   : change->fflags & NOTE_NSECONDS ? 1
                                                    : 1000000;
    bool absolute = change->fflags & NOTE_ABSOLUTE;
    int64_t nanoseconds = change->data * unit;
    struct itimerspec setting = {.it_value = to_timespec(nanoseconds > 0 ? nanoseconds : 1)};
    if (!absolute && !(change->flags & EV_ONESHOT)) {
        setting.it_interval = setting.it_value;
    }
    int fd = timerfd_create(absolute ? CLOCK_REALTIME : CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0) {
        timerfd_settime(fd, absolute ? TFD_TIMER_ABSTIME : 0, &setting, NULL);
    }
    return fd;
}

/* The descriptor that stands for an event that is not a descriptor's; -1 with errno. */
static int make_helper(const struct darwin_kevent *change)
{
    switch (change->filter) {
    case EVFILT_TIMER:
        return timer(change);
    case EVFILT_PROC:
        if (!(change->fflags & NOTE_EXIT)) {
            return refuse(EINVAL);
        }
        return (int)syscall(SYS_pidfd_open, (pid_t)change->ident, 0);
    case EVFILT_USER:
        return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    return refuse(EINVAL);
}

static int add_note(struct queue *queue, const struct darwin_kevent *change)
{
    bool own = change->filter == EVFILT_READ || change->filter == EVFILT_WRITE;
    struct note *note = find_note(queue, change->ident, change->filter);
    bool new = !note;
    if (!new && change->filter == EVFILT_TIMER) {
        remove_note(queue, note);
        new = true;
    }
    if (new) {
        int helper = own ? -1 : make_helper(change);
        if (!own && helper < 0) {
            return errno;
        }
        note = calloc(1, sizeof *note);
        if (!note) {
            return ENOMEM;
        }
        note->helper = helper;
        note->next = queue->notes;
        queue->notes = note;
    }
    note->event = *change;
    if (change->filter == EVFILT_TIMER) {
        note->event.flags |= EV_CLEAR;
    }
    note->disabled = change->flags & EV_DISABLE;
    int error = update(queue, watched(note));
    if (error == EPERM) { /* a regular file */
        note->always = true;
        error = 0;
    }
    if (error && new) {
        remove_note(queue, note);
    }
    return error;
}

/* One change; 0, or an errno of Linux's. */
static int change_note(struct queue *queue, const struct darwin_kevent *change)
{
    if (change->flags & EV_ADD) {
        int error = add_note(queue, change);
        if (error) {
            return error;
        }
    }
    struct note *note = find_note(queue, change->ident, change->filter);
    if (!note) {
        return ENOENT;
    }
    if (change->flags & EV_DELETE) {
        remove_note(queue, note);
        return 0;
    }
    if (change->flags & EV_DISABLE) {
        note->disabled = true;
    } else if (change->flags & EV_ENABLE) {
        note->disabled = false;
    }
    if (change->filter == EVFILT_USER && change->fflags & NOTE_TRIGGER) {
        uint64_t one = 1;
        if (write(note->helper, &one, sizeof one) < 0) {
            return errno;
        }
    }
    return note->always ? 0 : update(queue, watched(note));
}

static int64_t readable_bytes(int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;
    int bytes = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening) {
        return 1; /* macOS: how many connections wait */
    }
    return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 0;
}

static int64_t writable_bytes(int fd)
{
    int room = 0;
    int queued = 0;
    socklen_t size = sizeof room;
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &size)) {
        return 65536; /* a pipe's */
    }
    ioctl(fd, TIOCOUTQ, &queued);
    return room / 2 > queued ? room / 2 - queued : 1;
}

/* The status of a child that has ended, which stays to be waited for. */
static int64_t exit_status(pid_t process)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT)) {
        return 0;
    }
    return info.si_code == CLD_EXITED ? info.si_status << 8 : signal_to(info.si_status);
}

/* Whether a note has happened, by what epoll says of its descriptor; the event for the caller. */
static bool happened(struct note *note, uint32_t events, struct darwin_kevent *out)
{
    *out = note->event;
    out->flags = note->event.flags & (EV_CLEAR | EV_ONESHOT | EV_DISPATCH | EV_ADD);
    out->fflags = 0;
    uint64_t count = 0;
    int fd = (int)note->event.ident;
    switch (note->event.filter) {
    case EVFILT_READ:
        if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
            return false;
        }
        out->data = readable_bytes(fd);
        out->flags |= events & (EPOLLRDHUP | EPOLLHUP) ? EV_EOF : 0;
        return true;
    case EVFILT_WRITE:
        if (!(events & (EPOLLOUT | EPOLLHUP | EPOLLERR))) {
            return false;
        }
        out->data = writable_bytes(fd);
        out->flags |= events & (EPOLLHUP | EPOLLERR) ? EV_EOF : 0;
        return true;
    case EVFILT_PROC:
        out->fflags = NOTE_EXIT | (note->event.fflags & NOTE_EXITSTATUS);
        out->flags |= EV_EOF | EV_ONESHOT;
        out->data = note->event.fflags & NOTE_EXITSTATUS ? exit_status((pid_t)note->event.ident) : 0;
        return true;
    case EVFILT_TIMER:
        if (read(note->helper, &count, sizeof count) < 0) {
            return false;
        }
        out->data = (int64_t)count;
        return true;
    case EVFILT_USER:
        if (note->event.flags & EV_CLEAR && read(note->helper, &count, sizeof count) < 0) {
            return false;
        }
        return true;
    }
    return false;
}

static int collect(struct queue *queue, int fd, uint32_t events, struct darwin_kevent *out, int room)
{
    int count = 0;
    struct note *next;
    for (struct note *note = queue->notes; note && count < room; note = next) {
        next = note->next;
        if (watched(note) != fd || note->disabled || !happened(note, events, &out[count])) {
            continue;
        }
        count++;
        if (out[count - 1].flags & EV_ONESHOT) {
            remove_note(queue, note);
        } else if (note->event.flags & EV_DISPATCH) {
            note->disabled = true;
            update(queue, fd);
        }
    }
    return count;
}

static int collect_always(struct queue *queue, struct darwin_kevent *out, int room)
{
    int count = 0;
    struct note *next;
    for (struct note *note = queue->notes; note && count < room; note = next) {
        next = note->next;
        if (note->always && !note->disabled && happened(note, EPOLLIN | EPOLLOUT, &out[count])) {
            count++;
            if (note->event.flags & EV_ONESHOT) {
                remove_note(queue, note);
            }
        }
    }
    return count;
}

static int64_t now_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds, up, so as not to be early; -1 for ever. */
static int64_t milliseconds(const struct timespec *timeout)
{
    return timeout ? timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000 : -1;
}

static int apply_changes(struct queue *queue, const struct darwin_kevent *changes, int change_count,
                         struct darwin_kevent *out, int room)
{
    int count = 0;
    for (int i = 0; i < change_count; i++) {
        int error = change_note(queue, &changes[i]);
        if (!error && !(changes[i].flags & EV_RECEIPT)) {
            continue;
        }
        if (count == room) {
            return error ? refuse(error) : count;
        }
        out[count] = changes[i];
        out[count].flags = EV_ERROR;
        out[count++].data = errno_to(error);
    }
    return count;
}

static int darwin_kevent(int fd, const struct darwin_kevent *changes, int change_count, struct darwin_kevent *out,
                         int room, const struct timespec *timeout)
{
    enum {
        AT_ONCE = 64,
    };
    struct epoll_event events[AT_ONCE];
    pthread_mutex_lock(&lock);
    struct queue *queue = find_queue(fd);
    int count = queue ? apply_changes(queue, changes, change_count, out, room) : refuse(EBADF);
    if (count == 0 && room > 0) {
        count = collect_always(queue, out, room);
    }
    pthread_mutex_unlock(&lock);
    if (count != 0 || room == 0) {
        return count;
    }
    int64_t wait = milliseconds(timeout);
    int64_t until = now_milliseconds() + wait;
    for (;;) {
        int64_t left = wait < 0 ? -1 : until - now_milliseconds();
        int64_t capped = left > INT32_MAX ? INT32_MAX : left < 0 && wait >= 0 ? 0 : left;
        int ready = epoll_wait(fd, events, room < AT_ONCE ? room : AT_ONCE, (int)capped);
        if (ready < 0) {
            return -1;
        }
        pthread_mutex_lock(&lock);
        queue = find_queue(fd);
        for (int i = 0; queue && i < ready && count < room; i++) {
            count += collect(queue, events[i].data.fd, events[i].events, out + count, room - count);
        }
        pthread_mutex_unlock(&lock);
        if (!queue) {
            return refuse(EBADF);
        }
        if (count || (wait >= 0 && now_milliseconds() >= until)) {
            return count;
        }
    }
}

static const struct symbol kqueue_symbols[] = {
    SHIM(kqueue),
    SHIM(kevent),
};

SYMBOL_TABLE(kqueue);
