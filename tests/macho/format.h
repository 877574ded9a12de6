/* The Mach-O file format as far as the loader reads it: numbers and layouts of <mach-o/loader.h>,
 * <mach-o/fat.h>, <mach-o/nlist.h> and <mach-o/fixup-chains.h>. */
#ifndef MACHO_FORMAT_H
#define MACHO_FORMAT_H

#include <stdint.h>

enum {
    MH_MAGIC_64 = 0xfeedfacf,
    FAT_MAGIC = 0xcafebabe, /* big-endian in the file */
    FAT_MAGIC_64 = 0xcafebabf,
    CPU_TYPE_X86_64 = 0x01000007,
    MH_EXECUTE = 2,
    MH_DYLIB = 6,
    MH_BUNDLE = 8,
    MH_WEAK_DEFINES = 0x8000,
    MH_PIE = 0x200000,
    MACHO_PAGE = 4096,
};

enum {
    LC_REQ_DYLD = 0x80000000u,
    LC_SYMTAB = 0x2,
    LC_LOAD_DYLIB = 0xc,
    LC_ID_DYLIB = 0xd,
    LC_LOAD_WEAK_DYLIB = 0x18 | LC_REQ_DYLD,
    LC_SEGMENT_64 = 0x19,
    LC_RPATH = 0x1c | LC_REQ_DYLD,
    LC_REEXPORT_DYLIB = 0x1f | LC_REQ_DYLD,
    LC_DYLD_INFO = 0x22,
    LC_DYLD_INFO_ONLY = 0x22 | LC_REQ_DYLD,
    LC_LOAD_UPWARD_DYLIB = 0x23 | LC_REQ_DYLD,
    LC_MAIN = 0x28 | LC_REQ_DYLD,
    LC_DYLD_EXPORTS_TRIE = 0x33 | LC_REQ_DYLD,
    LC_DYLD_CHAINED_FIXUPS = 0x34 | LC_REQ_DYLD,
};

enum {
    VM_PROT_READ = 1,
    VM_PROT_WRITE = 2,
    VM_PROT_EXECUTE = 4,
    SG_READ_ONLY = 0x10,
    SECTION_TYPE = 0xff,
    S_ZEROFILL = 0x1,
    S_GB_ZEROFILL = 0xc,
    S_MOD_INIT_FUNC_POINTERS = 0x9,
    S_MOD_TERM_FUNC_POINTERS = 0xa,
    S_THREAD_LOCAL_REGULAR = 0x11,
    S_THREAD_LOCAL_ZEROFILL = 0x12,
    S_THREAD_LOCAL_VARIABLES = 0x13,
    S_INIT_FUNC_OFFSETS = 0x16,
};

struct mach_header_64 {
    uint32_t magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags, reserved;
};

struct load_command {
    uint32_t cmd, cmdsize;
};

struct segment_command_64 {
    uint32_t cmd, cmdsize;
    char segname[16];
    uint64_t vmaddr, vmsize, fileoff, filesize;
    uint32_t maxprot, initprot, nsects, flags;
};

struct section_64 {
    char sectname[16], segname[16];
    uint64_t addr, size;
    uint32_t offset, align, reloff, nreloc, flags, reserved1, reserved2, reserved3;
};

struct dylib_command {
    uint32_t cmd, cmdsize, name, timestamp, current_version, compatibility_version;
};

struct rpath_command {
    uint32_t cmd, cmdsize, path;
};

struct symtab_command {
    uint32_t cmd, cmdsize, symoff, nsyms, stroff, strsize;
};

struct linkedit_data_command {
    uint32_t cmd, cmdsize, dataoff, datasize;
};

struct dyld_info_command {
    uint32_t cmd, cmdsize;
    uint32_t rebase_off, rebase_size, bind_off, bind_size, weak_bind_off, weak_bind_size, lazy_bind_off,
        lazy_bind_size, export_off, export_size;
};

struct entry_point_command {
    uint32_t cmd, cmdsize;
    uint64_t entryoff, stacksize;
};

