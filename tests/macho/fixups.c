/* Rebases and binds: dyld's opcodes (LC_DYLD_INFO) and chained fixups (LC_DYLD_CHAINED_FIXUPS). */
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "leb128.h"

static bool damaged(const struct image *image, const char *what)
{
    return fail("%s: damaged %s", image->path, what);
}

/* Eight bytes that a fixup may write: outside of a read-only segment's text. */
static uint64_t *slot(const struct image *image, uint64_t address)
{
    const struct segment *segment = image_segment_of(image, address);
    if (!segment || !(segment->initprot & VM_PROT_WRITE)) {
        return NULL;
    }
    return image_at(image, address, sizeof(uint64_t));
}

static bool rebase_run(const struct image *image, uint64_t *address, uint64_t count, uint64_t skip)
{
    while (count--) {
        uint64_t *target = slot(image, *address);
        if (!target) {
            return damaged(image, "rebase: not in a writable segment");
        }
        *target += (uint64_t)image->slide;
        *address += sizeof(uint64_t) + skip;
    }
    return true;
}

static bool segment_address(const struct image *image, unsigned index, uint64_t offset, uint64_t *address)
{
    if (index >= image->segment_count || offset > image->segments[index].vmsize) {
        return false;
    }
    *address = image->segments[index].vmaddr + offset;
    return true;
}

static bool rebase(const struct image *image)
{
    const uint8_t *at = image->rebases.start;
    const uint8_t *end = at + image->rebases.size;
    uint64_t address = 0;
    while (at < end) {
        unsigned opcode = *at & 0xf0u;
        unsigned immediate = *at++ & 0x0fu;
        uint64_t count = 0;
        uint64_t skip = 0;
        bool ok = true;
        switch (opcode) {
        case REBASE_OPCODE_DONE:
            return true;
        case REBASE_OPCODE_SET_TYPE_IMM:
            ok = immediate == BIND_TYPE_POINTER;
            break;
        case REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB:
            ok = uleb128(&at, end, &skip) && segment_address(image, immediate, skip, &address);
            break;
        case REBASE_OPCODE_ADD_ADDR_ULEB:
            ok = uleb128(&at, end, &skip);
            address += skip;
            break;
        case REBASE_OPCODE_ADD_ADDR_IMM_SCALED:
            address += immediate * sizeof(uint64_t);
            break;
        case REBASE_OPCODE_DO_REBASE_IMM_TIMES:
            ok = rebase_run(image, &address, immediate, 0);
            break;
        case REBASE_OPCODE_DO_REBASE_ULEB_TIMES:
            ok = uleb128(&at, end, &count) && rebase_run(image, &address, count, 0);
            break;
        case REBASE_OPCODE_DO_REBASE_ADD_ADDR_ULEB:
            ok = uleb128(&at, end, &skip) && rebase_run(image, &address, 1, skip);
            break;
        case REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB:
            ok = uleb128(&at, end, &count) && uleb128(&at, end, &skip) && rebase_run(image, &address, count, skip);
            break;
        default:
            ok = false;
        }
        if (!ok) {
            return damaged(image, "rebase opcodes");
        }
    }
    return true;
}

/* What the bind opcodes have set up when they say "bind". */
struct bind {
    struct import import;
    int64_t addend;
    uint64_t address;
};

/* One stream of bind opcodes: either binds, or, with a visitor, tells. */
struct bind_stream {
    struct image *image;
    struct bytes bytes;
    bool lazy, weak;
    import_visitor *visit;
    void *data;
};

