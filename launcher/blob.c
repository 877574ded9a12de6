#include "blob.h"

#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the blob is little-endian and read in place");

#define OX_SECTION_ALIGN 64u

/* A table section: how many whole rows it holds. Row counts fit 32 bits, OX_NONE is no index. */
static bool rows(const struct ox_blob *blob, const struct ox_span *span, size_t row, const void **table, uint32_t *count)
{
    if (span->size % row != 0 || span->size / row >= OX_NONE) {
        return false;
    }
    *table = blob->base + span->offset;
    *count = (uint32_t)(span->size / row);
    return true;
}

/* Probing ends at an empty slot: a power of two of slots makes the mask, and a full table is never walked
 * twice (see find). */
static bool is_power_of_two(uint32_t count)
{
    return count != 0 && (count & (count - 1)) == 0;
}

const char *ox_blob_open(struct ox_blob *blob, const void *base, uint64_t size)
{
    memset(blob, 0, sizeof *blob);
    if (size < sizeof(struct ox_header)) {
        return "the blob is shorter than its header";
    }
    const struct ox_header *header = base;
    if (memcmp(header->magic, OX_MAGIC, OX_MAGIC_SIZE) != 0) {
        return "the blob's magic is wrong";
    }
    if (header->version != OX_VERSION || header->header_size != sizeof *header || header->flags != 0) {
        return "the blob has another format version";
    }
    if (header->size != size) {
        return "the blob's size is wrong";
    }
    blob->base = base;
    blob->size = size;
    const struct ox_span *spans = header->sections;
    for (unsigned i = 0; i < OX_SECTION_COUNT; i++) {
        if (spans[i].offset % OX_SECTION_ALIGN != 0 || spans[i].offset < sizeof *header || spans[i].offset > size
            || spans[i].size > size - spans[i].offset) {
            return "a section lies outside the blob";
        }
    }
    const void *table[6];
    uint32_t count[6];
    static const struct {
        enum ox_section section;
        size_t row;
    } tables[6] = {
        {OX_MODULES, sizeof(struct ox_module)},   {OX_MODULE_SLOTS, sizeof(struct ox_slot)},
        {OX_NODES, sizeof(struct ox_node)},       {OX_NODE_SLOTS, sizeof(struct ox_slot)},
        {OX_LIBRARIES, sizeof(struct ox_library)}, {OX_SETTINGS, sizeof(struct ox_setting)},
    };
    for (unsigned i = 0; i < 6; i++) {
        if (!rows(blob, &spans[tables[i].section], tables[i].row, &table[i], &count[i])) {
            return "a section's size is wrong";
        }
    }
    if (!is_power_of_two(count[1]) || !is_power_of_two(count[3])) {
        return "a hash index has a wrong size";
    }
    blob->strings = (const char *)blob->base + spans[OX_STRINGS].offset;
    blob->strings_size = spans[OX_STRINGS].size;
    blob->modules = table[0];
    blob->module_count = count[0];
    blob->module_slots = table[1];
    blob->module_slot_count = count[1];
    blob->nodes = table[2];
    blob->node_count = count[2];
    blob->node_slots = table[3];
    blob->node_slot_count = count[3];
    blob->libraries = table[4];
    blob->library_count = count[4];
    blob->settings = table[5];
    blob->setting_count = count[5];
    blob->dictionary = blob->base + spans[OX_DICTIONARY].offset;
    blob->dictionary_size = spans[OX_DICTIONARY].size;
    /* No frame tells of a wrong dictionary: it decodes to bytecode of the right size. */
    if (header->dictionary_check != 0
        && ox_blob_check_sum(blob->dictionary, (size_t)blob->dictionary_size) != header->dictionary_check) {
        return "the dictionary is damaged";
    }
    blob->payload = blob->base + spans[OX_PAYLOAD].offset;
    blob->payload_size = spans[OX_PAYLOAD].size;
    return NULL;
}

bool ox_blob_text(const struct ox_blob *blob, struct ox_string string, struct ox_text *text)
{
    uint64_t end = (uint64_t)string.offset + string.size;
    if (end >= blob->strings_size || blob->strings[end] != '\0') {
        return false;
    }
    text->data = blob->strings + string.offset;
    text->size = string.size;
    return true;
}

bool ox_blob_equal(const struct ox_blob *blob, struct ox_string string, const char *data, size_t size)
{
    struct ox_text text;
    return string.size == size && ox_blob_text(blob, string, &text) && memcmp(text.data, data, size) == 0;
}

uint64_t ox_hash(uint64_t value, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        value = (value ^ (uint8_t)data[i]) * 0x100000001b3u;
    }
    return value;
}

struct table {
    const struct ox_slot *slots;
    uint32_t slot_count;
    const uint8_t *rows; /* each starts with its struct ox_string */
    size_t row;
    uint32_t count;
};

