#include "rebind_macos.h"

#include <dlfcn.h>
#include <mach-o/dyld.h>
#include <mach-o/loader.h>
#include <mach-o/nlist.h>
#include <mach/mach.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cache_macos.h"
#include "real_posix.h"

/* linked_posix.c */
void *__wrap_dlsym(void *handle, const char *name);
void *__real_dlsym(void *handle, const char *name);

/* The launcher's functions by libSystem's symbol names: all of real_posix.h; execv, which needs no function behind it; and
 * dlsym, which finds them. */
#define DECLARE_INODE(name) extern void own_##name(void) __asm__(OX_SYMBOL(#name OX_INODE));
#define DECLARE_EXTENDED(name) extern void own_##name(void) __asm__(OX_SYMBOL(#name OX_EXTENDED));
#define DECLARE_PLAIN(name) extern void own_##name(void) __asm__(OX_SYMBOL(#name));
OX_REAL_INODE_NAMES(DECLARE_INODE)
OX_REAL_EXTENDED_NAMES(DECLARE_EXTENDED)
OX_REAL_PLAIN_NAMES(DECLARE_PLAIN)
OX_REAL_SYSTEM_NAMES(DECLARE_PLAIN)
DECLARE_PLAIN(execv)

static const struct {
    const char *symbol;
    void (*function)(void);
} table[] = {
#define ROW_INODE(name) {OX_SYMBOL(#name OX_INODE), own_##name},
#define ROW_EXTENDED(name) {OX_SYMBOL(#name OX_EXTENDED), own_##name}, {OX_SYMBOL(#name), own_##name},
#define ROW_PLAIN(name) {OX_SYMBOL(#name), own_##name},
    OX_REAL_INODE_NAMES(ROW_INODE)
    OX_REAL_EXTENDED_NAMES(ROW_EXTENDED)
    OX_REAL_PLAIN_NAMES(ROW_PLAIN)
    OX_REAL_SYSTEM_NAMES(ROW_PLAIN)
    {OX_SYMBOL("execv"), own_execv},
    {OX_SYMBOL("dlsym"), (void (*)(void))__wrap_dlsym},
};

enum { ROWS = sizeof table / sizeof *table };

/* The row of a name, which has no underscore before it; ROWS when there is none. */
static size_t row_of(const char *name)
{
    size_t i = 0;
    if (name[0] == 'P' || name[0] == '_') {
        return ROWS; /* most: CPython's */
    }
    while (i < ROWS && (table[i].symbol[1] != name[0] || strcmp(table[i].symbol + 1, name) != 0)) {
        i++;
    }
    return i;
}

/* The launcher's function in the place of the one that was found, when it is the system's: ctypes.CDLL(None).open is. The
 * last line is a tail call for RTLD_NEXT, which is as seen from the caller. */
void *__real_dlsym(void *handle, const char *name)
{
    size_t row = handle == RTLD_NEXT || handle == RTLD_SELF ? ROWS : row_of(name);
    if (row < ROWS) {
        void *found = dlsym(handle, name);
        return found != NULL && found == dlsym(RTLD_NEXT, name) ? (void *)(uintptr_t)table[row].function : found;
    }
    return dlsym(handle, name);
}

/* The system's functions by the table's rows, and the lowest and the highest of them: most words of data are not between. */
static uintptr_t real[ROWS];
static uintptr_t lowest = UINTPTR_MAX;
static uintptr_t highest;

static void find_real(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        real[i] = (uintptr_t)dlsym(RTLD_NEXT, table[i].symbol + 1);
        lowest = real[i] != 0 && real[i] < lowest ? real[i] : lowest; /* 0: newer than this system */
        highest = real[i] > highest ? real[i] : highest;
    }
}

/* What a word of data is to be, or 0: what it is. */
static uintptr_t instead_of(uintptr_t word)
{
    if (word < lowest || word > highest) {
        return 0;
    }
    size_t i = 0;
    while (i < ROWS && real[i] != word) {
        i++;
    }
    return i < ROWS ? (uintptr_t)table[i].function : 0;
}

/* Where a loaded image has its tables. */
struct image {
    uintptr_t slide;
    const struct nlist_64 *symbols;
    const char *strings;
    const uint32_t *indirect; /* for each pointer the number of its symbol */
    uint32_t symbol_count, indirect_count;
};

static const struct load_command *next(const struct load_command *command)
{
    return (const struct load_command *)((uintptr_t)command + command->cmdsize);
}

/* Goes through the commands of this kind. Start with NULL. */
static const struct load_command *find(
    const struct mach_header_64 *header, const struct load_command *last, uint32_t kind)
{
    const struct load_command *const end
        = (const struct load_command *)((uintptr_t)(header + 1) + header->sizeofcmds);
    const struct load_command *command = last == NULL ? (const struct load_command *)(header + 1) : next(last);
    for (; command < end; command = next(command)) {
        if (command->cmd == kind) {
            return command;
        }
    }
    return NULL;
}

/* The segment of this name, which dyld has mapped: its tables are read as it reads them. */
static const struct segment_command_64 *segment_named(const struct mach_header_64 *header, const char *name)
{
    const struct load_command *command = NULL;
    while ((command = find(header, command, LC_SEGMENT_64)) != NULL) {
        const struct segment_command_64 *segment = (const struct segment_command_64 *)command;
        if (strncmp(segment->segname, name, sizeof segment->segname) == 0) {
            return segment;
        }
    }
    return NULL;
}

