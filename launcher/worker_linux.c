#define _GNU_SOURCE 1
#include "worker.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define PIPE "pipe_handle="
#define LOOKED_AT 512 /* bytes: the key comes second in what is sent, behind one truth value */

/* Copies what lies in a pipe and leaves it there. */
static size_t peek(int pipe_end, char *data, size_t size)
{
    int copy[2];
    struct pollfd wait = {.fd = pipe_end, .events = POLLIN};
    ssize_t got = 0;
    if (poll(&wait, 1, -1) == 1 && pipe2(copy, O_CLOEXEC) == 0) {
        if (tee(pipe_end, copy[1], size, 0) > 0) {
            got = read(copy[0], data, size);
        }
        close(copy[0]);
        close(copy[1]);
    }
    return got > 0 ? (size_t)got : 0;
}

const char *ox_worker_library(int argc, char *const *argv)
{
    static const char other[] = "multiprocess";
    static const char key[] = "multiprocess.process"; /* the module of the authentication key's class, pickled */
    char data[LOOKED_AT];
    uint32_t row;
    if (strcmp(argv[1], "--billiard-fork") == 0) {
        return "billiard";
    }
    if (ox_blob_find_module(&ox.blob, other, sizeof other - 1, &row) == OX_FOUND) {
        for (int i = 2; i < argc; i++) {
            if (strncmp(argv[i], PIPE, sizeof PIPE - 1) == 0) {
                size_t size = peek(atoi(argv[i] + sizeof PIPE - 1), data, sizeof data);
                return memmem(data, size, key, sizeof key - 1) != NULL ? other : "multiprocessing";
            }
        }
    }
    return "multiprocessing";
}
