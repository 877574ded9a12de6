#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "state.h"

#define LOOKED_AT 512 /* bytes: the key comes second in what is sent, behind one truth value */

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

bool ox_worker_value(int argc, char *const *argv, const char *name, unsigned long long *value)
{
    size_t size = strlen(name);
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], name, size) == 0 && argv[i][size] == '=') {
            *value = strtoull(argv[i] + size + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

/* memmem, which Windows does not have. */
static bool contains(const char *data, size_t size, const char *text, size_t text_size)
{
    for (size_t i = 0; i + text_size <= size; i++) {
        if (memcmp(data + i, text, text_size) == 0) {
            return true;
        }
    }
    return false;
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
        size_t size = ox_worker_peek(argc, argv, data, sizeof data);
        return contains(data, size, key, sizeof key - 1) ? other : "multiprocessing";
    }
    return "multiprocessing";
}
