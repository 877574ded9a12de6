/* payload.h: decodes payloads (raw, zstd, zstd with the blob's dictionary). Safe in any thread, takes no lock. */
#ifndef OX_PAYLOAD_H
#define OX_PAYLOAD_H

#include <stdbool.h>

#include "blob.h"

/* Whether the payload can be read: inside the blob, check sum right, and `size` is what the frame promises.
 * Returns the stored bytes, or NULL when damaged. After it, `size` bytes may be allocated in good faith. */
const uint8_t *ox_payload_open(const struct ox_blob *blob, const struct ox_payload *payload);

/* Decodes the payload's `size` bytes into `out`; `stored` is what ox_payload_open gave.
 * False when damaged, or when there is no memory for the decoder. */
bool ox_payload_decode(
    const struct ox_blob *blob, const struct ox_payload *payload, const uint8_t *stored, void *out);

/* The same with memory that is given, of ox_payload_workspace_size() bytes, aligned to 8: allocates nothing. */
bool ox_payload_decode_with(const struct ox_blob *blob, const struct ox_payload *payload, const uint8_t *stored, void *out,
    void *workspace);
size_t ox_payload_workspace_size(void);

/* Gives back what is kept for later decoding. For tests: a process has one blob. */
void ox_payload_forget(void);

#endif
