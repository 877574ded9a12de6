#include "licences.h"

#include <stdio.h>

#include "locate.h"
#include "memory.h"
#include "payload.h"
#include "platform.h"
#include "state.h"

int ox_licences_print(void)
{
    const struct ox_payload *texts = ox_blob_licences(&ox.blob);
    const uint8_t *stored = texts == NULL ? NULL : ox_payload_open(&ox.blob, texts);
    if (stored == NULL) {
        ox_damaged("the texts of its licences");
    }
    size_t size = (size_t)texts->size;
    void *decoded = ox_alloc(size);
    if (decoded == NULL || !ox_payload_decode(&ox.blob, texts, stored, decoded)) {
        ox_damaged("the texts of its licences");
    }
    bool printed = ox_print(decoded, size);
    ox_free(decoded);
    if (!printed) {
        fprintf(stderr, "oxcross: %s: the licences cannot be written to standard output\n", ox.mount.path);
    }
    return printed ? 0 : 74; /* EX_IOERR */
}
