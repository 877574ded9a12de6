/* Fuzzes the look-up of paths: any mount point, any working directory, any path, in a small blob. Texts: a folder to go to
 * first, the path. */
#include "input.h"

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void use(uint32_t node)
{
    struct ox_status status;
    struct ox_text text;
    struct ox_lookup again;
    char path[2 * OX_PATH_MAX];
    ox_vfs_status(node, &status);
    ox_vfs_name(node, &text);
    /* What was found is found by its own path, too. */
    require(ox_vfs_path(node, &text) && text.size < OX_PATH_MAX);
    memset(path, 0, sizeof path);
    memcpy(path, ox.mount.path, ox.mount.size);
    path[ox.mount.size] = '/';
    memcpy(path + ox.mount.size + 1, text.data, text.size);
    if (strstr(ox.mount.path, "//") == NULL && strstr(ox.mount.path, "/.") == NULL) {
        require(!ox_vfs_outside(path));
        ox_vfs_lookup(path, &again);
        require(again.place == OX_VIRTUAL && again.node == node);
    }
}

static void look(const char *path)
{
    struct ox_lookup lookup;
    bool outside = ox_vfs_outside(path);
    ox_vfs_lookup(path, &lookup);
    if (outside && strstr(path, "..") == NULL) {
        require(lookup.place == OX_OUTSIDE && lookup.path == path);
    }
    if (lookup.place == OX_VIRTUAL) {
        use(lookup.node);
    } else if (lookup.place == OX_OUTSIDE && lookup.path == lookup.buffer) {
        require(lookup.buffer[0] == '/' && memchr(lookup.buffer, '\0', OX_PATH_MAX) != NULL);
    } else if (lookup.place == OX_MISSING) {
        require(lookup.error != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input;
    struct ox_lookup lookup;
    if (take(data, size, &input)) {
        ox_vfs_lookup(input.texts[0], &lookup);
        if (lookup.place == OX_VIRTUAL && ox.blob.nodes[lookup.node].kind == OX_DIR) {
            ox_vfs_moved(lookup.node);
        }
        look(input.texts[1]);
        look(input.texts[1]); /* the working directory is known by now */
        ox_vfs_moved(OX_NONE);
        look(input.texts[1]);
    }
    give_back(&input);
    return 0;
}
