/* Fuzzes the blob reader: opens any bytes as a blob and uses all that it says. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "payload.h"
#include "state.h"
#include "vfs.h"

#define LARGEST (1u << 20) /* bytes decoded at most: a frame may honestly promise terabytes */

static void decode(const struct ox_payload *payload)
{
    /* Without its check sum, else no changed frame would ever reach the decoder. */
    struct ox_payload unchecked = *payload;
    ox_payload_open(&ox.blob, payload);
    unchecked.check = 0;
    const uint8_t *stored = ox_payload_open(&ox.blob, &unchecked);
    if (stored == NULL || unchecked.size > LARGEST) {
        return;
    }
    void *out = ox_alloc((size_t)unchecked.size);
    if (out != NULL) {
        ox_payload_decode(&ox.blob, &unchecked, stored, out);
    }
    ox_free(out);
}

static void use(const uint8_t *data, size_t size)
{
    struct ox_text text;
    uint32_t first;
    uint32_t count;
    uint32_t found;
    for (uint32_t i = 0; i < ox.blob.module_count; i++) {
        const struct ox_module *row = &ox.blob.modules[i];
        if (ox_blob_text(&ox.blob, row->name, &text)) {
            ox_blob_find_module(&ox.blob, text.data, text.size, &found);
        }
        ox_blob_text(&ox.blob, row->path, &text);
        decode(&row->code);
    }
    for (uint32_t i = 0; i < ox.blob.node_count; i++) {
        struct ox_status status;
        if (ox_vfs_path(i, &text)) {
            ox_blob_find_node(&ox.blob, text.data, text.size, &found);
        }
        ox_vfs_name(i, &text);
        ox_vfs_status(i, &status);
        if (ox_blob_children(&ox.blob, i, &first, &count)) {
            for (uint32_t k = first; k < first + count && k < first + 64; k++) {
                ox_vfs_name(k, &text);
            }
        }
        decode(&ox.blob.nodes[i].data);
    }
    for (uint32_t i = 0; i < ox.blob.library_count; i++) {
        ox_blob_equal(&ox.blob, ox.blob.libraries[i].soname, "libx.so.1", 9);
    }
    for (uint32_t i = 0; i < ox.blob.setting_count; i++) {
        ox_blob_text(&ox.blob, ox.blob.settings[i].text, &text);
        ox_blob_setting(&ox.blob, ox.blob.settings[i].key, NULL);
    }
    const struct ox_payload *licences = ox_blob_licences(&ox.blob);
    if (licences != NULL) {
        decode(licences);
    }
    ox_blob_find_module(&ox.blob, (const char *)data, size < 40 ? size : 40, &found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = aligned_alloc(64, (size + 63) / 64 * 64);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data, size);
    if (size >= sizeof(struct ox_header)) {
        /* The size is checked first; let the fuzzer get past it. */
        ((struct ox_header *)(void *)copy)->size = size;
    }
    if (ox_blob_open(&ox.blob, copy, size) == NULL) {
        use(data, size);
        /* The digested dictionary is kept for the process, which has one blob. Here each input has its own. */
        ox_payload_forget();
    }
    free(copy);
    return 0;
}