static bool bind_run(const struct bind_stream *stream, struct bind *bind, uint64_t count, uint64_t skip)
{
    const struct image *image = stream->image;
    if (!bind->import.name) {
        return damaged(image, "bind opcodes: no symbol");
    }
    if (stream->visit) {
        stream->visit(image, bind->import.ordinal, bind->import.name, bind->import.weak, stream->data);
        return true;
    }
    uintptr_t value;
    if (stream->weak) { /* coalescing: nothing to do where no image exports it */
        if (!resolve_weak(bind->import.name, &value)) {
            bind->address += count * (sizeof(uint64_t) + skip);
            return true;
        }
    } else if (!resolve_import(image, &bind->import, &value)) {
        return false;
    }
    while (count--) {
        uint64_t *target = slot(image, bind->address);
        if (!target) {
            return damaged(image, "bind: not in a writable segment");
        }
        *target = value + (uint64_t)bind->addend;
        bind->address += sizeof(uint64_t) + skip;
    }
    return true;
}

static const char *opcode_string(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *start = *at;
    const uint8_t *stop = memchr(start, 0, (size_t)(end - start));
    if (!stop) {
        return NULL;
    }
    *at = stop + 1;
    return (const char *)start;
}

static bool bind_stream(const struct bind_stream *stream)
{
    const uint8_t *at = stream->bytes.start;
    const uint8_t *end = at + stream->bytes.size;
    struct bind bind = {.import = {.lazy = stream->lazy}};
    if (stream->weak) {
        bind.import.ordinal = BIND_SPECIAL_DYLIB_WEAK_LOOKUP;
    }
    while (at < end) {
        unsigned opcode = *at & 0xf0u;
        unsigned immediate = *at++ & 0x0fu;
        uint64_t count = 1;
        uint64_t skip = 0;
        bool ok = true;
        bool run = false;
        switch (opcode) {
        case BIND_OPCODE_DONE:
            if (!stream->lazy) { /* in the lazy stream each symbol ends with one */
                return true;
            }
            break;
        case BIND_OPCODE_SET_DYLIB_ORDINAL_IMM:
            bind.import.ordinal = immediate;
            break;
        case BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB:
            ok = uleb128(&at, end, &count);
            bind.import.ordinal = (int64_t)count;
            break;
        case BIND_OPCODE_SET_DYLIB_SPECIAL_IMM:
            bind.import.ordinal = immediate ? (int64_t)immediate - 16 : 0;
            break;
        case BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM:
            bind.import.name = opcode_string(&at, end);
            bind.import.weak = immediate & BIND_SYMBOL_FLAGS_WEAK_IMPORT;
            ok = bind.import.name;
            break;
        case BIND_OPCODE_SET_TYPE_IMM:
            ok = immediate == BIND_TYPE_POINTER;
            break;
        case BIND_OPCODE_SET_ADDEND_SLEB:
            ok = sleb128(&at, end, &bind.addend);
            break;
        case BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB:
            ok = uleb128(&at, end, &skip) && segment_address(stream->image, immediate, skip, &bind.address);
            break;
        case BIND_OPCODE_ADD_ADDR_ULEB:
            ok = uleb128(&at, end, &skip);
            bind.address += skip;
            break;
        case BIND_OPCODE_DO_BIND:
            run = true;
            break;
        case BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB:
            ok = run = uleb128(&at, end, &skip);
            break;
        case BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED:
            skip = immediate * sizeof(uint64_t);
            run = true;
            break;
        case BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB:
            ok = run = uleb128(&at, end, &count) && uleb128(&at, end, &skip);
            break;
        default:
            ok = false;
        }
        if (!ok) {
            return damaged(stream->image, "bind opcodes");
        }
        if (run && !bind_run(stream, &bind, count, skip)) {
            return false;
        }
    }
    return true;
}

static bool bind_opcodes(struct image *image, import_visitor *visit, void *data)
{
    const struct bind_stream streams[] = {
        {image, image->binds, false, false, visit, data},
        {image, image->lazy_binds, true, false, visit, data},
        {image, image->weak_binds, false, true, visit, data},
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        if (!(visit && streams[i].weak) && !bind_stream(&streams[i])) {
            return false;
        }
    }
    return true;
}