static bool open_image(struct image *image, const struct mach_header_64 *header, intptr_t slide)
{
    const struct symtab_command *symbols = (const struct symtab_command *)find(header, NULL, LC_SYMTAB);
    const struct dysymtab_command *more = (const struct dysymtab_command *)find(header, NULL, LC_DYSYMTAB);
    const struct segment_command_64 *linkedit = segment_named(header, SEG_LINKEDIT);
    if (symbols == NULL || more == NULL || linkedit == NULL) {
        return false;
    }
    uintptr_t base = (uintptr_t)slide + linkedit->vmaddr - linkedit->fileoff;
    *image = (struct image){
        .slide = (uintptr_t)slide,
        .symbols = (const struct nlist_64 *)(base + symbols->symoff),
        .strings = (const char *)(base + symbols->stroff),
        .indirect = (const uint32_t *)(base + more->indirectsymoff),
        .symbol_count = symbols->nsyms,
        .indirect_count = more->nindirectsyms,
    };
    return true;
}

/* What a pointer with this number is to be, or 0: what it is. Only symbols of other libraries are looked at. */
static uintptr_t pointer_for(const struct image *image, uint32_t number)
{
    if (number >= image->indirect_count) {
        return 0;
    }
    uint32_t symbol = image->indirect[number];
    if ((symbol & (INDIRECT_SYMBOL_LOCAL | INDIRECT_SYMBOL_ABS)) != 0 || symbol >= image->symbol_count
        || (image->symbols[symbol].n_type & N_TYPE) != N_UNDF) {
        return 0;
    }
    const char *name = image->strings + image->symbols[symbol].n_un.n_strx;
    size_t row = name[0] == '_' ? row_of(name + 1) : ROWS;
    return row < ROWS ? (uintptr_t)table[row].function : 0;
}

/* Of the pages that this lies on. */
static bool change_protection(uintptr_t address, size_t size, vm_prot_t protection)
{
    return vm_protect(mach_task_self(), address, size, FALSE, protection) == KERN_SUCCESS;
}

static bool has_pointers(const struct section_64 *section)
{
    uint32_t type = section->flags & SECTION_TYPE;
    return type == S_NON_LAZY_SYMBOL_POINTERS || type == S_LAZY_SYMBOL_POINTERS;
}

/* Whether there may be addresses among a section's data: dyld fills them in where a segment may be written to. */
static bool has_data(const struct segment_command_64 *segment, const struct section_64 *section)
{
    uint32_t type = section->flags & SECTION_TYPE;
    return (segment->initprot & VM_PROT_WRITE) != 0
        && (type == S_REGULAR || type == S_COALESCED || type == S_LITERAL_POINTERS);
}

/* dyld has made constants unwritable when the pointers in them were filled in. */
static void rebind_section(
    const struct image *image, const struct segment_command_64 *segment, const struct section_64 *section)
{
    const bool closed = (segment->flags & SG_READ_ONLY) != 0 || (segment->initprot & VM_PROT_WRITE) == 0;
    const bool pointers = has_pointers(section);
    const uint64_t odd = (0 - section->addr) % sizeof(uintptr_t);
    const size_t count = section->size < odd ? 0 : (size_t)((section->size - odd) / sizeof(uintptr_t));
    const uintptr_t start = image->slide + section->addr;
    uintptr_t *const slots = (uintptr_t *)(start + odd);
    bool opened = false;
    for (size_t i = 0; i < count; i++) {
        uintptr_t function = pointers ? pointer_for(image, section->reserved1 + (uint32_t)i) : instead_of(slots[i]);
        if (function == 0 || slots[i] == 0) { /* 0: a function that this system does not have */
            continue;
        }
        if (closed && !opened) {
            if (!change_protection(start, section->size, VM_PROT_READ | VM_PROT_WRITE | VM_PROT_COPY)) {
                break;
            }
            opened = true;
        }
        slots[i] = function;
    }
    if (opened) {
        change_protection(start, section->size, VM_PROT_READ);
    }
}

static void rebind(const struct mach_header *given, intptr_t slide)
{
    const struct mach_header_64 *header = (const struct mach_header_64 *)given;
    struct image image;
    Dl_info known;
    if (header->magic != MH_MAGIC_64 || dladdr(header, &known) == 0 || known.dli_fname == NULL
        || !ox_cache_has(known.dli_fname) || !open_image(&image, header, slide)) {
        return;
    }
    const struct load_command *command = NULL;
    while ((command = find(header, command, LC_SEGMENT_64)) != NULL) {
        const struct segment_command_64 *segment = (const struct segment_command_64 *)command;
        const struct section_64 *sections = (const struct section_64 *)(segment + 1);
        for (uint32_t i = 0; i < segment->nsects; i++) {
            if (has_pointers(&sections[i]) || has_data(segment, &sections[i])) {
                rebind_section(&image, segment, &sections[i]);
            }
        }
    }
}

static void start(void)
{
    find_real();
    _dyld_register_func_for_add_image(rebind);
}

void ox_rebind_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}
