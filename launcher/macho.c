#include "macho.h"

#include <string.h>

/* mach-o/loader.h and mach-o/fat.h, which are not on every build machine. */
struct header {
    uint32_t magic, machine, kind, type, count, commands, flags, reserved;
};

struct command {
    uint32_t kind, size;
};

#define MAGIC 0xfeedfacfu
#define FAT_MAGIC 0xcafebabeu
#define FAT_MAGIC_64 0xcafebabfu
#define LC_LOAD_DYLIB 0xcu
#define LC_LOAD_WEAK_DYLIB 0x80000018u
#define LC_RPATH 0x8000001cu
#define LC_REEXPORT_DYLIB 0x8000001fu
#define LC_LOAD_UPWARD_DYLIB 0x80000023u

enum {
    COMMAND_NAME = 8,  /* where in a command its name's offset is: lc_str of dylib_command and of rpath_command */
    FAT_SLICE = 20,    /* bytes of a row: cputype, cpusubtype, offset, size, align */
    FAT_SLICE_64 = 32, /* the same with offset and size in 64 bits, and four bytes more */
    SLICES = 64        /* a file with more is none */
};

static uint32_t big(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t big64(const uint8_t *at)
{
    return (uint64_t)big(at) << 32 | big(at + 4);
}

static bool within(uint64_t offset, uint64_t size, uint64_t end)
{
    return offset <= end && size <= end - offset;
}

/* Narrows data and size to the slice for the machine, where the file has several. */
static const char *take_slice(const uint8_t **data, uint64_t *size, uint32_t machine)
{
    const uint32_t magic = *size < 8 ? 0 : big(*data);
    if (magic != FAT_MAGIC && magic != FAT_MAGIC_64) {
        return NULL;
    }
    const uint32_t count = big(*data + 4);
    const uint32_t row = magic == FAT_MAGIC ? FAT_SLICE : FAT_SLICE_64;
    if (count > SLICES || !within(8, (uint64_t)count * row, *size)) {
        return "its slices are damaged";
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = *data + 8 + (size_t)i * row;
        uint64_t offset = magic == FAT_MAGIC ? big(at + 8) : big64(at + 8);
        uint64_t length = magic == FAT_MAGIC ? big(at + 12) : big64(at + 16);
        if (big(at) != machine) {
            continue;
        }
        if (!within(offset, length, *size)) {
            return "it is truncated";
        }
        *data += offset;
        *size = length;
        return NULL;
    }
    return "it is not for this machine";
}

const char *ox_macho_open(struct ox_macho *macho, const void *data, uint64_t size, uint32_t machine)
{
    const uint8_t *bytes = data;
    struct header header;
    const char *wrong = take_slice(&bytes, &size, machine);
    if (wrong != NULL) {
        return wrong;
    }
    if (size < sizeof header) {
        return "it is no Mach-O file";
    }
    memcpy(&header, bytes, sizeof header);
    if (header.magic != MAGIC) {
        return "it is no Mach-O file";
    }
    if (header.machine != machine) {
        return "it is not for this machine";
    }
    if (!within(sizeof header, header.commands, size) || header.count > header.commands / sizeof(struct command)) {
        return "it is truncated";
    }
    *macho = (struct ox_macho){
        .data = bytes, .size = size, .type = header.type, .count = header.count, .commands = header.commands};
    return NULL;
}

static bool kind_of(uint32_t command, enum ox_macho_kind *kind)
{
    switch (command) {
    case LC_LOAD_DYLIB:
    case LC_LOAD_WEAK_DYLIB:
    case LC_REEXPORT_DYLIB:
    case LC_LOAD_UPWARD_DYLIB:
        *kind = OX_MACHO_NEEDED;
        return true;
    case LC_RPATH:
        *kind = OX_MACHO_FOLDER;
        return true;
    default:
        return false;
    }
}

/* The text that a command has at the offset that it tells, or NULL. */
static const char *text_of(const uint8_t *command, uint32_t size)
{
    uint32_t offset;
    if (size < COMMAND_NAME + sizeof offset) {
        return NULL;
    }
    memcpy(&offset, command + COMMAND_NAME, sizeof offset);
    bool inside = offset >= COMMAND_NAME + sizeof offset && offset < size;
    return inside && memchr(command + offset, '\0', size - offset) != NULL ? (const char *)command + offset : NULL;
}

bool ox_macho_next(const struct ox_macho *macho, struct ox_macho_name *name)
{
    name->wrong = NULL;
    for (; name->left < macho->count; name->left++) {
        struct command command;
        const uint8_t *at = macho->data + sizeof(struct header) + name->next;
        uint32_t left = macho->commands - name->next;
        if (left < sizeof command) {
            name->wrong = "its load commands are damaged";
            return false;
        }
        memcpy(&command, at, sizeof command);
        if (command.size < sizeof command || command.size > left) {
            name->wrong = "its load commands are damaged";
            return false;
        }
        name->next += command.size;
        if (kind_of(command.kind, &name->kind)) {
            name->text = text_of(at, command.size);
            name->left++;
            if (name->text == NULL) {
                name->wrong = "a name in its load commands is damaged";
            }
            return name->text != NULL;
        }
    }
    return false;
}

/* Appends the path's components to out[0..*size), which is a path without slashes around it: "." vanishes, ".." takes the last one away. */
static bool append(const char *path, char *out, size_t room, size_t *size)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            if (*size == 0) {
                return false;
            }
            while (*size > 0 && out[--*size] != '/') {
            }
        } else if (length != 0 && !(length == 1 && path[0] == '.')) {
            if (length + 2 > room - *size) {
                return false;
            }
            if (*size != 0) {
                out[(*size)++] = '/';
            }
            memcpy(out + *size, path, length);
            *size += length;
        }
        path += length;
        path += *path == '/';
    }
    out[*size] = '\0';
    return true;
}

bool ox_macho_place(const char *name, const char *start, const char *folder, size_t folder_size, char *out, size_t room,
    size_t *size)
{
    size_t length = strlen(start);
    if (strncmp(name, start, length) != 0 || (name[length] != '\0' && name[length] != '/') || folder_size >= room) {
        return false;
    }
    memcpy(out, folder, folder_size);
    *size = folder_size;
    return append(name + length, out, room, size);
}
