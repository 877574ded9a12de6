/* Exceptions: libgcc's unwinder finds its way through Mach-O code.
 *
 * It knows DWARF's call frame information only, so that is written here for every function of an image: from the compact
 * unwind information (__TEXT,__unwind_info; <mach-o/compact_unwind_encoding.h>), and from the image's own (__eh_frame)
 * where the compact form refers to it. Pointers are absolute. Nothing of this is done before the first exception. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "image.h"
#include "leb128.h"
#include "process.h"

extern void __register_frame(void *frames);

enum {
    MODE_MASK = 0x0f000000,
    MODE_RBP_FRAME = 0x01000000,
    MODE_STACK_IND = 0x03000000,
    MODE_DWARF = 0x04000000,
    HAS_LSDA = 0x40000000,
    PAGE_REGULAR = 2,
    PAGE_COMPRESSED = 3,
    DW_CFA_OFFSET = 0x80,
    DW_CFA_DEF_CFA = 0x0c,
    RBP = 6,
    RSP = 7,
    RETURN_ADDRESS = 16,
};

/* Call frame information as it grows. */
struct frames {
    uint8_t *bytes;
    size_t size, room;
};

static void put(struct frames *frames, const void *data, size_t size)
{
    if (frames->size + size > frames->room) {
        frames->room = (frames->size + size) * 2;
        frames->bytes = realloc(frames->bytes, frames->room);
        if (!frames->bytes) {
            abort();
        }
    }
    memcpy(frames->bytes + frames->size, data, size);
    frames->size += size;
}

static void put8(struct frames *frames, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    put(frames, &byte, 1);
}

static void put32(struct frames *frames, uint32_t value)
{
    put(frames, &value, sizeof value);
}

static void put64(struct frames *frames, uint64_t value)
{
    put(frames, &value, sizeof value);
}

