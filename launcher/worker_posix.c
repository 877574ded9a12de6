#define _GNU_SOURCE 1
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "state.h"

#define PIPE "pipe_handle="
#define LOOKED_AT 512 /* bytes: the key comes second in what is sent, behind one truth value */

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
                size_t size = ox_worker_peek(atoi(argv[i] + sizeof PIPE - 1), data, sizeof data);
                return memmem(data, size, key, sizeof key - 1) != NULL ? other : "multiprocessing";
            }
        }
    }
    return "multiprocessing";
}
