#include "handover.h"

#include <string.h>

#include "vfs.h"

#define OX_LINK "/proc/self/fd/"
#define OX_LINK_SIZE (sizeof OX_LINK + 10) /* with a descriptor's number and NUL */

/* Where in the word a path to hand over would start, or NULL. */
static const char *path_in(const char *word)
{
    const char *path = word;
    if (*path != '/' && *path != '@') {
        path = strchr(word, '=');
        if (path == NULL) {
            return NULL;
        }
        path++;
    }
    path += *path == '@';
    return *path == '/' ? path : NULL;
}

/* The virtual file that the word names, or OX_NONE; *path is where in it. */
static uint32_t file_in(const char *word, const char **path)
{
    struct ox_lookup lookup;
    *path = path_in(word);
    if (*path == NULL || ox_vfs_outside(*path)) {
        return OX_NONE;
    }
    ox_vfs_lookup(*path, &lookup);
    return lookup.place == OX_VIRTUAL && ox.blob.nodes[lookup.node].kind == OX_FILE ? lookup.node : OX_NONE;
}

static bool is_own_path(const char *word)
{
    struct ox_lookup lookup;
    if (ox_vfs_outside(word)) {
        return false;
    }
    ox_vfs_lookup(word, &lookup);
    return lookup.place == OX_SELF;
}

static size_t length_of(char *const *list)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL) {
        count++;
    }
    return count;
}

/* Adds up what the words from..to need. */
static void measure(struct ox_handover *handover, char *const *list, size_t from, size_t to)
{
    const char *path;
    for (size_t i = from; i < to; i++) {
        if (file_in(list[i], &path) != OX_NONE) {
            handover->count++;
            handover->size += (size_t)(path - list[i]) + OX_LINK_SIZE;
        }
    }
}

void ox_handover_measure(struct ox_handover *handover)
{
    handover->argument_count = length_of(handover->arguments);
    handover->environment_count = length_of(handover->environment);
    handover->count = handover->opened = handover->size = 0;
    /* The first word is the program's name: a name only. */
    for (handover->own = 1; handover->own < handover->argument_count; handover->own++) {
        if (is_own_path(handover->arguments[handover->own])) {
            break;
        }
    }
    measure(handover, handover->arguments, 1, handover->own < handover->argument_count ? handover->own
                                                                                         : handover->argument_count);
    if (handover->own >= handover->argument_count) {
        measure(handover, handover->environment, 0, handover->environment_count);
    }
    if (handover->count != 0) {
        handover->size += (handover->argument_count + handover->environment_count + 2) * sizeof(char *)
            + handover->count * (sizeof(uint32_t) + sizeof(int));
    }
}

/* The number of the node's descriptor among those open; -1 with errno. */
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

/* Writes the link's path and its NUL; returns what comes behind it. */
static char *write_link(char *text, int fd)
{
    char digits[10];
    size_t count = 0;
    unsigned rest = (unsigned)fd;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    memcpy(text, OX_LINK, sizeof OX_LINK - 1);
    text += sizeof OX_LINK - 1;
    while (count > 0) {
        *text++ = digits[--count];
    }
    *text++ = '\0';
    return text;
}

/* Copies a list; in its words from..to the paths of files are replaced. Returns the text's end, or NULL. */
static char *write_list(struct ox_handover *handover, char *const *list, size_t from, size_t to, char **out, char *text,
    int (*open)(uint32_t node))
{
    size_t i = 0;
    for (; list != NULL && list[i] != NULL; i++) {
        const char *path;
        uint32_t node = i >= from && i < to ? file_in(list[i], &path) : OX_NONE;
        out[i] = list[i];
        if (node != OX_NONE) {
            int fd = descriptor_of(handover, node, open);
            if (fd < 0) {
                return NULL;
            }
            out[i] = text;
            memcpy(text, list[i], (size_t)(path - list[i]));
            text = write_link(text + (path - list[i]), fd);
        }
    }
    out[i] = NULL;
    return text;
}

bool ox_handover_write(struct ox_handover *handover, void *memory, int (*open)(uint32_t node))
{
    char **arguments = memory;
    char **environment = arguments + handover->argument_count + 1;
    handover->nodes = (uint32_t *)(void *)(environment + handover->environment_count + 1);
    handover->descriptors = (int *)(void *)(handover->nodes + handover->count);
    char *text = (char *)(handover->descriptors + handover->count);
    bool own = handover->own < handover->argument_count;
    size_t end = own ? handover->own : handover->argument_count;
    text = write_list(handover, handover->arguments, 1, end, arguments, text, open);
    if (text == NULL
        || write_list(handover, handover->environment, 0, own ? 0 : handover->environment_count, environment, text, open)
            == NULL) {
        return false;
    }
    handover->arguments = arguments;
    handover->environment = environment;
    return true;
}
