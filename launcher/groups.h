/* groups.h: parts of the launcher that are stored compressed, until one of their functions is called.
 *
 * A group is a range of the image's addresses: code, constants, data, each on pages of its own. A compressed launcher
 * (oxcross/squeeze makes it) has nothing there at the start. All that the rest of the image refers to of a group are
 * functions, and what it refers to instead of each is a thunk, OX_THUNK bytes of code. A group's thunks lead to
 * ox_group_entry (groups_linux.c) at first, which unpacks the group and makes them lead to the functions.
 *
 * The table below lies in read-only memory, at ox_groups_at. All integers are little-endian and naturally aligned.
 */
#ifndef OX_GROUPS_H
#define OX_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OX_GROUPS_MAGIC "OXCROSS-GROUPS1\n" /* 16 bytes, no terminator */
#define OX_THUNK 8u                         /* bytes */
#define OX_GROUP_NAME 16u
#define OX_GROUPS_LIMIT (1u << 30)          /* bytes that any of the ranges may take */

/* The head, then struct ox_group[count], then the frames. Addresses are relative to the image's first byte, offsets to
 * the head's. */
struct ox_groups { /* 72 bytes */
    uint8_t magic[16];
    uint64_t size;         /* of the head, the groups and the frames, in bytes */
    uint64_t cold;         /* address of the groups' range; page-aligned */
    uint64_t cold_size;    /* whole pages */
    uint64_t thunks;       /* address; page-aligned; mapped alone */
    uint64_t imports;      /* address of the addresses of other libraries' functions and data */
    uint32_t thunk_count;
    uint32_t import_count;
    uint32_t count;
    uint32_t zero;
};

struct ox_group { /* 96 bytes */
    uint8_t name[OX_GROUP_NAME]; /* padded with NUL, which may be absent */
    uint64_t start;     /* address; page-aligned, as are the three sizes */
    uint64_t code;      /* bytes */
    uint64_t constants; /* bytes */
    uint64_t data;      /* bytes */
    uint64_t content_size;  /* decoded bytes; those behind are zero */
    uint64_t content;       /* offset of a zstd frame */
    uint64_t content_frame; /* its bytes */
    uint32_t index;         /* offset of a zstd frame: struct ox_group_index */
    uint32_t index_frame;   /* its bytes */
    uint32_t index_size;    /* decoded bytes */
    uint32_t first_thunk;
    uint32_t thunk_count;
    uint32_t flags;         /* enum ox_group_flag */
};

/* OX_AT_START: unpacked when the process starts, so anything of it may be referred to. OX_GONE: it has no frames, for
 * nothing can import the modules that lead to it (OX_KEY_LEFT_OUT). */
enum ox_group_flag { OX_AT_START = 1, OX_GONE = 2 };

/* The index is 32-bit words: how many there are of each kind,
 *   uint32_t pointers, imports;
 * the offset of each thunk's function from the group's start,
 *   uint32_t functions[thunk_count];
 * where the image's address is to be added to a 64-bit word (each offset less the one before),
 *   uint32_t pointer_steps[pointers];
 * and where an import's address goes, with what is added to it,
 *   struct { uint32_t offset, import; int64_t addend; } imported[imports]; */

/* Checks the table at `table`, of at most `size` bytes: NULL, or what is wrong with it. Everything but the frames' insides
 * is checked here once. `page` is the system's page size. */
const char *ox_groups_check(const void *table, uint64_t size, uint64_t page);

static inline const struct ox_group *ox_groups_rows(const struct ox_groups *groups)
{
    return (const struct ox_group *)(groups + 1);
}

/* The group that a thunk belongs to, or NULL. */
const struct ox_group *ox_group_of_thunk(const struct ox_groups *groups, uint32_t thunk);

/* Bytes of scratch memory that ox_group_unpack wants for a group. */
size_t ox_group_scratch(const struct ox_group *group);

/* Unpacks the group to `memory`, which is all zero and has code + constants + data bytes; `base` is the image's
 * address, `imports` its import_count addresses. `scratch` (aligned to 8) holds the functions' offsets afterwards, which
 * *functions points to. False when it is damaged. */
bool ox_group_unpack(const struct ox_groups *groups, const struct ox_group *group, uint8_t *memory, uint64_t base,
    const uint64_t *imports, void *scratch, const uint32_t **functions);

/* Checks the table that the image has, if it has one, and unpacks what is wanted at the start: libpython is not to be touched
 * before. NULL, or what is wrong. */
const char *ox_groups_start(void);

/* Whether every group unpacks. */
bool ox_groups_intact(void);

#endif
