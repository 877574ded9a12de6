#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_initStaticDCtx: nothing is allocated while a group is unpacked */
#include "groups.h"

#include <string.h>
#include <zstd.h>

#include <assert.h>

static_assert(sizeof(struct ox_groups) == 72 && sizeof(struct ox_group) == 96, "the format");

#define ALIGNED 8u

static bool within(uint64_t offset, uint64_t size, uint64_t end)
{
    return offset <= end && size <= end - offset;
}

static bool is_frame(const uint8_t *table, uint64_t size, uint64_t offset, uint64_t frame, uint64_t decoded)
{
    return within(offset, frame, size) && frame <= OX_GROUPS_LIMIT
        && ZSTD_getFrameContentSize(table + offset, (size_t)frame) == decoded;
}

static const char *check_group(const struct ox_groups *groups, const struct ox_group *group, uint64_t page)
{
    const uint8_t *table = (const uint8_t *)groups;
    if ((group->start | group->code | group->constants | group->data) % page != 0 || group->code > OX_GROUPS_LIMIT
        || group->constants > OX_GROUPS_LIMIT || group->data > OX_GROUPS_LIMIT) {
        return "a group has a wrong size";
    }
    uint64_t size = group->code + group->constants + group->data;
    if (group->start < groups->cold || !within(group->start - groups->cold, size, groups->cold_size)
        || group->content_size > size) {
        return "a group lies outside its range";
    }
    if (!within(group->first_thunk, group->thunk_count, groups->thunk_count)) {
        return "a group has thunks that are not there";
    }
    if (group->flags == OX_GONE) {
        return NULL;
    }
    if (!is_frame(table, groups->size, group->content, group->content_frame, group->content_size)
        || !is_frame(table, groups->size, group->index, group->index_frame, group->index_size)
        || group->index_size > OX_GROUPS_LIMIT) {
        return "a group's frame is not one";
    }
    return NULL;
}

const char *ox_groups_check(const void *table, uint64_t size, uint64_t page)
{
    const struct ox_groups *groups = table;
    if (size < sizeof *groups || memcmp(groups->magic, OX_GROUPS_MAGIC, sizeof groups->magic) != 0
        || groups->size > size || groups->size < sizeof *groups) {
        return "the table of its groups is not one";
    }
    if ((groups->cold | groups->cold_size | groups->thunks) % page != 0 || groups->cold_size > OX_GROUPS_LIMIT
        || groups->cold > OX_GROUPS_LIMIT || groups->thunks > OX_GROUPS_LIMIT || groups->imports > OX_GROUPS_LIMIT
        || groups->thunk_count > OX_GROUPS_LIMIT / OX_THUNK || groups->import_count > OX_GROUPS_LIMIT / 8
        || groups->count > (groups->size - sizeof *groups) / sizeof(struct ox_group)) {
        return "the table of its groups has a wrong size";
    }
    const char *wrong = NULL;
    for (uint32_t n = 0; n < groups->count && wrong == NULL; n++) {
        wrong = check_group(groups, &ox_groups_rows(groups)[n], page);
    }
    return wrong;
}

const struct ox_group *ox_group_of_thunk(const struct ox_groups *groups, uint32_t thunk)
{
    const struct ox_group *rows = ox_groups_rows(groups);
    for (uint32_t n = 0; n < groups->count; n++) {
        if (thunk >= rows[n].first_thunk && thunk - rows[n].first_thunk < rows[n].thunk_count) {
            return &rows[n];
        }
    }
    return NULL;
}

static size_t index_room(const struct ox_group *group)
{
    return ((size_t)group->index_size + ALIGNED - 1) / ALIGNED * ALIGNED;
}

size_t ox_group_scratch(const struct ox_group *group)
{
    return index_room(group) + ZSTD_estimateDCtxSize();
}

static bool decode(ZSTD_DCtx *decoder, void *out, size_t size, const uint8_t *frame, uint64_t frame_size)
{
    return ZSTD_decompressDCtx(decoder, out, size, frame, (size_t)frame_size) == size;
}

/* Adds the image's address where it belongs. */
static bool relocate(uint8_t *memory, uint64_t size, const uint32_t *steps, uint32_t count, uint64_t base)
{
    uint64_t at = 0;
    for (uint32_t n = 0; n < count; n++) {
        uint64_t word;
        at += steps[n];
        if (!within(at, sizeof word, size)) {
            return false;
        }
        memcpy(&word, memory + at, sizeof word);
        word += base;
        memcpy(memory + at, &word, sizeof word);
    }
    return true;
}

static bool import(uint8_t *memory, uint64_t size, const uint32_t *rows, uint32_t count, const struct ox_groups *groups,
    const uint64_t *imports)
{
    for (uint32_t n = 0; n < count; n++, rows += 4) {
        if (!within(rows[0], sizeof(uint64_t), size) || rows[1] >= groups->import_count) {
            return false;
        }
        uint64_t word = imports[rows[1]] + (rows[2] | (uint64_t)rows[3] << 32);
        memcpy(memory + rows[0], &word, sizeof word);
    }
    return true;
}

bool ox_group_unpack(const struct ox_groups *groups, const struct ox_group *group, uint8_t *memory, uint64_t base,
    const uint64_t *imports, void *scratch, const uint32_t **functions)
{
    const uint8_t *table = (const uint8_t *)groups;
    uint32_t *index = scratch;
    if (group->flags == OX_GONE) {
        return false;
    }
    ZSTD_DCtx *decoder = ZSTD_initStaticDCtx((uint8_t *)scratch + index_room(group), ZSTD_estimateDCtxSize());
    if (decoder == NULL || !decode(decoder, index, group->index_size, table + group->index, group->index_frame)
        || !decode(decoder, memory, (size_t)group->content_size, table + group->content, group->content_frame)) {
        return false;
    }
    uint64_t words = group->index_size / sizeof *index;
    if (words < 2 || words != 2 + (uint64_t)group->thunk_count + index[0] + 4 * (uint64_t)index[1]) {
        return false;
    }
    const uint32_t *found = index + 2;
    for (uint32_t n = 0; n < group->thunk_count; n++) {
        if (found[n] >= group->code) {
            return false;
        }
    }
    const uint32_t *steps = found + group->thunk_count;
    uint64_t size = group->code + group->constants + group->data;
    *functions = found;
    return relocate(memory, size, steps, index[0], base) && import(memory, size, steps + index[0], index[1], groups, imports);
}
