#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include "order.h"

#include <stdlib.h>
#include <unistd.h>

#include "bytes_posix.h"
#include "vfs_libc.h"

#define OX_LARGEST_STACK (1u << 20) /* bytes of the lists, which lie on the stack; the system's own limit is near */

#define OX_LARGEST_SCRIPT (1u << 16) /* bytes of a script that was made for Python to run */

/* Looks at the program, if it is a virtual one; errno when it cannot be run. */
static enum ox_answer examine_program(struct ox_order *order)
{
    struct ox_lookup *lookup = &order->lookup;
    const char *given = order->path;
    if (!ox_lookup(&order->path, lookup)) {
        return order->path == given ? OX_AS_IT_IS : OX_CHANGED; /* changed: out of the virtual tree by ".." */
    }
    if (lookup->place == OX_SELF) {
        order->words.size = 0;
        return OX_AS_IT_IS;
    }
    if (lookup->place == OX_MISSING) {
        errno = lookup->error;
        return OX_REFUSED;
    }
    const struct ox_node *row = &ox.blob.nodes[lookup->node];
    if (row->kind != OX_FILE || (row->flags & OX_EXECUTABLE) == 0) {
        errno = EACCES;
        return OX_REFUSED;
    }
    order->node = lookup->node;
    return OX_CHANGED;
}

/* Whether its first line is the one that installers put their environment's Python into: for that is this executable. */
static bool is_python_script(uint32_t node)
{
    static const char line[] = "#!python";
    struct ox_bytes bytes;
    if (ox.blob.nodes[node].data.size > OX_LARGEST_SCRIPT || !ox_bytes_open(node, &bytes, true)) {
        return false;
    }
    bool is = bytes.size >= sizeof line - 1 && memcmp(bytes.data, line, sizeof line - 1) == 0;
    ox_bytes_close(&bytes);
    return is;
}

size_t ox_order_memory(const struct ox_order *order)
{
    struct ox_text path;
    if (!order->script || !ox_vfs_path(order->node, &path)) {
        return order->words.size + 1;
    }
    return (order->words.argument_count + 3) * sizeof(char *) + ox.mount.size + path.size + 2;
}

enum ox_answer ox_order_examine(struct ox_order *order)
{
    order->node = OX_NONE;
    order->program = -1;
    order->script = false;
    ox_handover_measure(&order->words);
    int error = errno;
    const char *given = order->path;
    enum ox_answer answer = order->path == NULL ? OX_AS_IT_IS : examine_program(order);
    if (answer == OX_AS_IT_IS && order->words.size != 0 && ox_order_can_run(order) && !ox_order_is_self(order)) {
        answer = OX_CHANGED;
    }
    if (answer != OX_REFUSED) {
        errno = error;
    }
    if (answer == OX_CHANGED && order->node != OX_NONE) {
        order->script = is_python_script(order->node);
    }
    if (answer == OX_AS_IT_IS) {
        order->path = given;
    } else if (ox_order_memory(order) > OX_LARGEST_STACK) {
        errno = E2BIG;
        return OX_REFUSED;
    }
    return answer;
}

/* This executable, and as the kernel does for scripts: the script's path and its arguments. */
static bool prepare_script(struct ox_order *order, void *memory)
{
    struct ox_text path;
    char **arguments = memory;
    char *text = (char *)(arguments + order->words.argument_count + 3);
    size_t count = 0;
    if (!ox_vfs_path(order->node, &path)) {
        errno = EIO;
        return false;
    }
    arguments[count++] = ox.mount.path;
    arguments[count++] = text;
    for (size_t i = 1; i < order->words.argument_count; i++) {
        arguments[count++] = order->words.arguments[i];
    }
    arguments[count] = NULL;
    ox_vfs_write(path, text);
    order->words.arguments = arguments;
    order->path = ox.mount.path;
    return true;
}

bool ox_order_prepare(struct ox_order *order, void *memory)
{
    if (order->script) {
        return prepare_script(order, memory);
    }
    if (order->words.size != 0 && !ox_handover_write(&order->words, memory, ox_order_name)) {
        return false;
    }
    return order->node == OX_NONE || ox_order_take_program(order);
}

void ox_order_give_back(const struct ox_order *order)
{
    int error = errno;
    for (size_t i = 0; i < order->words.opened; i++) {
        close(order->words.descriptors[i]);
    }
    if (order->program >= 0) {
        close(order->program);
    }
    errno = error;
}

const char *ox_order_search(
    const char *file, char *const *arguments, char *const *environment, char found[OX_PATH_MAX])
{
    struct ox_handover words = {.arguments = arguments, .environment = environment};
    const char *folder = getenv("PATH");
    size_t name = strlen(file);
    ox_handover_measure(&words);
    bool ours = words.size != 0;
    if (folder == NULL || name == 0 || name >= OX_PATH_MAX) {
        return NULL;
    }
    for (;; folder++) {
        size_t size = strcspn(folder, ":");
        if (size != 0 && size < OX_PATH_MAX - 1 - name) {
            memcpy(found, folder, size);
            found[size] = '/';
            memcpy(found + size + 1, file, name + 1);
            struct ox_order order = {.path = found, .node = OX_NONE};
            if (examine_program(&order) == OX_CHANGED && order.node != OX_NONE) {
                return found;
            }
            if (ours && ox_vfs_outside(found) && ox_order_can_run(&order)) {
                return found;
            }
        }
        folder += size;
        if (*folder == '\0') {
            return NULL;
        }
    }
}
