/* Files that are handed over as descriptors. */
#include "handover.h"

#include <string.h>

/* The number of the node's descriptor; -1 with errno. */
static int descriptor_of(struct ox_handover *handover, uint32_t node, int (*open)(uint32_t node))
{
    for (size_t i = 0; i < handover->opened; i++) {
        if (handover->nodes[i] == node) {
            return handover->descriptors[i];
        }
    }
    int fd = open(node);
    if (fd >= 0) {
        handover->nodes[handover->opened] = node;
        handover->descriptors[handover->opened++] = fd;
    }
    return fd;
}

bool ox_handover_inherit(
    struct ox_handover *handover, uint32_t node, char path[OX_HANDED_SIZE], int (*open)(uint32_t node))
{
    char digits[10];
    size_t count = 0;
    int fd = descriptor_of(handover, node, open);
    if (fd < 0) {
        return false;
    }
    unsigned rest = (unsigned)fd;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    memcpy(path, OX_DESCRIPTOR_PATH, sizeof OX_DESCRIPTOR_PATH - 1);
    path += sizeof OX_DESCRIPTOR_PATH - 1;
    while (count > 0) {
        *path++ = digits[--count];
    }
    *path = '\0';
    return true;
}
