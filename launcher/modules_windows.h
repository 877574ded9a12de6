/* modules_windows.h: what the units that load libraries on Windows share: the table of what they have loaded, and how
 * one library finds another. */
#ifndef OX_MODULES_WINDOWS_H
#define OX_MODULES_WINDOWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

#include "pe.h"

enum ox_image_state {
    OX_IMAGE_LOADING, /* its imports are being found, or its DllMain runs */
    OX_IMAGE_READY,
    OX_IMAGE_FAILED /* it stays in the table: others may have been given its addresses */
};

/* A library that was loaded. Rows are never taken out or changed but for the two last fields, so the table is read
 * without a lock: code that holds Windows' loader lock asks for handles and addresses. */
struct ox_image {
    struct ox_image *next;
    HMODULE handle; /* the image's first byte */
    uint32_t node;
    bool mapped;     /* by us; else by Windows, from the cache, and held by one reference of the table's */
    struct ox_pe pe; /* mapped: the image */
    _Atomic int state;
    _Atomic long references;
};

/* Puts a library into the table; the caller has the turn. NULL when there is no memory. */
struct ox_image *ox_image_add(uint32_t node, bool mapped, const struct ox_pe *pe, enum ox_image_state state);

/* What is in the table, or NULL; what failed is found by its address only. */
struct ox_image *ox_image_by_handle(const void *handle);
struct ox_image *ox_image_by_node(uint32_t node, bool by_windows); /* by_windows: only such as Windows has loaded */
struct ox_image *ox_image_by_name(const char *name);
struct ox_image *ox_image_by_address(const void *address); /* mapped ones */

/* Sets GetLastError() and ox_memload_error(). Returns false. */
bool ox_load_fail(DWORD error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "NAME: " before ox_memload_error(). Returns false. */
bool ox_load_fail_in(const char *name);

/* A library that is being loaded, and the one that needs it. */
struct ox_loading {
    const struct ox_loading *user; /* NULL: the program asked for it */
    uint32_t node;
    unsigned depth;
    bool by_windows; /* Windows' loader must find it */
};

/* Loads a library that is not there yet; the caller has the turn. NULL with the error set. */
struct ox_image *ox_load(const struct ox_loading *loading);

/* One thread loads at a time, with all that is needed; the same thread may take the turn again. */
void ox_turn_take(void);
void ox_turn_give(void);

/* A node's bytes, with `room` more behind them when the copy is to be changed. */
struct ox_bytes {
    const uint8_t *data;
    uint8_t *copy; /* to be given back with ox_free; NULL when the blob's own bytes do */
    uint64_t size;
};

bool ox_bytes_take(uint32_t node, uint64_t room, bool changed, struct ox_bytes *bytes);

/* The file name of a node; "?" when the blob is damaged. */
const char *ox_node_name(uint32_t node);

/* bind_windows.c */

enum ox_provider_kind {
    OX_PROVIDER_SELF,     /* the executable, for python3*.dll */
    OX_PROVIDER_EMBEDDED, /* image */
    OX_PROVIDER_SYSTEM,
    OX_PROVIDER_RUNTIME /* ucrtbase.dll instead of Microsoft's VCRUNTIME140*.dll */
};

/* Who has what is imported from a library of some name. */
struct ox_provider {
    enum ox_provider_kind kind;
    const char *name;
    HMODULE handle;
    struct ox_image *image;
};

/* Whether it is a name of Python's DLL: python3.dll, python313.dll. */
bool ox_is_python(const char *name);
bool ox_is_this_python(const char *name); /* and not that of another version */

/* The embedded library that a name means for the one that lies at node `user` (or OX_NONE), or OX_NONE. */
uint32_t ox_find_embedded(const char *name, uint32_t user, bool *system_first);

/* Finds and loads what `loading` imports from under this name. False with the error set. */
bool ox_find_provider(const char *name, const struct ox_loading *loading, struct ox_provider *provider);

/* The address of a symbol (name NULL: by ordinal), or NULL. */
void *ox_find_symbol(const struct ox_provider *provider, const char *name, uint16_t ordinal);

/* What a mapped library exports, or NULL with the error set. */
void *ox_find_export(const struct ox_image *image, const char *name, uint16_t ordinal, unsigned depth);

/* Fills in a mapped library's imports. False with the error set. */
bool ox_bind(const struct ox_image *image, const struct ox_loading *loading);

/* Sets the error to which symbol Windows' loader can not have found; the file calls the executable `self`. False: all are
 * there. */
bool ox_find_missing(const struct ox_pe *file, const char *self, const struct ox_loading *loading);

/* The embedded library in a directory of the virtual file system, or OX_NONE. */
uint32_t ox_find_library_in_folder(uint32_t folder, const char *name);

/* loadhooks_windows.c: the same in those that AddDllDirectory was called with. */
uint32_t ox_find_in_added(const char *name);

/* throw_windows.c */

/* What mapped libraries get for _CxxThrowException; `real` is what they would have got. */
void *ox_throw_hook(void *real);

/* map_windows.c */

/* Maps a library and calls its DllMain. NULL with the error set; *refused: nothing of it was run, and Windows' own
 * loader may do better. */
struct ox_image *ox_map(const struct ox_pe *file, const struct ox_loading *loading, bool *refused);

#endif
