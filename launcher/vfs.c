#define _XOPEN_SOURCE 700 /* S_IFDIR */
#include "vfs.h"

#include <sys/stat.h>

void ox_vfs_status(uint32_t node, struct ox_status *status)
{
    const struct ox_node *row = &ox.blob.nodes[node];
    status->inode = (uint64_t)node + 1;
    if (row->kind == OX_DIR) {
        status->mode = S_IFDIR | 0755;
        status->size = 0;
        status->links = 2;
    } else {
        status->mode = S_IFREG | (row->flags & OX_EXECUTABLE ? 0755 : 0644);
        status->size = row->data.size;
        status->links = 1;
    }
}

bool ox_vfs_path(uint32_t node, struct ox_text *path)
{
    return node < ox.blob.node_count && ox_blob_text(&ox.blob, ox.blob.nodes[node].path, path);
}

bool ox_vfs_name(uint32_t node, struct ox_text *name)
{
    if (!ox_vfs_path(node, name)) {
        return false;
    }
    uint32_t start = ox.blob.nodes[node].name;
    if (start > name->size || memchr(name->data + start, '/', name->size - start) != NULL) {
        return false;
    }
    name->data += start;
    name->size -= start;
    return true;
}
