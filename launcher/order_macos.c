#include "order.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gather_macos.h"

bool ox_order_is_self(const struct ox_order *order)
{
    struct stat program;
    struct stat own;
    return stat(ox.mount.path, &own) == 0 && stat(order->path, &program) == 0 && program.st_dev == own.st_dev
        && program.st_ino == own.st_ino;
}

bool ox_order_can_run(const struct ox_order *order)
{
    return access(order->path, X_OK) == 0;
}

/* A file of the cache; of a program with the libraries that it needs. */
bool ox_order_name(struct ox_handover *words, uint32_t node, char path[OX_HANDED_SIZE])
{
    struct ox_cache cache;
    (void)words;
    if (!ox_gather(node, OX_TO_RUN, &cache)) {
        return false;
    }
    size_t size = strlen(cache.path) + 1;
    if (size > OX_HANDED_SIZE) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path, cache.path, size);
    return true;
}

bool ox_order_take_program(struct ox_order *order)
{
    order->path = order->link;
    return ox_order_name(&order->words, order->node, order->link);
}
