#include "locate.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha256.h"
#include "state.h"

/* `link` finds this by its magic and fills it in. volatile: the zeros are not what it holds at run time. */
__attribute__((used)) static const volatile struct ox_locator locator = {
    .magic = OX_LOCATOR_MAGIC};

const char *ox_open_blob(const uint8_t *image, uint64_t file_size)
{
    uint64_t address = locator.address;
    if (address == 0) {
        return "there is no application in this launcher";
    }
    if (file_size < locator.file_end) {
        return "truncated: the file is shorter than it was made";
    }
    return ox_blob_open(&ox.blob, image + address, locator.size);
}

bool ox_intact(void)
{
    struct ox_sha256 hash;
    struct ox_header header;
    uint8_t digest[32];
    memcpy(&header, ox.blob.base, sizeof header);
    memset(header.sha256, 0, sizeof header.sha256);
    ox_sha256_start(&hash);
    ox_sha256_add(&hash, &header, sizeof header);
    ox_sha256_add(&hash, ox.blob.base + sizeof header, (size_t)(ox.blob.size - sizeof header));
    ox_sha256_finish(&hash, digest);
    return memcmp(digest, ox.blob.base + offsetof(struct ox_header, sha256), sizeof digest) == 0;
}

void ox_damaged(const char *what)
{
    fprintf(stderr, "oxcross: %s: damaged: %s\n", ox.mount.path, what);
    fflush(stderr);
    _Exit(70);
}