/* One row of a table of chained imports. */
struct chained_import {
    struct import import;
    int64_t addend;
};

static bool chained_header(const struct image *image, struct dyld_chained_fixups_header *header)
{
    struct bytes data = image->chained;
    if (data.size < sizeof *header) {
        return damaged(image, "chained fixups");
    }
    memcpy(header, data.start, sizeof *header);
    static const size_t row[] = {0, 4, 8, 16};
    if (header->fixups_version != 0 || header->symbols_format != 0 ||
        header->imports_format < DYLD_CHAINED_IMPORT || header->imports_format > DYLD_CHAINED_IMPORT_ADDEND64 ||
        header->imports_offset > data.size || header->symbols_offset > data.size ||
        header->starts_offset > data.size - sizeof(uint32_t) ||
        header->imports_count > (data.size - header->imports_offset) / row[header->imports_format]) {
        return damaged(image, "chained fixups' header, or of an unknown version");
    }
    return true;
}

static bool chained_import(const struct image *image, const struct dyld_chained_fixups_header *header, uint32_t index,
                           struct chained_import *result)
{
    struct bytes data = image->chained;
    const uint8_t *table = data.start + header->imports_offset;
    if (index >= header->imports_count) {
        return damaged(image, "chained fixups: no such import");
    }
    uint64_t offset;
    *result = (struct chained_import){0};
    if (header->imports_format == DYLD_CHAINED_IMPORT_ADDEND64) {
        uint64_t bits;
        memcpy(&bits, table + index * 16, sizeof bits);
        memcpy(&result->addend, table + index * 16 + 8, sizeof result->addend);
        result->import.ordinal = (int16_t)(bits & 0xffff);
        result->import.weak = bits >> 16 & 1;
        offset = bits >> 32;
    } else {
        uint32_t bits;
        size_t row = header->imports_format == DYLD_CHAINED_IMPORT ? 4 : 8;
        memcpy(&bits, table + index * row, sizeof bits);
        if (row == 8) {
            int32_t addend;
            memcpy(&addend, table + index * row + 4, sizeof addend);
            result->addend = addend;
        }
        /* Special ordinals are the last of the eight-bit numbers. */
        result->import.ordinal = (bits & 0xff) > 0xf0 ? (int8_t)(bits & 0xff) : (int64_t)(bits & 0xff);
        result->import.weak = bits >> 8 & 1;
        offset = bits >> 9;
    }
    size_t room = data.size - header->symbols_offset;
    const char *name = (const char *)data.start + header->symbols_offset + offset;
    if (offset >= room || !memchr(name, 0, room - offset)) {
        return damaged(image, "chained fixups: an import's name");
    }
    result->import.name = name;
    return true;
}

/* The imports' values, each looked up once. */
struct chained_values {
    const struct dyld_chained_fixups_header *header;
    uintptr_t *values;
    int64_t *addends;
};

static bool chained_pointer(const struct image *image, uint16_t format, const struct chained_values *values,
                            uint64_t *target)
{
    uint64_t raw = *target;
    if (raw >> 63) { /* bind: ordinal:24, addend:8 */
        uint32_t index = raw & 0xffffff;
        if (index >= values->header->imports_count) {
            return damaged(image, "chained fixups: no such import");
        }
        *target = values->values[index] + (uint64_t)values->addends[index] + (raw >> 24 & 0xff);
        return true;
    }
    uint64_t address = raw & 0xfffffffffu;
    uint64_t high = raw >> 36 & 0xff;
    address += format == DYLD_CHAINED_PTR_64_OFFSET ? (uint64_t)image->base : (uint64_t)image->slide;
    *target = address | high << 56;
    return true;
}

