/* select and poll: bits and sets lie the same way, some of poll's bits have other numbers. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>

#include "darwin.h"
#include "system.h"

static int darwin_select(int count, fd_set *reading, fd_set *writing, fd_set *failing, const struct darwin_timeval *timeout)
{
    struct timeval native;
    if (timeout) {
        native = timeval_from(timeout);
    }
    return select(count, reading, writing, failing, timeout ? &native : NULL);
}

static int darwin_pselect(int count, fd_set *reading, fd_set *writing, fd_set *failing, const struct timespec *timeout,
                          const uint32_t *mask)
{
    sigset_t native;
    if (mask) {
        signal_set_from(*mask, &native);
    }
    return pselect(count, reading, writing, failing, timeout, mask ? &native : NULL);
}

static const struct pair poll_events[] = {
    {0x1, POLLIN},      {0x2, POLLPRI},     {0x4, POLLOUT},      {0x8, POLLERR},      {0x10, POLLHUP},
    {0x20, POLLNVAL},   {0x40, POLLRDNORM}, {0x80, POLLRDBAND},  {0x100, POLLWRBAND},
};

static int darwin_poll(struct pollfd *fds, unsigned count, int timeout)
{
    struct pollfd *native = calloc(count ? count : 1, sizeof *native);
    if (!native) {
        return refuse(ENOMEM);
    }
    for (unsigned i = 0; i < count; i++) {
        native[i].fd = fds[i].fd;
        native[i].events = (short)bits_from(PAIRS(poll_events), (uint16_t)fds[i].events);
    }
    int result = poll(native, count, timeout);
    int saved = errno;
    for (unsigned i = 0; i < count; i++) {
        fds[i].revents = (short)bits_to(PAIRS(poll_events), (uint16_t)native[i].revents);
    }
    free(native);
    errno = saved;
    return result;
}

/* FD_SET's inline function asks whether a descriptor is in the range. */
static int darwin___darwin_check_fd_set_overflow(int fd, const void *set, int unlimited)
{
    (void)set;
    return unlimited || (fd >= 0 && fd < FD_SETSIZE);
}

static const struct symbol polling_symbols[] = {
    SHIM(select),
    SHIM(pselect),
    SHIM(poll),
    SHIM(__darwin_check_fd_set_overflow),
};

SYMBOL_TABLE(polling);
