#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include "order.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memfile_linux.h"

/* Also true where there is no /proc: then nothing can be handed over. */
bool ox_order_is_self(const struct ox_order *order)
{
    struct stat program;
    struct stat own;
    const char *path = order->path != NULL ? order->path : "";
    int at = order->path != NULL ? AT_FDCWD : order->fd;
    if (syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/exe", &own, 0) != 0) {
        return true;
    }
    return syscall(SYS_newfstatat, at, path, &program, AT_EMPTY_PATH) == 0 && program.st_dev == own.st_dev
        && program.st_ino == own.st_ino;
}

bool ox_order_can_run(const struct ox_order *order)
{
    return order->path == NULL || syscall(SYS_faccessat, AT_FDCWD, order->path, X_OK) == 0;
}

bool ox_order_name(struct ox_handover *words, uint32_t node, char path[OX_HANDED_SIZE])
{
    return ox_handover_inherit(words, node, path, ox_memfile_inherit);
}

bool ox_order_take_program(struct ox_order *order)
{
    order->program = ox_memfile_program(order->node, order->link);
    order->path = order->link;
    return order->program >= 0;
}