static enum ox_found find(
    const struct ox_blob *blob, const struct table *table, const char *key, size_t size, uint32_t *index)
{
    uint64_t hashed = ox_hash(OX_HASH_START, key, size);
    uint32_t mask = table->slot_count - 1;
    uint32_t at = (uint32_t)hashed & mask;
    for (uint32_t probes = 0; probes <= mask; probes++, at = (at + 1) & mask) {
        struct ox_slot slot = table->slots[at];
        if (slot.index == OX_NONE) {
            return OX_ABSENT;
        }
        if (slot.tag != (uint32_t)(hashed >> 32)) {
            continue;
        }
        struct ox_string string;
        struct ox_text text;
        if (slot.index >= table->count) {
            return OX_DAMAGED;
        }
        memcpy(&string, table->rows + slot.index * table->row, sizeof string);
        if (!ox_blob_text(blob, string, &text)) {
            return OX_DAMAGED;
        }
        if (text.size == size && memcmp(text.data, key, size) == 0) {
            *index = slot.index;
            return OX_FOUND;
        }
    }
    return OX_DAMAGED; /* a table without an empty slot */
}

static_assert(offsetof(struct ox_module, name) == 0 && offsetof(struct ox_node, path) == 0, "see struct table");

enum ox_found ox_blob_find_module(const struct ox_blob *blob, const char *name, size_t size, uint32_t *index)
{
    const struct table table = {blob->module_slots, blob->module_slot_count, (const uint8_t *)blob->modules,
        sizeof(struct ox_module), blob->module_count};
    return find(blob, &table, name, size, index);
}

enum ox_found ox_blob_find_node(const struct ox_blob *blob, const char *path, size_t size, uint32_t *index)
{
    const struct table table = {blob->node_slots, blob->node_slot_count, (const uint8_t *)blob->nodes,
        sizeof(struct ox_node), blob->node_count};
    return find(blob, &table, path, size, index);
}

bool ox_blob_children(const struct ox_blob *blob, uint32_t node, uint32_t *first, uint32_t *count)
{
    if (node >= blob->node_count || blob->nodes[node].kind != OX_DIR) {
        return false;
    }
    const struct ox_node *row = &blob->nodes[node];
    *first = row->child_count == 0 ? 0 : row->first_child;
    *count = row->child_count;
    return *first <= blob->node_count && *count <= blob->node_count - *first;
}

uint32_t ox_blob_check_sum(const uint8_t *data, size_t size)
{
    /* 2^32 is 1 modulo 2^32 - 1: words may be added up, and carries added in at the end. Four sums keep the
     * compiler free to use vectors; each stays below 2^64 for any size that fits in memory. */
    uint64_t sums[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; size - i >= 16; i += 16) {
        uint32_t words[4];
        memcpy(words, data + i, sizeof words);
        for (unsigned k = 0; k < 4; k++) {
            sums[k] += words[k];
        }
    }
    uint64_t sum = 0;
    for (; i < size; i++) {
        sum += (uint64_t)data[i] << (8 * (i % 4));
    }
    for (unsigned k = 0; k < 4; k++) {
        sum += (sums[k] & 0xffffffffu) + (sums[k] >> 32);
    }
    while (sum >> 32 != 0) {
        sum = (sum & 0xffffffffu) + (sum >> 32);
    }
    return sum == 0 ? 0xffffffffu : (uint32_t)sum;
}

const uint8_t *ox_blob_stored(const struct ox_blob *blob, const struct ox_payload *payload)
{
    if (payload->offset > blob->payload_size || payload->stored > blob->payload_size - payload->offset) {
        return NULL;
    }
    if (payload->codec == OX_RAW && payload->stored != payload->size) {
        return NULL;
    }
    const uint8_t *data = blob->payload + payload->offset;
    if (payload->check != 0 && ox_blob_check_sum(data, (size_t)payload->stored) != payload->check) {
        return NULL;
    }
    return data;
}

const struct ox_setting *ox_blob_setting(const struct ox_blob *blob, uint32_t key, uint32_t *at)
{
    uint32_t start = 0;
    if (at == NULL) {
        at = &start;
    }
    while (*at < blob->setting_count) {
        const struct ox_setting *setting = &blob->settings[(*at)++];
        if (setting->key == key) {
            return setting;
        }
    }
    return NULL;
}

const struct ox_payload *ox_blob_licences(const struct ox_blob *blob)
{
    const struct ox_setting *setting = ox_blob_setting(blob, OX_KEY_LICENCES, NULL);
    struct ox_text path;
    uint32_t node;
    if (setting == NULL || !ox_blob_text(blob, setting->text, &path)
        || ox_blob_find_node(blob, path.data, path.size, &node) != OX_FOUND || blob->nodes[node].kind != OX_FILE) {
        return NULL;
    }
    return &blob->nodes[node].data;
}
