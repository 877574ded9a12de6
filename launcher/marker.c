#include "marker.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "platform.h"
#include "state.h"

#define VARIABLE "OXCROSS_PROCESS"
/* The fields in their order, in hexadecimal. */
#define FORMAT "%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64

/* The blob's own digest: the same for every copy of an executable, another for every other. */
static uint64_t own_identity(void)
{
    uint64_t identity;
    memcpy(&identity, ox.blob.base + offsetof(struct ox_header, sha256), sizeof identity);
    return identity;
}

uint64_t ox_digest(int count, char *const *words)
{
    uint64_t hash = OX_HASH_START;
    for (int i = 0; i < count; i++) {
        hash = ox_hash(hash, words[i], strlen(words[i]) + 1);
    }
    return hash;
}

bool ox_marker_read(struct ox_marker *marker)
{
    char *text = ox_variable(VARIABLE);
    struct ox_marker read;
    bool good = text != NULL
        && sscanf(text, FORMAT, &read.executable, &read.depth, &read.process, &read.command, &read.script,
               &read.arguments)
            == 6
        && read.executable == own_identity();
    ox_free(text);
    if (good) {
        *marker = read;
    }
    return good;
}

void ox_marker_write(struct ox_marker *marker)
{
    marker->executable = own_identity();
    marker->process = ox_process();
    char text[6 * 17];
    snprintf(text, sizeof text, FORMAT, marker->executable, marker->depth, marker->process, marker->command,
        marker->script, marker->arguments);
    ox_set_variable(VARIABLE, text);
}
