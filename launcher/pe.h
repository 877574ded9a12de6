/* pe.h: reads a Windows DLL (PE32+, x86-64) in memory: a file's bytes, or an image as it lies in a process.
 *
 * After Microsoft's "PE Format" (learn.microsoft.com/windows/win32/debug/pe-format). Addresses are relative to the
 * image's base (RVA). Nothing in the bytes is trusted: every offset is checked before it is used, the work is bounded
 * by the size, and a damaged file comes to a text that says what is wrong. Allocates nothing, safe in any thread.
 */
#ifndef OX_PE_H
#define OX_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Data directories that are read here. */
enum ox_pe_directory {
    OX_PE_EXPORTS = 0,
    OX_PE_IMPORTS = 1,
    OX_PE_FUNCTIONS = 3,    /* tables for unwinding (.pdata) */
    OX_PE_CERTIFICATES = 4, /* its address is an offset in the file */
    OX_PE_RELOCATIONS = 5,
    OX_PE_TLS = 9,
    OX_PE_LOAD_CONFIG = 10,
    OX_PE_BOUND = 11,
    OX_PE_DELAYED = 13, /* imports that the library itself asks for when they are first called */
    OX_PE_CLR = 14,
    OX_PE_DIRECTORIES = 16
};

enum {
    OX_PE_RELOCS_STRIPPED = 0x0001, /* characteristics */
    OX_PE_DLL = 0x2000,
    OX_PE_FORCE_INTEGRITY = 0x0080, /* dll_characteristics */
    OX_PE_SHARED = 0x10000000,      /* of a section */
    OX_PE_EXECUTE = 0x20000000,
    OX_PE_READ = 0x40000000,
    OX_PE_WRITE = (int)0x80000000,
    OX_PE_NAME_MAX = 4096,          /* bytes of a name with its NUL: the longest that Microsoft's linker makes */
    OX_PE_SECTIONS_MAX = 96         /* as Windows' loader */
};

struct ox_pe_range {
    uint32_t address, size;
};

struct ox_pe {
    const uint8_t *data;
    uint64_t size; /* bytes that may be read */
    bool mapped;   /* laid out as in a process; else as in a file */
    uint16_t characteristics, dll_characteristics, section_count;
    uint32_t header;   /* offset of "PE\0\0" */
    uint32_t sections; /* offset of the section table */
    uint64_t image_base;
    uint32_t entry; /* 0: none */
    uint32_t section_alignment, file_alignment;
    uint32_t image_size, headers_size;
    struct ox_pe_range directories[OX_PE_DIRECTORIES];
};

/* Checks the headers and the section table and fills in *pe. Returns NULL, or what is wrong. */
const char *ox_pe_open(struct ox_pe *pe, const void *data, uint64_t size, bool mapped);

struct ox_pe_section {
    uint32_t address, size; /* size: in memory, not rounded */
    uint32_t offset, stored; /* in the file; what is stored may be more than is used */
    uint32_t flags;
};

/* The section at `index`, below section_count. */
struct ox_pe_section ox_pe_section(const struct ox_pe *pe, unsigned index);

/* The bytes at an address, or NULL when they do not all lie in what was read (file: in one section's bytes). */
const uint8_t *ox_pe_at(const struct ox_pe *pe, uint32_t address, uint64_t size);

/* The text at an address, NUL-terminated and shorter than OX_PE_NAME_MAX, or NULL. */
const char *ox_pe_text(const struct ox_pe *pe, uint32_t address);

/* A library that is imported from. All zero before the first call. */
struct ox_pe_library {
    const char *name;
    bool delayed;
    uint32_t descriptor; /* address of its row */
    uint32_t lookup;     /* address of the table of names and ordinals; 0: there is none */
    uint32_t slots;      /* address of the table that is filled in */
    uint32_t next, left; /* where the reader stands */
    const char *wrong;   /* when the last call returned false: NULL, or what is damaged */
};

/* Goes to the next library: first all that are needed at once, then the delayed ones. False at the end. */
bool ox_pe_next_library(const struct ox_pe *pe, struct ox_pe_library *library);

/* A symbol that is imported. All zero before the first call. */
struct ox_pe_symbol {
    const char *name; /* NULL: by ordinal */
    uint16_t ordinal;
    uint32_t slot;  /* address of the 8 bytes that get its address */
    uint32_t index; /* how many came before it, plus one */
};

/* Goes to the library's next symbol. False at the end, or with library->wrong set. */
bool ox_pe_next_symbol(const struct ox_pe *pe, struct ox_pe_library *library, struct ox_pe_symbol *symbol);

struct ox_pe_export {
    uint32_t address;
    const char *forwarder; /* "LIBRARY.NAME" or "LIBRARY.#ORDINAL" instead of an address; or NULL */
};

/* Look up what the library exports; false when there is none such, or the table is damaged. */
bool ox_pe_export(const struct ox_pe *pe, const char *name, struct ox_pe_export *found);
bool ox_pe_export_ordinal(const struct ox_pe *pe, uint32_t ordinal, struct ox_pe_export *found);

/* The directory of thread-local storage: variables of which each thread has its own, and functions that are called when
 * the process and its threads start and end. */
struct ox_pe_tls {
    uint64_t size;      /* of what each thread has, in bytes */
    uint32_t index;     /* address of the 4 bytes that get the loader's number for it */
    uint32_t callbacks; /* address of the table of functions, with a zero behind it; 0: there is none */
};

/* Whether there is one. */
bool ox_pe_has_tls(const struct ox_pe *pe);

/* Reads it; its pointers are moved to `base` already (of a file: image_base). False when it is damaged. */
bool ox_pe_tls(const struct ox_pe *pe, uint64_t base, struct ox_pe_tls *tls);

/* The address of the callback at `index` of the table, or 0 behind the last one. */
uint32_t ox_pe_tls_callback(const struct ox_pe *pe, uint64_t base, const struct ox_pe_tls *tls, uint32_t index);

/* Whether code reads where a thread has its variables (gs:[0x58] of x86-64, ThreadLocalStoragePointer). Compilers address
 * it in one way: by a displacement alone. Bytes that only look like it count. */
bool ox_pe_reads_tls(const struct ox_pe *pe);

/* Functions' table for unwinding: 12 bytes a row. False when it does not lie in the image; count 0: there is none. */
bool ox_pe_functions(const struct ox_pe *pe, uint32_t *address, uint32_t *count);

/* Address of the stack cookie that the load configuration names, as the file has it (with image_base); 0: none. */
uint64_t ox_pe_cookie(const struct ox_pe *pe);

#endif