struct nlist_64 {
    uint32_t n_strx;
    uint8_t n_type, n_sect;
    uint16_t n_desc;
    uint64_t n_value;
};

enum {
    N_STAB = 0xe0,
    N_TYPE = 0x0e,
    N_EXT = 0x01,
    N_PEXT = 0x10,
    N_ABS = 0x2,
    N_SECT = 0xe,
};

/* Where an import is looked for, beside the ordinals 1, 2 … of the load commands. */
enum {
    BIND_SPECIAL_DYLIB_SELF = 0,
    BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE = -1,
    BIND_SPECIAL_DYLIB_FLAT_LOOKUP = -2,
    BIND_SPECIAL_DYLIB_WEAK_LOOKUP = -3,
};

enum {
    BIND_SYMBOL_FLAGS_WEAK_IMPORT = 0x1,
    BIND_TYPE_POINTER = 1,
    BIND_OPCODE_DONE = 0x00,
    BIND_OPCODE_SET_DYLIB_ORDINAL_IMM = 0x10,
    BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB = 0x20,
    BIND_OPCODE_SET_DYLIB_SPECIAL_IMM = 0x30,
    BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM = 0x40,
    BIND_OPCODE_SET_TYPE_IMM = 0x50,
    BIND_OPCODE_SET_ADDEND_SLEB = 0x60,
    BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB = 0x70,
    BIND_OPCODE_ADD_ADDR_ULEB = 0x80,
    BIND_OPCODE_DO_BIND = 0x90,
    BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB = 0xa0,
    BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED = 0xb0,
    BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB = 0xc0,
};

enum {
    REBASE_OPCODE_DONE = 0x00,
    REBASE_OPCODE_SET_TYPE_IMM = 0x10,
    REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB = 0x20,
    REBASE_OPCODE_ADD_ADDR_ULEB = 0x30,
    REBASE_OPCODE_ADD_ADDR_IMM_SCALED = 0x40,
    REBASE_OPCODE_DO_REBASE_IMM_TIMES = 0x50,
    REBASE_OPCODE_DO_REBASE_ULEB_TIMES = 0x60,
    REBASE_OPCODE_DO_REBASE_ADD_ADDR_ULEB = 0x70,
    REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB = 0x80,
};

enum {
    EXPORT_SYMBOL_FLAGS_KIND_MASK = 0x03,
    EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE = 0x02,
    EXPORT_SYMBOL_FLAGS_REEXPORT = 0x08,
    EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER = 0x10,
};

struct dyld_chained_fixups_header {
    uint32_t fixups_version, starts_offset, imports_offset, symbols_offset, imports_count, imports_format,
        symbols_format;
};

struct dyld_chained_starts_in_segment {
    uint32_t size;
    uint16_t page_size, pointer_format;
    uint64_t segment_offset;
    uint32_t max_valid_pointer;
    uint16_t page_count;
    /* uint16_t page_start[page_count] follows at byte 22 */
};

enum {
    DYLD_CHAINED_IMPORT = 1,
    DYLD_CHAINED_IMPORT_ADDEND = 2,
    DYLD_CHAINED_IMPORT_ADDEND64 = 3,
    DYLD_CHAINED_PTR_64 = 2,
    DYLD_CHAINED_PTR_64_OFFSET = 6,
    DYLD_CHAINED_PTR_START_NONE = 0xffff,
    DYLD_CHAINED_PTR_START_MULTI = 0x8000,
    DYLD_CHAINED_STARTS_PAGES = 22,
};

_Static_assert(sizeof(struct mach_header_64) == 32, "mach_header_64");
_Static_assert(sizeof(struct segment_command_64) == 72, "segment_command_64");
_Static_assert(sizeof(struct section_64) == 80, "section_64");
_Static_assert(sizeof(struct nlist_64) == 16, "nlist_64");
_Static_assert(sizeof(struct dyld_info_command) == 48, "dyld_info_command");
_Static_assert(sizeof(struct entry_point_command) == 24, "entry_point_command");

#endif
