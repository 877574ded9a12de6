#define _GNU_SOURCE 1
#include "bytes_posix.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "payload.h"
#include "state.h"

static void *pages(uint64_t size)
{
    void *memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool ox_bytes_decode(const struct ox_payload *payload, const uint8_t *stored, void *out, bool apart)
{
    if (!apart) {
        return ox_payload_decode(&ox.blob, payload, stored, out);
    }
    size_t size = ox_payload_workspace_size();
    void *workspace = pages(size);
    if (workspace == NULL) {
        return false;
    }
    bool decoded = ox_payload_decode_with(&ox.blob, payload, stored, out, workspace);
    munmap(workspace, size);
    return decoded;
}

bool ox_bytes_open(uint32_t node, struct ox_bytes *bytes, bool apart)
{
    const struct ox_payload *payload = &ox.blob.nodes[node].data;
    const uint8_t *stored = ox_payload_open(&ox.blob, payload);
    *bytes = (struct ox_bytes){.data = stored, .size = payload->size};
    if (stored == NULL) {
        errno = EIO;
        return false;
    }
    if (payload->codec == OX_RAW || payload->size == 0) {
        return true;
    }
    void *memory = pages(payload->size);
    if (memory == NULL) {
        return false;
    }
    bytes->data = memory;
    bytes->mapped = true;
    if (!ox_bytes_decode(payload, stored, memory, apart)) {
        ox_bytes_close(bytes);
        errno = EIO;
        return false;
    }
    return true;
}

void ox_bytes_close(struct ox_bytes *bytes)
{
    if (bytes->mapped) {
        munmap((void *)(uintptr_t)bytes->data, (size_t)bytes->size);
    }
    *bytes = (struct ox_bytes){0};
}

bool ox_bytes_write(int fd, const uint8_t *data, uint64_t size)
{
    const uint64_t most = 1u << 30; /* no system takes more at one go; macOS refuses 2 GB */
    for (uint64_t done = 0; done < size;) {
        uint64_t left = size - done;
        ssize_t written = pwrite(fd, data + done, (size_t)(left < most ? left : most), (off_t)done);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        done += written > 0 ? (uint64_t)written : 0;
    }
    return true;
}