static bool chained_page(const struct image *image, const struct dyld_chained_starts_in_segment *starts, uint32_t page,
                         uint16_t start, const struct chained_values *values)
{
    uint64_t offset = start;
    for (;;) {
        uint64_t address = image->lowest + starts->segment_offset + (uint64_t)page * starts->page_size + offset;
        uint64_t *target = slot(image, address);
        if (!target) {
            return damaged(image, "chained fixups: not in a writable segment");
        }
        uint64_t step = (*target >> 51 & 0xfff) * 4;
        if (!chained_pointer(image, starts->pointer_format, values, target)) {
            return false;
        }
        if (!step) {
            return true;
        }
        offset += step;
        if (offset > (uint64_t)starts->page_size - sizeof(uint32_t)) {
            return damaged(image, "chained fixups: a chain leaves its page");
        }
    }
}

static bool chained_segment(const struct image *image, const uint8_t *at, size_t room,
                            const struct chained_values *values)
{
    struct dyld_chained_starts_in_segment starts;
    if (room < sizeof starts) {
        return damaged(image, "chained fixups: a segment's starts");
    }
    memcpy(&starts, at, sizeof starts);
    if ((size_t)starts.page_count * 2 > room - DYLD_CHAINED_STARTS_PAGES) {
        return damaged(image, "chained fixups: a segment's pages");
    }
    if (starts.pointer_format != DYLD_CHAINED_PTR_64 && starts.pointer_format != DYLD_CHAINED_PTR_64_OFFSET) {
        return fail("%s: chained fixups of format %u, which x86_64 does not have", image->path, starts.pointer_format);
    }
    for (uint32_t page = 0; page < starts.page_count; page++) {
        uint16_t start;
        memcpy(&start, at + DYLD_CHAINED_STARTS_PAGES + (size_t)page * 2, sizeof start);
        if (start == DYLD_CHAINED_PTR_START_NONE) {
            continue;
        }
        if (start & DYLD_CHAINED_PTR_START_MULTI) {
            return damaged(image, "chained fixups: several starts in a page");
        }
        if (!chained_page(image, &starts, page, start, values)) {
            return false;
        }
    }
    return true;
}

static bool chained_segments(const struct image *image, const struct chained_values *values)
{
    const uint8_t *table = image->chained.start + values->header->starts_offset;
    size_t room = image->chained.size - values->header->starts_offset;
    uint32_t count;
    memcpy(&count, table, sizeof count);
    if (count > (room - sizeof count) / sizeof count) {
        return damaged(image, "chained fixups: segments");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t offset;
        memcpy(&offset, table + (i + 1) * sizeof offset, sizeof offset);
        if (offset > room) {
            return damaged(image, "chained fixups: segments");
        }
        if (offset && !chained_segment(image, table + offset, room - offset, values)) {
            return false;
        }
    }
    return true;
}

static bool bind_chained(const struct image *image, import_visitor *visit, void *data)
{
    struct dyld_chained_fixups_header header;
    if (!chained_header(image, &header)) {
        return false;
    }
    uintptr_t *values = calloc(header.imports_count + 1, sizeof *values);
    int64_t *addends = calloc(header.imports_count + 1, sizeof *addends);
    bool ok = values && addends;
    for (uint32_t i = 0; ok && i < header.imports_count; i++) {
        struct chained_import row;
        ok = chained_import(image, &header, i, &row);
        if (ok && visit) {
            visit(image, row.import.ordinal, row.import.name, row.import.weak, data);
        } else if (ok) {
            ok = resolve_import(image, &row.import, &values[i]);
            addends[i] = row.addend;
        }
    }
    ok = ok && (visit || chained_segments(image, &(struct chained_values){&header, values, addends}));
    free(values);
    free(addends);
    return ok;
}

bool image_bind(struct image *image)
{
    if (image->chained.start) {
        return bind_chained(image, NULL, NULL);
    }
    return rebase(image) && bind_opcodes(image, NULL, NULL);
}

bool image_imports(struct image *image, import_visitor *visit, void *data)
{
    return image->chained.start ? bind_chained(image, visit, data) : bind_opcodes(image, visit, data);
}