static void put_uleb(struct frames *frames, uint64_t value)
{
    do {
        put8(frames, (value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
}

/* The record that began at start is whole: padded to eight bytes, with its length. */
static void finish(struct frames *frames, size_t start)
{
    while ((frames->size - start - 4) % 8 != 4) {
        put8(frames, 0); /* DW_CFA_nop */
    }
    uint32_t length = (uint32_t)(frames->size - start - 4);
    memcpy(frames->bytes + start, &length, sizeof length);
}

struct function {
    uint64_t start, end; /* in memory */
    uint64_t personality, lsda;
};

/* A CIE of its own for every function: simple, and only made when exceptions are. */
static size_t put_common(struct frames *frames, const struct function *function, const uint8_t *instructions, size_t size)
{
    size_t start = frames->size;
    put32(frames, 0);
    put32(frames, 0);
    put8(frames, 1);
    put(frames, function->personality ? "zPLR" : "zR", function->personality ? 5 : 3);
    put_uleb(frames, 1);
    put8(frames, 0x78); /* the factor of offsets: -8 */
    put_uleb(frames, RETURN_ADDRESS);
    put_uleb(frames, function->personality ? 11 : 1);
    if (function->personality) {
        put8(frames, 0);
        put64(frames, function->personality);
        put8(frames, 0);
    }
    put8(frames, 0);
    put(frames, instructions, size);
    finish(frames, start);
    return start;
}

static size_t put_function(struct frames *frames, size_t common, const struct function *function)
{
    size_t start = frames->size;
    put32(frames, 0);
    put32(frames, (uint32_t)(start + 4 - common));
    put64(frames, function->start);
    put64(frames, function->end - function->start);
    put_uleb(frames, function->personality ? 8 : 0);
    if (function->personality) {
        put64(frames, function->lsda);
    }
    return start;
}

/* ---- compact unwind information ---- */

/* Their numbers there, from 1 (0 is none), to DWARF's: rbx r12 r13 r14 r15 rbp. */
static const uint8_t dwarf_registers[] = {0, 3, 12, 13, 14, 15, RBP};

static void put_saved(struct frames *frames, unsigned number, uint64_t words_below)
{
    if (number > 0 && number < sizeof dwarf_registers) {
        put8(frames, DW_CFA_OFFSET | dwarf_registers[number]);
        put_uleb(frames, words_below);
    }
}

/* Which registers a frameless function saves: a permutation in ten bits, as <mach-o/compact_unwind_encoding.h> has it. */
static void decode_permutation(uint32_t permutation, unsigned count, uint8_t registers[6])
{
    static const uint32_t divisors[7][6] = {
        {0}, {1}, {5, 1}, {20, 4, 1}, {60, 12, 3, 1}, {120, 24, 6, 2, 1}, {120, 24, 6, 2, 1, 0},
    };
    uint32_t rank[6] = {0};
    for (unsigned i = 0; i < count; i++) {
        uint32_t divisor = divisors[count][i];
        rank[i] = divisor ? permutation / divisor : 0;
        permutation -= divisor * rank[i];
    }
    bool used[7] = {0};
    for (unsigned i = 0; i < count; i++) {
        uint32_t at = 0;
        for (uint8_t number = 1; number < 7; number++) {
            if (!used[number] && at++ == rank[i]) {
                registers[i] = number;
                used[number] = true;
                break;
            }
        }
    }
}

static void put_frameless(struct frames *frames, const struct function *function, uint32_t encoding)
{
    uint64_t size = (encoding >> 16 & 0xff) * 8;
    unsigned count = encoding >> 10 & 7;
    uint8_t registers[6] = {0};
    if ((encoding & MODE_MASK) == MODE_STACK_IND) { /* the size is in the instruction that subtracts it */
        uint32_t subtracted;
        memcpy(&subtracted, (const void *)(function->start + (encoding >> 16 & 0xff)), sizeof subtracted);
        size = subtracted + (encoding >> 13 & 7) * 8;
    }
    put8(frames, DW_CFA_DEF_CFA);
    put_uleb(frames, RSP);
    put_uleb(frames, size);
    if (count <= 6) {
        decode_permutation(encoding & 0x3ff, count, registers);
        for (unsigned i = 0; i < count; i++) {
            put_saved(frames, registers[i], 1 + count - i);
        }
    }
}

static void put_framed(struct frames *frames, uint32_t encoding)
{
    uint64_t offset = encoding >> 16 & 0xff;
    put8(frames, DW_CFA_DEF_CFA);
    put_uleb(frames, RBP);
    put_uleb(frames, 16);
    put_saved(frames, 6, 2);
    for (unsigned i = 0; i < 5; i++) {
        put_saved(frames, encoding >> (3 * i) & 7, 2 + offset - i);
    }
}

/* ---- the image's own call frame information ---- */

static bool encoded_pointer(const uint8_t **at, const uint8_t *end, uint8_t encoding, uint64_t *value)
{
    uint64_t base = (encoding & 0x70) == 0x10 ? (uint64_t)(uintptr_t)*at : 0;
    static const uint8_t sizes[] = {8, 0, 2, 4, 8, 0, 0, 0, 8, 0, 2, 4, 8, 0, 0, 0};
    size_t size = sizes[encoding & 0x0f];
    int64_t number = 0;
    if (encoding == 0xff) { /* omitted */
        *value = 0;
        return true;
    }
    if (!size || (size_t)(end - *at) < size) {
        return false;
    }
    memcpy(&number, *at, size);
    number = encoding & 8 && size == 4 ? (int32_t)number : encoding & 8 && size == 2 ? (int16_t)number : number;
    *at += size;
    *value = number ? base + (uint64_t)number : 0;
    if (encoding & 0x80 && *value) {
        *value = *(const uint64_t *)*value;
    }
    return true;
}

struct record {
    const uint8_t *start, *at, *end; /* its length, what follows that, its end */
};

static bool open_record(const uint8_t *at, const uint8_t *end, struct record *record)
{
    uint32_t length;
    if ((size_t)(end - at) < 8) {
        return false;
    }
    memcpy(&length, at, sizeof length);
    if (length == 0 || length > (size_t)(end - at) - 4) {
        return false;
    }
    *record = (struct record){at, at + 4, at + 4 + length};
    return true;
}

/* A function's record at an offset of __eh_frame, again with absolute pointers. */
static bool put_dwarf(struct frames *frames, struct bytes section, uint32_t offset, struct function *function)
{
    struct record own;
    struct record common;
    const uint8_t *end = section.start + section.size;
    uint32_t back;
    if (offset >= section.size || !open_record(section.start + offset, end, &own)) {
        return false;
    }
    memcpy(&back, own.at, sizeof back);
    if (back > (size_t)(own.at - section.start) || !open_record(own.at - back, end, &common)) {
        return false;
    }
    const uint8_t *at = common.at + 5; /* its zero, its version */
    const char *augmentation = (const char *)at;
    uint64_t number;
    uint64_t length = 0;
    int64_t factor;
    uint8_t pointers = 0;
    uint8_t lsda_pointers = 0xff;
    function->personality = function->lsda = 0;
    if (at >= common.end || !memchr(at, 0, (size_t)(common.end - at))) {
        return false;
    }
    at += strlen(augmentation) + 1;
    if (!uleb128(&at, common.end, &number) || !sleb128(&at, common.end, &factor) || factor != -8 ||
        !uleb128(&at, common.end, &number)) {
        return false;
    }
    if (*augmentation == 'z' && !uleb128(&at, common.end, &length)) {
        return false;
    }
    const uint8_t *instructions = at + length;
    for (const char *letter = augmentation + 1; *augmentation == 'z' && *letter && at < common.end; letter++) {
        uint8_t encoding = *letter == 'P' || *letter == 'L' || *letter == 'R' ? *at++ : 0;
        pointers = *letter == 'R' ? encoding : pointers;
        lsda_pointers = *letter == 'L' ? encoding : lsda_pointers;
        if (*letter == 'P' && !encoded_pointer(&at, common.end, encoding, &function->personality)) {
            return false;
        }
    }
    at = own.at + 4;
    if (instructions > common.end || !encoded_pointer(&at, own.end, pointers, &number) ||
        !encoded_pointer(&at, own.end, pointers & 0x0f, &length)) {
        return false;
    }
    function->start = number;
    function->end = number + length;
    length = 0;
    if (*augmentation == 'z' && (!uleb128(&at, own.end, &length) || length > (uint64_t)(own.end - at))) {
        return false;
    }
    const uint8_t *own_instructions = at + length;
    if (length && !encoded_pointer(&at, own.end, lsda_pointers, &function->lsda)) {
        return false;
    }
    size_t made = put_common(frames, function, instructions, (size_t)(common.end - instructions));
    size_t start = put_function(frames, made, function);
    put(frames, own_instructions, (size_t)(own.end - own_instructions));
    finish(frames, start);
    return true;
}

/* ---- an image ---- */

struct unwind_header {
    uint32_t version, encodings, encoding_count, personalities, personality_count, index, index_count;
};

struct index_row {
    uint32_t function, page, lsdas;
};

struct reader {
    const struct image *image;
    struct bytes compact, dwarf;
    struct unwind_header header;
    struct frames frames;
};

static bool word_at(const struct reader *reader, uint64_t offset, uint32_t *word)
{
    if (offset + sizeof *word > reader->compact.size) {
        return false;
    }
    memcpy(word, reader->compact.start + offset, sizeof *word);
    return true;
}

static uint64_t find_lsda(const struct reader *reader, const struct index_row rows[2], uint32_t function)
{
    for (uint64_t at = rows[0].lsdas; at < rows[1].lsdas; at += 8) {
        uint32_t start;
        uint32_t lsda;
        if (word_at(reader, at, &start) && start == function && word_at(reader, at + 4, &lsda)) {
            return (uint64_t)reader->image->base + lsda;
        }
    }
    return 0;
}

static void add_function(struct reader *reader, const struct index_row rows[2], uint32_t start, uint32_t end,
                         uint32_t encoding)
{
    static const uint8_t at_entry[] = {DW_CFA_DEF_CFA, RSP, 8, DW_CFA_OFFSET | RETURN_ADDRESS, 1};
    struct function function = {(uint64_t)reader->image->base + start, (uint64_t)reader->image->base + end, 0, 0};
    uint32_t mode = encoding & MODE_MASK;
    uint32_t personality = encoding >> 28 & 3;
    uint32_t slot;
    if (end <= start || end > reader->image->span || mode == 0 || mode > MODE_DWARF) {
        return;
    }
    if (mode == MODE_DWARF) {
        put_dwarf(&reader->frames, reader->dwarf, encoding & 0xffffff, &function);
        return;
    }
    if (personality && personality <= reader->header.personality_count &&
        word_at(reader, reader->header.personalities + (personality - 1) * 4, &slot) && slot + 8 <= reader->image->span) {
        function.personality = *(const uint64_t *)(reader->image->base + slot);
    }
    if (encoding & HAS_LSDA) {
        function.lsda = find_lsda(reader, rows, start);
    }
    size_t common = put_common(&reader->frames, &function, at_entry, sizeof at_entry);
    size_t record = put_function(&reader->frames, common, &function);
    if (mode == MODE_RBP_FRAME) {
        put_framed(&reader->frames, encoding);
    } else {
        put_frameless(&reader->frames, &function, encoding);
    }
    finish(&reader->frames, record);
}

/* The function of an entry of a page: where it starts, and its encoding. */
static bool page_entry(const struct reader *reader, const struct index_row *row, uint32_t kind, uint32_t entry,
                       uint32_t *start, uint32_t *encoding)
{
    uint32_t offsets;
    uint32_t encodings;
    uint32_t word;
    if (!word_at(reader, row->page + 4, &offsets)) {
        return false;
    }
    if (kind == PAGE_REGULAR) {
        uint64_t at = (uint64_t)row->page + (offsets & 0xffff) + (uint64_t)entry * 8;
        return word_at(reader, at, start) && word_at(reader, at + 4, encoding);
    }
    if (!word_at(reader, row->page + 8, &encodings) ||
        !word_at(reader, (uint64_t)row->page + (offsets & 0xffff) + (uint64_t)entry * 4, &word)) {
        return false;
    }
    *start = row->function + (word & 0xffffff);
    uint32_t index = word >> 24;
    uint32_t common = reader->header.encoding_count;
    return index < common ? word_at(reader, reader->header.encodings + (uint64_t)index * 4, encoding)
                          : word_at(reader, (uint64_t)row->page + (encodings & 0xffff) + (index - common) * 4ull, encoding);
}

static void add_page(struct reader *reader, const struct index_row rows[2])
{
    uint32_t kind;
    uint32_t offsets;
    if (!rows[0].page || !word_at(reader, rows[0].page, &kind) || !word_at(reader, rows[0].page + 4, &offsets) ||
        (kind != PAGE_REGULAR && kind != PAGE_COMPRESSED)) {
        return;
    }
    uint32_t count = offsets >> 16;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t start;
        uint32_t encoding;
        uint32_t end = rows[1].function;
        uint32_t ignored;
        if (!page_entry(reader, &rows[0], kind, i, &start, &encoding) ||
            (i + 1 < count && !page_entry(reader, &rows[0], kind, i + 1, &end, &ignored))) {
            return;
        }
        add_function(reader, rows, start, end, encoding);
    }
}

static struct bytes section_bytes(const struct image *image, const char *name)
{
    for (size_t i = 0; i < image->section_count; i++) {
        const struct section *section = &image->sections[i];
        if (strcmp(section->segment, "__TEXT") == 0 && strcmp(section->name, name) == 0) {
            return (struct bytes){(const uint8_t *)(section->addr + (uint64_t)image->slide), section->size};
        }
    }
    return (struct bytes){0};
}

static void register_image(const struct image *image)
{
    struct reader reader = {image, section_bytes(image, "__unwind_info"), section_bytes(image, "__eh_frame"), {0}, {0}};
    if (reader.compact.size < sizeof reader.header) {
        return;
    }
    memcpy(&reader.header, reader.compact.start, sizeof reader.header);
    for (uint32_t i = 0; i + 1 < reader.header.index_count; i++) {
        struct index_row rows[2];
        uint64_t at = (uint64_t)reader.header.index + (uint64_t)i * sizeof *rows;
        if (at + sizeof rows > reader.compact.size) {
            break;
        }
        memcpy(rows, reader.compact.start + at, sizeof rows);
        add_page(&reader, rows);
    }
    if (reader.frames.size) {
        put32(&reader.frames, 0);
        __register_frame(reader.frames.bytes); /* which keeps them */
    }
    trace("%s: %zu bytes of call frame information", image->path, reader.frames.size);
}

/* Every image that has come since the last time. */
static void register_images(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const struct image *last;
    pthread_mutex_lock(&lock);
    for (const struct image *image = last ? last->next : images; image; image = image->next) {
        register_image(image);
        last = image;
    }
    pthread_mutex_unlock(&lock);
}

static _Unwind_Reason_Code darwin__Unwind_RaiseException(struct _Unwind_Exception *exception)
{
    register_images();
    return _Unwind_RaiseException(exception);
}

static _Unwind_Reason_Code darwin__Unwind_ForcedUnwind(struct _Unwind_Exception *exception, _Unwind_Stop_Fn stop,
                                                       void *data)
{
    register_images();
    return _Unwind_ForcedUnwind(exception, stop, data);
}

struct walk {
    _Unwind_Trace_Fn visit;
    void *data;
    bool begun;
};

/* macOS begins with the caller, not with a frame of the library, and ends before the end. */
static _Unwind_Reason_Code visit_frame(struct _Unwind_Context *context, void *data)
{
    struct walk *walk = data;
    bool own = !walk->begun;
    walk->begun = true;
    if (!_Unwind_GetIP(context)) {
        return _URC_END_OF_STACK;
    }
    return own ? _URC_NO_REASON : walk->visit(context, walk->data);
}

static _Unwind_Reason_Code darwin__Unwind_Backtrace(_Unwind_Trace_Fn visit, void *data)
{
    struct walk walk = {visit, data, false};
    register_images();
    return _Unwind_Backtrace(visit_frame, &walk);
}

extern _Unwind_Reason_Code __gcc_personality_v0(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                                struct _Unwind_Exception *exception, struct _Unwind_Context *context);

#define GCC(name) {"_" #name, (void *)(uintptr_t)&name}

static const struct symbol unwind_symbols[] = {
    SHIM(_Unwind_RaiseException),
    SHIM(_Unwind_ForcedUnwind),
    SHIM(_Unwind_Backtrace),
    GCC(_Unwind_Resume),
    GCC(_Unwind_Resume_or_Rethrow),
    GCC(_Unwind_DeleteException),
    GCC(_Unwind_GetCFA),
    GCC(_Unwind_GetDataRelBase),
    GCC(_Unwind_GetGR),
    GCC(_Unwind_GetIP),
    GCC(_Unwind_GetIPInfo),
    GCC(_Unwind_GetLanguageSpecificData),
    GCC(_Unwind_GetRegionStart),
    GCC(_Unwind_GetTextRelBase),
    GCC(_Unwind_SetGR),
    GCC(_Unwind_SetIP),
    GCC(_Unwind_FindEnclosingFunction),
    {"___gcc_personality_v0", (void *)(uintptr_t)&__gcc_personality_v0},
};

SYMBOL_TABLE(unwind);
