/* resources.h: the oxcross blob, version 1: the format's one definition.
 *
 * The blob holds everything an executable carries: module code, files, settings. It is written by
 * oxcross/pack, read in place by the launcher and, for inspection, by oxcross/pack/reader.py.
 *
 * Rules. All integers are little-endian and naturally aligned. The blob starts on a page boundary
 * (OX_BLOB_ALIGN) in the file and in memory. It is usable as mapped: no parsing, no relocation. Every offset
 * is relative to the blob's first byte and is checked against its end on first use. The same inputs
 * give the same bytes. Padding is zero.
 *
 * Layout: ox_header, then the sections in the order of enum ox_section, each aligned to 64 bytes.
 */
#ifndef OX_RESOURCES_H
#define OX_RESOURCES_H

#include <stdint.h>

#define OX_MAGIC "\x7fOXBLOB\n" /* 8 bytes, no terminator */
#define OX_MAGIC_SIZE 8
#define OX_VERSION 1u
#define OX_BLOB_ALIGN 65536u /* the largest page size of any target */
#define OX_NONE 0xffffffffu  /* "no such index" */

enum ox_section {
    OX_STRINGS,      /* UTF-8 strings, each followed by a NUL that its length does not count */
    OX_MODULES,      /* struct ox_module[], sorted by name (bytewise) */
    OX_MODULE_SLOTS, /* struct ox_slot[], hash index over module names */
    OX_NODES,        /* struct ox_node[]; node 0 is the root; a directory's children are contiguous, sorted */
    OX_NODE_SLOTS,   /* struct ox_slot[], hash index over node paths */
    OX_LIBRARIES,    /* struct ox_library[]: shared libraries, in the order they must be loaded */
    OX_SETTINGS,     /* struct ox_setting[], in the order of enum ox_key */
    OX_DICTIONARY,   /* zstd dictionary, or empty */
    OX_MANIFEST,     /* JSON for `oxcross inspect`; the launcher never reads it */
    OX_PAYLOAD,      /* what ox_payload points into */
    OX_SECTION_COUNT
};

struct ox_span { /* 16 bytes */
    uint64_t offset; /* from the blob's first byte */
    uint64_t size;   /* in bytes */
};

struct ox_header { /* 256 bytes */
    uint8_t magic[OX_MAGIC_SIZE];
    uint32_t version;
    uint32_t header_size; /* sizeof(struct ox_header) */
    uint64_t size;        /* of the whole blob, in bytes */
    uint64_t flags;       /* none defined: 0 */
    struct ox_span sections[OX_SECTION_COUNT];
    uint32_t dictionary_check; /* of OX_DICTIONARY, as ox_payload.check */
    uint8_t reserved[28];
    uint8_t sha256[32]; /* of the whole blob with these 32 bytes zero */
};

struct ox_string { /* 8 bytes */
    uint32_t offset; /* from the start of OX_STRINGS */
    uint32_t size;   /* without the NUL */
};

enum ox_codec {
    OX_RAW = 0,      /* stored as it is: stored == size */
    OX_ZSTD = 1,     /* one zstd frame */
    OX_ZSTD_DICT = 2 /* one zstd frame made with OX_DICTIONARY */
};

struct ox_payload { /* 32 bytes */
    uint64_t offset; /* from the start of OX_PAYLOAD; 16-aligned, shared libraries 64-aligned */
    uint64_t stored; /* bytes in the blob */
    uint64_t size;   /* bytes when decoded */
    uint32_t codec;  /* enum ox_codec */
    uint32_t check;  /* of the stored bytes, see below */
};

/* ox_payload.check: the stored bytes, as one little-endian number, modulo 2^32 - 1, with 2^32 - 1 standing for
 * 0; that is the one's complement sum of their 32-bit words. It costs little and keeps damaged bytecode from
 * being run. 0: not checked (a payload without bytes). */

