/* probe: shows what the launcher's readers make of a file, for the unit tests. No Python, no zstd.
 *
 *   probe blob FILE            every module, node, library and setting, looked up as the launcher does
 *   probe paths FILE PATH…     where each path leads with FILE's blob mounted at /opt/bin/app
 *   probe words FILE WORD… -- NAME=VALUE…
 *                              what another program gets of them: files have the descriptors 100, 101 …
 *   probe needed FILE          the DT_NEEDED names of a shared library
 *   probe sha256 FILE
 *
 * Exit status 70 and one line on stderr: damaged.
 */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "handover.h"
#include "needed.h"
#include "sha256.h"
#include "state.h"
#include "vfs.h"

static void fail(const char *what)
{
    fprintf(stderr, "damaged: %s\n", what);
    exit(70);
}

/* The file in memory of exactly its size, so that a sanitizer sees each byte read behind it. */
static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *size = (size_t)ftell(file);
    rewind(file);
    void *data = aligned_alloc(64, (*size + 63) / 64 * 64);
    if (data == NULL || fread(data, 1, *size, file) != *size) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return data;
}

static struct ox_text text_of(struct ox_string string)
{
    struct ox_text text;
    if (!ox_blob_text(&ox.blob, string, &text)) {
        fail("string");
    }
    return text;
}

static unsigned check_of(const struct ox_payload *payload)
{
    const uint8_t *stored = ox_blob_stored(&ox.blob, payload);
    if (stored == NULL) {
        fail("payload");
    }
    return ox_blob_check_sum(stored, (size_t)payload->stored);
}

static void show_blob(void)
{
    uint32_t found;
    for (uint32_t i = 0; i < ox.blob.module_count; i++) {
        const struct ox_module *row = &ox.blob.modules[i];
        struct ox_text name = text_of(row->name);
        if (ox_blob_find_module(&ox.blob, name.data, name.size, &found) != OX_FOUND || found != i) {
            fail("module index");
        }
        printf("module %s %s %u %08x\n", name.data, text_of(row->path).data, row->flags, check_of(&row->code));
    }
    for (uint32_t i = 0; i < ox.blob.node_count; i++) {
        const struct ox_node *row = &ox.blob.nodes[i];
        struct ox_text path = text_of(row->path);
        struct ox_text name;
        uint32_t first;
        uint32_t count;
        if (ox_blob_find_node(&ox.blob, path.data, path.size, &found) != OX_FOUND || found != i
            || !ox_vfs_name(i, &name)) {
            fail("node index");
        }
        if (row->kind == OX_DIR) {
            if (!ox_blob_children(&ox.blob, i, &first, &count)) {
                fail("children");
            }
            printf("directory %s %u\n", path.data, count);
        } else {
            printf("file %s %s %llu %08x\n", path.data, name.data, (unsigned long long)row->data.size,
                check_of(&row->data));
        }
    }
    for (uint32_t i = 0; i < ox.blob.library_count; i++) {
        printf("library %s %u\n", text_of(ox.blob.libraries[i].soname).data, ox.blob.libraries[i].flags);
    }
    for (uint32_t i = 0; i < ox.blob.setting_count; i++) {
        const struct ox_setting *row = &ox.blob.settings[i];
        if (ox_blob_setting(&ox.blob, row->key, NULL) == NULL) {
            fail("setting");
        }
        printf("setting %u %lld %s\n", row->key, (long long)row->number, text_of(row->text).data);
    }
    const struct ox_payload *licences = ox_blob_licences(&ox.blob);
    if (licences != NULL) {
        printf("licences %llu %08x\n", (unsigned long long)licences->size, check_of(licences));
    }
}

static void show_path(const char *path)
{
    struct ox_lookup lookup;
    if (ox_vfs_outside(path)) {
        printf("elsewhere\n");
        return;
    }
    ox_vfs_lookup(path, &lookup);
    switch (lookup.place) {
    case OX_OUTSIDE:
        printf("outside %s\n", lookup.path);
        break;
    case OX_SELF:
        printf("self\n");
        break;
    case OX_MISSING:
        printf("missing %s\n", strerror(lookup.error));
        break;
    case OX_VIRTUAL: {
        struct ox_text text = text_of(ox.blob.nodes[lookup.node].path);
        struct ox_status status;
        ox_vfs_status(lookup.node, &status);
        printf("virtual '%s' %o %llu\n", text.data, status.mode, (unsigned long long)status.size);
        break;
    }
    }
}

static int open_node(uint32_t node)
{
    static int next = 100;
    return node == OX_NONE ? -1 : next++;
}

static bool name_node(struct ox_handover *handover, uint32_t node, char path[OX_HANDED_SIZE])
{
    return ox_handover_inherit(handover, node, path, open_node);
}

static void show_words(char **words)
{
    struct ox_handover handover = {.arguments = words, .environment = words};
    while (*handover.environment != NULL && strcmp(*handover.environment, "--") != 0) {
        handover.environment++;
    }
    if (*handover.environment != NULL) {
        words[handover.environment - handover.arguments] = NULL;
        handover.environment++;
    }
    ox_handover_measure(&handover);
    void *memory = malloc(handover.size);
    if (handover.size != 0 && !ox_handover_write(&handover, memory, name_node)) {
        fail("file");
    }
    for (char *const *word = handover.arguments; *word != NULL; word++) {
        printf("%s\n", *word);
    }
    printf("--\n");
    for (char *const *word = handover.environment; *word != NULL; word++) {
        printf("%s\n", *word);
    }
    free(memory);
}

static bool show_needed(const char *name, size_t length, void *context)
{
    (void)context;
    printf("%.*s\n", (int)length, name);
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        return 2;
    }
    size_t size;
    void *data = read_file(argv[2], &size);
    if (strcmp(argv[1], "needed") == 0) {
        if (!ox_elf_needed(data, size, show_needed, NULL)) {
            fail("library");
        }
        return 0;
    }
    if (strcmp(argv[1], "sha256") == 0) {
        struct ox_sha256 hash;
        uint8_t digest[32];
        ox_sha256_start(&hash);
        for (size_t at = 0, part = 1; at < size; at += part, part = part * 2 + 1) {
            ox_sha256_add(&hash, (uint8_t *)data + at, part < size - at ? part : size - at);
        }
        ox_sha256_finish(&hash, digest);
        for (int i = 0; i < 32; i++) {
            printf("%02x", digest[i]);
        }
        printf("\n");
        return 0;
    }
    const char *wrong = ox_blob_open(&ox.blob, data, size);
    if (wrong != NULL) {
        fail(wrong);
    }
    strcpy(ox.mount.path, "/opt/bin/app");
    ox.mount.size = strlen(ox.mount.path);
    if (strcmp(argv[1], "blob") == 0) {
        show_blob();
    }
    if (strcmp(argv[1], "words") == 0) {
        show_words(argv + 3);
        argc = 3;
    }
    for (int i = 3; i < argc; i++) {
        show_path(argv[i]);
    }
    free(data);
    return 0;
}
