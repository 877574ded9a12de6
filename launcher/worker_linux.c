#define _GNU_SOURCE 1
#include "worker.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

size_t ox_worker_peek(int argc, char *const *argv, char *data, size_t size)
{
    unsigned long long number;
    int copy[2];
    ssize_t got = 0;
    if (!ox_worker_value(argc, argv, "pipe_handle", &number)) {
        return 0;
    }
    int pipe_end = (int)number;
    struct pollfd wait = {.fd = pipe_end, .events = POLLIN};
    if (poll(&wait, 1, -1) == 1 && pipe2(copy, O_CLOEXEC) == 0) {
        if (tee(pipe_end, copy[1], size, 0) > 0) {
            got = read(copy[0], data, size);
        }
        close(copy[0]);
        close(copy[1]);
    }
    return got > 0 ? (size_t)got : 0;
}