enum ox_module_flag {
    OX_PACKAGE = 1,   /* has __path__ */
    OX_NAMESPACE = 2, /* a package without code (PEP 420) */
    OX_EXTENSION = 4, /* code is a shared library to load, not marshalled bytecode */
    OX_STDLIB = 8,    /* part of the standard library */
    OX_LINKED = 16    /* with OX_EXTENSION: linked into the executable, see linked.h; code has no bytes */
};

/* A module that can be imported. Its code is what marshal.dumps gave for the code object (no .pyc header).
 * Code objects carry co_filename = the path below the mount point; the loader puts the mount point before it. */
struct ox_module { /* 64 bytes */
    struct ox_string name; /* dotted, full */
    struct ox_string path; /* below the mount point: "flask/__init__.py"; a namespace: "google" */
    struct ox_payload code; /* namespace: all zero */
    uint32_t flags;  /* enum ox_module_flag */
    uint32_t source; /* node of the source text, or OX_NONE */
    uint32_t zero[2];
};

enum ox_node_kind { OX_DIR = 1, OX_FILE = 2 };
enum ox_node_flag { OX_EXECUTABLE = 1 };

/* A file or directory of the virtual file system, mounted at the executable's own path. */
struct ox_node { /* 64 bytes */
    struct ox_string path; /* from the mount point, no leading or trailing slash; root: "" */
    uint32_t name;         /* offset of the last component inside path */
    uint16_t kind;         /* enum ox_node_kind */
    uint16_t flags;        /* enum ox_node_flag */
    uint32_t parent;       /* node; the root's is 0 */
    uint32_t first_child;  /* directories: node, or OX_NONE */
    uint32_t child_count;
    uint32_t module;       /* module whose source or library this file is, or OX_NONE */
    struct ox_payload data; /* files */
};

/* Hash index: open addressing, linear probing, a power of two of slots, at most half of them used, at least
 * one empty. h = FNV-1a 64 over the bytes; the probe starts at slot h & (count - 1); tag = h >> 32. */
struct ox_slot { /* 8 bytes */
    uint32_t tag;
    uint32_t index; /* OX_NONE: empty */
};

/* OX_LIBRARY_FALLBACK: compiler run-time libraries (libgcc_s, libstdc++) are taken from the system when it has
 * them, since other system libraries share them; the embedded copy serves systems without. */
enum ox_library_flag {
    OX_LIBRARY_FALLBACK = 1,
    OX_LIBRARY_NAMELESS = 2, /* the library does not have that DT_SONAME itself: it was found by its file's name */
    OX_LIBRARY_SYSTEMS = 4   /* Windows: its own loader loads it, because one needs it that only that can load */
};

/* A shared library that extension modules need by name (DT_NEEDED). */
struct ox_library { /* 16 bytes */
    struct ox_string soname;
    uint32_t node;
    uint32_t flags; /* enum ox_library_flag */
};

struct ox_setting { /* 24 bytes; repeated keys make a list */
    uint32_t key; /* enum ox_key */
    uint32_t zero;
    int64_t number;
    struct ox_string text;
};

