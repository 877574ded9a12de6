#include "worker.h"

#include <stddef.h>
#include <string.h>

bool ox_is_worker_line(int argc, char *const *argv)
{
    if (argc < 3 || (strcmp(argv[1], "--multiprocessing-fork") != 0 && strcmp(argv[1], "--billiard-fork") != 0)) {
        return false;
    }
    for (int i = 2; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (value == NULL || value == argv[i]) {
            return false;
        }
        value++;
        bool number = value[0] != '\0' && value[strspn(value, "0123456789")] == '\0';
        if (!number && strcmp(value, "None") != 0) {
            return false;
        }
    }
    return true;
}
