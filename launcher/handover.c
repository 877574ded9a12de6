#include "handover.h"

#include <string.h>

#include "vfs.h"

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
            handover->size += (size_t)(path - list[i]) + OX_HANDED_SIZE;
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

/* Copies a list; in its words from..to the paths of files are replaced. Returns the text's end, or NULL. */
static char *write_list(struct ox_handover *handover, char *const *list, size_t from, size_t to, char **out, char *text,
    ox_handover_namer *name)
{
    size_t i = 0;
    for (; list != NULL && list[i] != NULL; i++) {
        const char *path;
        uint32_t node = i >= from && i < to ? file_in(list[i], &path) : OX_NONE;
        out[i] = list[i];
        if (node != OX_NONE) {
            out[i] = text;
            memcpy(text, list[i], (size_t)(path - list[i]));
            text += path - list[i];
            if (!name(handover, node, text)) {
                return NULL;
            }
            text += strlen(text) + 1;
        }
    }
    out[i] = NULL;
    return text;
}

bool ox_handover_write(struct ox_handover *handover, void *memory, ox_handover_namer *name)
{
    char **arguments = memory;
    char **environment = arguments + handover->argument_count + 1;
    handover->nodes = (uint32_t *)(void *)(environment + handover->environment_count + 1);
    handover->descriptors = (int *)(void *)(handover->nodes + handover->count);
    char *text = (char *)(handover->descriptors + handover->count);
    bool own = handover->own < handover->argument_count;
    size_t end = own ? handover->own : handover->argument_count;
    text = write_list(handover, handover->arguments, 1, end, arguments, text, name);
    if (text == NULL
        || write_list(handover, handover->environment, 0, own ? 0 : handover->environment_count, environment, text, name)
            == NULL) {
        return false;
    }
    handover->arguments = arguments;
    handover->environment = environment;
    return true;
}