enum ox_key {
    OX_KEY_RUN_KIND = 1,     /* number: enum ox_run */
    OX_KEY_RUN_TARGET = 2,   /* text: "pkg.mod:func", module, "path/of/file.py" below the mount, command */
    OX_KEY_APP_NAME = 3,     /* text */
    OX_KEY_APP_VERSION = 4,  /* text */
    OX_KEY_STDLIB = 5,       /* text: directory of the standard library below the mount: "lib/python3.13" */
    OX_KEY_UTF8_MODE = 16,   /* number: 0, 1; absent: 1 */
    OX_KEY_ISOLATED = 17,    /* 0: PYTHON* variables are honoured; absent: 1 */
    OX_KEY_HASH_SEED = 18,   /* absent: random; 0..4294967295 */
    OX_KEY_WARNING = 19,     /* text: one -W option; repeated */
    OX_KEY_XOPTION = 20,     /* text: one -X option; repeated */
    OX_KEY_OPTIMIZE = 21,    /* 0, 1, 2: sys.flags.optimize */
    OX_KEY_DEV_MODE = 22,
    OX_KEY_UNBUFFERED = 23,
    OX_KEY_FAULTHANDLER = 24,
    OX_KEY_VERBOSE = 25,
    OX_KEY_QUIET = 26,
    OX_KEY_INSPECT = 27,
    OX_KEY_BYTES_WARNING = 28,
    OX_KEY_INT_MAX_STR_DIGITS = 29,
    OX_KEY_EXIT = 30,        /* 0: fast (flush, atexit, threads, then exit); 1: full finalisation */
    OX_KEY_LOCALE = 31,      /* 1: setlocale(LC_CTYPE, "") as python does; absent: 1 */
    OX_KEY_ALLOCATOR = 32,   /* 0: default (pymalloc), 1: malloc, 2: mimalloc */
    OX_KEY_SITE = 33,        /* 1: import site at start; absent: 0 */
    OX_KEY_SYS_PATH = 34,    /* text: one entry added to sys.path; "$ORIGIN" is the executable's folder; repeated */
    OX_KEY_CHILD_PYTHON = 35, /* 0: children are always the application; absent: 1, see launcher/children.h */
    OX_KEY_COMMAND = 40,     /* number: enum ox_run; text: "name=target", as OX_KEY_RUN_TARGET; repeated */
    OX_KEY_FILESYSTEM = 50,  /* 0: modules come from the executable and from OX_KEY_SYS_PATH only; absent: 1 */
    OX_KEY_FROZEN = 51,      /* 0: no sys.frozen; absent: 1 */
    OX_KEY_OXIDIZED = 52,    /* 0: no sys.oxidized; absent: 1 */
    OX_KEY_MEIPASS = 53,     /* 1: sys._MEIPASS is the mount point; absent: 0 */
    OX_KEY_INNER_PATH = 54,  /* text: folder below the mount that is an entry of sys.path; repeated */
    OX_KEY_START_LINE = 55,  /* text: name of a .pth file, newline, a line of it to run at the start; number: which */
    OX_KEY_LEFT_OUT = 56,    /* text: a built-in module that cannot be imported; repeated */
    OX_KEY_LICENCES = 57     /* text: path below the mount of the licence texts of all that is inside: UTF-8, one after the
                              * other, what --oxcross-licenses prints */
};

enum ox_run {
    OX_RUN_ENTRY_POINT = 1,
    OX_RUN_MODULE = 2,
    OX_RUN_FILE = 3,
    OX_RUN_COMMAND = 4,
    OX_RUN_REPL = 5,
    OX_RUN_COMMANDS = 6 /* one of OX_KEY_COMMAND, which must be named */
};

/* How the launcher finds its blob: `link` looks for the magic in the linked launcher, exactly once, and fills
 * in the numbers. The address is relative to the image's base (__ehdr_start, __ImageBase, _mh_execute_header). */
#define OX_LOCATOR_MAGIC "OXCROSS-LOCATOR\n" /* 16 bytes, no terminator */
struct ox_locator { /* 48 bytes */
    uint8_t magic[16];
    uint64_t address;  /* of the blob in memory, from the image's base; 0: no blob */
    uint64_t size;     /* of the blob */
    uint64_t offset;   /* of the blob in the file */
    uint64_t file_end; /* the file must be at least this long: a shorter one was truncated */
};

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#include <assert.h>
static_assert(sizeof(struct ox_header) == 256, "ox_header");
static_assert(sizeof(struct ox_module) == 64, "ox_module");
static_assert(sizeof(struct ox_node) == 64, "ox_node");
static_assert(sizeof(struct ox_payload) == 32, "ox_payload");
static_assert(sizeof(struct ox_setting) == 24, "ox_setting");
static_assert(sizeof(struct ox_library) == 16, "ox_library");
static_assert(sizeof(struct ox_locator) == 48, "ox_locator");
#endif

#endif
