#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_createDCtx_advanced: the decoder's memory comes from our seam */
#include "payload.h"

#include <string.h>
#include <zstd.h>

#include "memory.h"
#include "state.h"

static void *zstd_alloc(void *opaque, size_t size)
{
    (void)opaque;
    return ox_alloc(size);
}

static void zstd_free(void *opaque, void *memory)
{
    (void)opaque;
    ox_free(memory);
}

static const ZSTD_customMem memory = {zstd_alloc, zstd_free, NULL};

/* One decoder is kept for the next use. Whoever takes it owns it, so that no lock is held across a fork. */
static ZSTD_DCtx *take_decoder(void)
{
    ZSTD_DCtx *decoder = atomic_exchange(&ox.decoder, NULL);
    return decoder != NULL ? decoder : ZSTD_createDCtx_advanced(memory);
}

static void give_decoder(ZSTD_DCtx *decoder)
{
    ZSTD_freeDCtx(atomic_exchange(&ox.decoder, decoder));
}

/* The dictionary's tables are built once; of two threads that build them at once, one throws its own away. */
static const ZSTD_DDict *dictionary(const struct ox_blob *blob)
{
    void *known = atomic_load(&ox.dictionary);
    if (known != NULL || blob->dictionary_size == 0) {
        return known;
    }
    ZSTD_DDict *made = ZSTD_createDDict_advanced(
        blob->dictionary, (size_t)blob->dictionary_size, ZSTD_dlm_byRef, ZSTD_dct_auto, memory);
    if (made != NULL && !atomic_compare_exchange_strong(&ox.dictionary, &known, made)) {
        ZSTD_freeDDict(made);
        return known;
    }
    return made;
}

const uint8_t *ox_payload_open(const struct ox_blob *blob, const struct ox_payload *payload)
{
    const uint8_t *stored = ox_blob_stored(blob, payload);
    if (stored == NULL || payload->codec > OX_ZSTD_DICT || payload->size > PTRDIFF_MAX) {
        return NULL;
    }
    if (payload->codec != OX_RAW && ZSTD_getFrameContentSize(stored, (size_t)payload->stored) != payload->size) {
        return NULL;
    }
    return stored;
}

bool ox_payload_decode(
    const struct ox_blob *blob, const struct ox_payload *payload, const uint8_t *stored, void *out)
{
    size_t size = (size_t)payload->size;
    if (payload->codec == OX_RAW) {
        memcpy(out, stored, size);
        return true;
    }
    ZSTD_DCtx *decoder = take_decoder();
    if (decoder == NULL) {
        return false;
    }
    size_t decoded;
    if (payload->codec == OX_ZSTD_DICT) {
        decoded = ZSTD_decompress_usingDDict(
            decoder, out, size, stored, (size_t)payload->stored, dictionary(blob));
    } else {
        decoded = ZSTD_decompressDCtx(decoder, out, size, stored, (size_t)payload->stored);
    }
    give_decoder(decoder);
    return !ZSTD_isError(decoded) && decoded == size;
}

size_t ox_payload_workspace_size(void)
{
    return ZSTD_estimateDCtxSize();
}

bool ox_payload_decode_with(const struct ox_blob *blob, const struct ox_payload *payload, const uint8_t *stored, void *out,
    void *workspace)
{
    size_t size = (size_t)payload->size;
    if (payload->codec == OX_RAW) {
        memcpy(out, stored, size);
        return true;
    }
    ZSTD_DCtx *decoder = ZSTD_initStaticDCtx(workspace, ox_payload_workspace_size());
    if (decoder == NULL) {
        return false;
    }
    bool dictionary = payload->codec == OX_ZSTD_DICT;
    size_t decoded = ZSTD_decompress_usingDict(decoder, out, size, stored, (size_t)payload->stored,
        dictionary ? blob->dictionary : NULL, dictionary ? (size_t)blob->dictionary_size : 0);
    return !ZSTD_isError(decoded) && decoded == size;
}

void ox_payload_forget(void)
{
    ZSTD_freeDCtx(atomic_exchange(&ox.decoder, NULL));
    ZSTD_freeDDict(atomic_exchange(&ox.dictionary, NULL));
}
