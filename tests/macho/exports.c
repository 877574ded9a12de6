/* Names that an image exports: by its trie, or by its symbol table when it has none. */
#include <string.h>

#include "image.h"
#include "leb128.h"

/* The bytes of a name's terminal node; start NULL when there is none. */
static struct bytes find_terminal(struct bytes trie, const char *name)
{
    const struct bytes none = {0};
    const uint8_t *end = trie.start + trie.size;
    const uint8_t *node = trie.start;
    /* Each step goes down by at least one letter of the name: this ends. */
    for (;;) {
        uint64_t terminal;
        const uint8_t *at = node;
        if (!uleb128(&at, end, &terminal) || terminal > (uint64_t)(end - at)) {
            return none;
        }
        if (!*name) {
            return terminal ? (struct bytes){at, terminal} : none;
        }
        at += terminal;
        if (at >= end) {
            return none;
        }
        unsigned children = *at++;
        const uint8_t *next = NULL;
        while (children-- && !next) {
            const uint8_t *stop = memchr(at, 0, (size_t)(end - at));
            if (!stop) {
                return none;
            }
            size_t length = (size_t)(stop - at);
            bool here = length && strncmp(name, (const char *)at, length) == 0;
            at = stop + 1;
            uint64_t offset;
            if (!uleb128(&at, end, &offset) || offset >= trie.size) {
                return none;
            }
            if (here) {
                next = trie.start + offset;
                name += length;
            }
        }
        if (!next) {
            return none;
        }
        node = next;
    }
}

static bool export_of_trie(const struct image *image, const char *name, uintptr_t *value)
{
    struct bytes terminal = find_terminal(image->exports, name);
    if (!terminal.start) {
        return false;
    }
    const uint8_t *at = terminal.start;
    const uint8_t *end = at + terminal.size;
    uint64_t flags;
    uint64_t number;
    if (!uleb128(&at, end, &flags) || !uleb128(&at, end, &number)) {
        return false;
    }
    if (flags & EXPORT_SYMBOL_FLAGS_REEXPORT) {
        if (at >= end || !memchr(at, 0, (size_t)(end - at)) || number < 1 || number > image->dependency_count) {
            return false;
        }
        return resolve_dependency(&image->dependencies[number - 1], *at ? (const char *)at : name, value);
    }
    if ((flags & EXPORT_SYMBOL_FLAGS_KIND_MASK) == EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE) {
        *value = number;
        return true;
    }
    if (number >= image->span) {
        return false;
    }
    *value = (uintptr_t)image->base + number;
    if (flags & EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER) {
        uint64_t resolver;
        if (!uleb128(&at, end, &resolver) || resolver >= image->span) {
            return false;
        }
        *value = ((uintptr_t(*)(void))((uintptr_t)image->base + resolver))();
    }
    return true;
}

static const char *symbol_name(const struct image *image, const struct nlist_64 *symbol)
{
    if (symbol->n_strx >= image->strings.size) {
        return NULL;
    }
    const char *name = (const char *)image->strings.start + symbol->n_strx;
    return memchr(name, 0, image->strings.size - symbol->n_strx) ? name : NULL;
}

static bool export_of_table(const struct image *image, const char *wanted, uintptr_t *value)
{
    const struct nlist_64 *symbols = (const struct nlist_64 *)image->symbols.start;
    for (size_t i = 0; i < image->symbols.size / sizeof *symbols; i++) {
        const struct nlist_64 *symbol = &symbols[i];
        if (symbol->n_type & (N_STAB | N_PEXT) || !(symbol->n_type & N_EXT)) {
            continue;
        }
        int type = symbol->n_type & N_TYPE;
        const char *name = symbol_name(image, symbol);
        if ((type == N_SECT || type == N_ABS) && name && strcmp(name, wanted) == 0) {
            *value = symbol->n_value + (type == N_SECT ? (uint64_t)image->slide : 0);
            return true;
        }
    }
    return false;
}

bool image_export(const struct image *image, const char *name, uintptr_t *value)
{
    if (image->exports.size ? export_of_trie(image, name, value)
                            : !image->chained.start && export_of_table(image, name, value)) {
        return true;
    }
    for (size_t i = 0; i < image->dependency_count; i++) {
        const struct dependency *dependency = &image->dependencies[i];
        if (dependency->reexported && resolve_dependency(dependency, name, value)) {
            return true;
        }
    }
    return false;
}

const char *image_symbol_at(const struct image *image, const void *address, const void **start)
{
    const struct nlist_64 *symbols = (const struct nlist_64 *)image->symbols.start;
    uint64_t wanted = (uint64_t)address - (uint64_t)image->slide;
    const struct segment *segment = image_segment_of(image, wanted);
    const struct nlist_64 *best = NULL;
    for (size_t i = 0; i < image->symbols.size / sizeof *symbols; i++) {
        const struct nlist_64 *symbol = &symbols[i];
        if (symbol->n_type & N_STAB || (symbol->n_type & N_TYPE) != N_SECT || symbol->n_value > wanted) {
            continue;
        }
        if (image_segment_of(image, symbol->n_value) == segment && (!best || symbol->n_value > best->n_value)) {
            best = symbol;
        }
    }
    if (!best) {
        return NULL;
    }
    *start = (const void *)(best->n_value + (uint64_t)image->slide);
    return symbol_name(image, best);
}
