/* blob.h: reads the blob in place.
 *
 * Opening a blob looks at its header only. Everything else is checked where it is used, so that start-up does
 * not touch pages it does not need; nothing read from the blob is trusted before. All functions are pure and
 * safe in any thread.
 */
#ifndef OX_BLOB_H
#define OX_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resources.h"

struct ox_blob {
    const uint8_t *base;
    uint64_t size;
    const char *strings;
    uint64_t strings_size;
    const struct ox_module *modules;
    uint32_t module_count;
    uint32_t module_slot_count;
    const struct ox_slot *module_slots;
    const struct ox_node *nodes;
    uint32_t node_count;
    uint32_t node_slot_count;
    const struct ox_slot *node_slots;
    const struct ox_library *libraries;
    uint32_t library_count;
    const struct ox_setting *settings;
    uint32_t setting_count;
    const uint8_t *dictionary;
    uint64_t dictionary_size;
    const uint8_t *payload;
    uint64_t payload_size;
};

/* A string of the blob: NUL-terminated, `size` bytes without the NUL. */
struct ox_text {
    const char *data;
    size_t size;
};

enum ox_found { OX_FOUND, OX_ABSENT, OX_DAMAGED };

/* Checks the header at `base` (aligned to 64 bytes, `size` bytes readable) and fills in *blob.
 * Returns NULL, or what is wrong. */
const char *ox_blob_open(struct ox_blob *blob, const void *base, uint64_t size);

/* Both return false when the string lies outside its section. */
bool ox_blob_text(const struct ox_blob *blob, struct ox_string string, struct ox_text *text);
bool ox_blob_equal(const struct ox_blob *blob, struct ox_string string, const char *data, size_t size);

/* Look up a module by its dotted name, a node by its path from the mount point ("" is the root). */
enum ox_found ox_blob_find_module(const struct ox_blob *blob, const char *name, size_t size, uint32_t *index);
enum ox_found ox_blob_find_node(const struct ox_blob *blob, const char *path, size_t size, uint32_t *index);

/* The children of a directory: [*first, *first + *count). False when it is no directory or damaged. */
bool ox_blob_children(const struct ox_blob *blob, uint32_t node, uint32_t *first, uint32_t *count);

/* The stored bytes of a payload, inside the blob and with the right check sum; NULL when damaged. */
const uint8_t *ox_blob_stored(const struct ox_blob *blob, const struct ox_payload *payload);

/* FNV-1a, 64 bits (draft-eastlake-fnv). `value`: OX_HASH_START, or the hash of what comes before. */
#define OX_HASH_START 0xcbf29ce484222325u
uint64_t ox_hash(uint64_t value, const char *data, size_t size);

/* struct ox_payload.check of these bytes. */
uint32_t ox_blob_check_sum(const uint8_t *data, size_t size);

/* The first setting with this key, or NULL. `at` (optional, starts at 0) walks over repeated keys. */
const struct ox_setting *ox_blob_setting(const struct ox_blob *blob, uint32_t key, uint32_t *at);

/* The licence texts (OX_KEY_LICENCES), or NULL when there are none, or what says where they are is damaged. */
const struct ox_payload *ox_blob_licences(const struct ox_blob *blob);

#endif
