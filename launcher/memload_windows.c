/* The table of loaded libraries, and the way from a node to one.
 *
 * A library that another one needs is loaded before it. Mapped libraries may need each other in a circle: they get the
 * addresses of one whose DllMain has not run yet, as they would from Windows.
 *
 * Windows' loader does not see mapped libraries. So what a library that goes through the cache needs goes through the
 * cache as well, and is the copy that later ones are given; a copy that was mapped before stays what it is. */
#include "memload_windows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cache_windows.h"
#include "hooks_windows.h"
#include "memload.h"
#include "memory.h"
#include "modules_windows.h"
#include "payload.h"
#include "pe_map.h"
#include "vfs.h"

enum { DEEPEST = 100, MESSAGE_SIZE = 640 };

static _Atomic(struct ox_image *) images;
static _Thread_local char message[MESSAGE_SIZE];
static _Thread_local DWORD failure; /* its GetLastError(), which what cleans up may change */

/* Whose turn it is. */
static SRWLOCK turn = SRWLOCK_INIT;
static _Atomic DWORD owner; /* thread; 0: nobody */
static unsigned taken;      /* how many times by the owner */

void ox_turn_take(void)
{
    DWORD self = GetCurrentThreadId();
    if (atomic_load_explicit(&owner, memory_order_relaxed) != self) {
        AcquireSRWLockExclusive(&turn);
        atomic_store_explicit(&owner, self, memory_order_relaxed);
    }
    taken++;
}

void ox_turn_give(void)
{
    if (--taken == 0) {
        atomic_store_explicit(&owner, 0, memory_order_relaxed);
        ReleaseSRWLockExclusive(&turn);
    }
}

const char *ox_memload_error(void)
{
    return message;
}

const char *ox_memload_take_error(DWORD error)
{
    if (message[0] == '\0' || failure != error || error == 0) {
        return NULL;
    }
    failure = 0;
    return message;
}

bool ox_load_fail(DWORD error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    failure = error;
    SetLastError(error);
    return false;
}

bool ox_load_fail_in(const char *name)
{
    char inner[MESSAGE_SIZE];
    memcpy(inner, message, sizeof inner);
    return ox_load_fail(failure, "%.200s: %.430s", name, inner);
}

struct ox_image *ox_image_add(uint32_t node, bool mapped, const struct ox_pe *pe, enum ox_image_state state)
{
    struct ox_image *image = ox_alloc(sizeof *image);
    if (image == NULL) {
        return NULL;
    }
    *image = (struct ox_image){
        .next = atomic_load_explicit(&images, memory_order_relaxed),
        .handle = (HMODULE)pe->data,
        .node = node,
        .mapped = mapped,
        .pe = *pe,
        .state = state,
    };
    atomic_store_explicit(&images, image, memory_order_release);
    return image;
}

static struct ox_image *first(void)
{
    return atomic_load_explicit(&images, memory_order_acquire);
}

static bool is_there(const struct ox_image *image)
{
    return atomic_load_explicit(&image->state, memory_order_relaxed) != OX_IMAGE_FAILED;
}

struct ox_image *ox_image_by_handle(const void *handle)
{
    struct ox_image *image = first();
    while (image != NULL && (image->handle != handle || !is_there(image))) {
        image = image->next;
    }
    return image;
}

struct ox_image *ox_image_by_node(uint32_t node, bool by_windows)
{
    struct ox_image *image = first();
    while (image != NULL && (image->node != node || !is_there(image) || (by_windows && image->mapped))) {
        image = image->next;
    }
    return image;
}

struct ox_image *ox_image_by_name(const char *name)
{
    struct ox_image *image = first();
    while (image != NULL && (!is_there(image) || _stricmp(ox_node_name(image->node), name) != 0)) {
        image = image->next;
    }
    return image;
}

struct ox_image *ox_image_by_address(const void *address)
{
    struct ox_image *image = first();
    while (image != NULL
        && (!image->mapped || (uintptr_t)address - (uintptr_t)image->handle >= image->pe.image_size)) {
        image = image->next;
    }
    return image;
}

const char *ox_node_name(uint32_t node)
{
    struct ox_text name;
    return ox_vfs_name(node, &name) ? name.data : "?";
}

bool ox_bytes_take(uint32_t node, uint64_t room, bool changed, struct ox_bytes *bytes)
{
    const struct ox_payload *payload = &ox.blob.nodes[node].data;
    const uint8_t *stored = ox_payload_open(&ox.blob, payload);
    *bytes = (struct ox_bytes){.data = stored, .size = payload->size};
    if (stored == NULL || payload->size > INT32_MAX) {
        return ox_load_fail(ERROR_BAD_EXE_FORMAT, "%s is damaged", ox_node_name(node));
    }
    if (payload->codec == OX_RAW && !changed) {
        return true;
    }
    bytes->data = bytes->copy = ox_alloc((size_t)(payload->size + room));
    if (bytes->copy == NULL) {
        return ox_load_fail(ERROR_NOT_ENOUGH_MEMORY, "there is no memory for %s", ox_node_name(node));
    }
    if (!ox_payload_decode(&ox.blob, payload, stored, bytes->copy)) {
        ox_free(bytes->copy);
        return ox_load_fail(ERROR_BAD_EXE_FORMAT, "%s is damaged", ox_node_name(node));
    }
    return true;
}

/* What a library that goes through the cache imports from, by its new name. */
struct renaming {
    const struct ox_loading *loading;
    char self[3 * MAX_PATH]; /* the executable's file name */
    bool failed;
};

/* Loads what the library needs, so that Windows' loader finds it by its file's name. */
static const char *rename_library(const char *name, void *context)
{
    struct renaming *renaming = context;
    struct ox_provider provider;
    if (renaming->failed || !ox_find_provider(name, renaming->loading, &provider)) {
        renaming->failed = true;
        return NULL;
    }
    switch (provider.kind) {
    case OX_PROVIDER_SELF:
        return _stricmp(name, renaming->self) == 0 ? NULL : renaming->self;
    case OX_PROVIDER_RUNTIME:
        return "ucrtbase.dll";
    default:
        return NULL;
    }
}

/* The executable's file name in the code page in which Windows reads the names of imports; false when it does not have
 * all of its characters. */
static bool take_self(char *name, int size)
{
    static wchar_t path[32768]; /* the longest that Windows has; the caller has the turn */
    wchar_t back[MAX_PATH];
    DWORD length = OX_REAL(GetModuleFileNameW)(NULL, path, sizeof path / sizeof *path);
    const wchar_t *base = length == 0 ? NULL : wcsrchr(path, L'\\');
    if (base == NULL || WideCharToMultiByte(CP_ACP, 0, base + 1, -1, name, size - 1, NULL, NULL) == 0
        || MultiByteToWideChar(CP_ACP, 0, name, -1, back, MAX_PATH) == 0 || wcscmp(base + 1, back) != 0) {
        return false;
    }
    if (strchr(name, '.') == NULL) {
        strcat(name, "."); /* else it is taken for that of a .dll */
    }
    return true;
}

/* Puts the launcher's functions into what Windows has loaded. */
static void set_hooks(const struct ox_pe *pe)
{
    struct ox_pe_library library = {0};
    while (ox_pe_next_library(pe, &library) && !library.delayed) {
        struct ox_pe_symbol symbol = {0};
        while (library.lookup != 0 && ox_pe_next_symbol(pe, &library, &symbol)) {
            void *hook = symbol.name != NULL ? ox_hook_import(library.name, symbol.name) : NULL;
            void **slot = (void **)(pe->data + symbol.slot);
            DWORD before;
            DWORD unused;
            if (hook == NULL || !VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &before)) {
                continue;
            }
            if ((before & (PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_WRITECOPY)) != 0) {
                VirtualProtect(slot, sizeof *slot, PAGE_EXECUTE_READWRITE, &unused); /* other threads run code there */
            }
            *slot = hook;
            VirtualProtect(slot, sizeof *slot, before, &unused);
        }
    }
}

static struct ox_image *load_from_cache(const struct ox_loading *loading)
{
    struct ox_bytes bytes;
    struct renaming renaming = {.loading = loading};
    struct ox_image *image = NULL;
    struct ox_pe pe;
    if (!ox_bytes_take(loading->node, OX_PE_RENAME_ROOM, true, &bytes)) {
        return NULL;
    }
    uint64_t room = bytes.size + OX_PE_RENAME_ROOM;
    const char *wrong = NULL;
    if (!take_self(renaming.self, sizeof renaming.self)) {
        ox_load_fail(ERROR_INVALID_NAME, "the executable's file name cannot be written into a library");
        goto done;
    }
    wrong = ox_pe_rename(bytes.copy, &bytes.size, room, rename_library, &renaming);
    if (renaming.failed) {
        goto done;
    }
    if (wrong == NULL) {
        wrong = ox_pe_open(&pe, bytes.copy, bytes.size, false);
    }
    if (wrong != NULL) {
        ox_load_fail(ERROR_BAD_EXE_FORMAT, "%s", wrong);
        goto done;
    }
    HMODULE handle = ox_cache_load(ox_node_name(loading->node), bytes.copy, (size_t)bytes.size,
        LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
    if (handle == NULL) {
        if (failure == ERROR_PROC_NOT_FOUND) {
            ox_find_missing(&pe, renaming.self, loading);
        }
        goto done;
    }
    if (ox_pe_open(&pe, handle, pe.image_size, true) == NULL) {
        set_hooks(&pe);
    }
    image = ox_image_add(loading->node, false, &pe, OX_IMAGE_READY);
    if (image == NULL) {
        ox_load_fail(ERROR_NOT_ENOUGH_MEMORY, "there is no memory");
    }
done:
    ox_free(bytes.copy);
    return image;
}

static struct ox_image *load_mapped(const struct ox_loading *loading, bool *refused)
{
    struct ox_bytes bytes;
    struct ox_pe file;
    struct ox_image *image = NULL;
    if (!ox_bytes_take(loading->node, 0, false, &bytes)) {
        return NULL;
    }
    const char *wrong = ox_pe_open(&file, bytes.data, bytes.size, false);
    if (wrong != NULL) {
        ox_load_fail(ERROR_BAD_EXE_FORMAT, "%s", wrong);
    } else if (ox_pe_refused(&file) != NULL) {
        *refused = true;
    } else {
        image = ox_map(&file, loading, refused);
    }
    ox_free(bytes.copy);
    return image;
}

/* Whether the library is being loaded by Windows' loader already: it would look for one that is not there yet. */
static bool is_circle(const struct ox_loading *loading)
{
    for (const struct ox_loading *user = loading->user; user != NULL; user = user->user) {
        if (user->node == loading->node && user->by_windows) {
            return true;
        }
    }
    return false;
}

/* Whether a library needs this one that only Windows' loader can load: one that is mapped it would not see, and there would be
 * two of it. */
static bool is_systems(uint32_t node)
{
    for (uint32_t i = 0; i < ox.blob.library_count; i++) {
        if (ox.blob.libraries[i].node == node && (ox.blob.libraries[i].flags & OX_LIBRARY_SYSTEMS) != 0) {
            return true;
        }
    }
    return false;
}

struct ox_image *ox_load(const struct ox_loading *loading)
{
    bool refused = loading->by_windows || is_systems(loading->node);
    struct ox_image *image = ox_image_by_node(loading->node, loading->by_windows);
    if (image != NULL) {
        return image;
    }
    if (loading->depth >= DEEPEST) {
        ox_load_fail(ERROR_MOD_NOT_FOUND, "libraries need each other too deeply");
    } else if (is_circle(loading)) {
        ox_load_fail(ERROR_MOD_NOT_FOUND, "it needs a library that needs it");
    } else {
        if (!refused) {
            image = load_mapped(loading, &refused);
        }
        if (refused) {
            struct ox_loading windows = *loading;
            windows.by_windows = true;
            image = load_from_cache(&windows);
        }
    }
    if (image == NULL) {
        ox_load_fail_in(ox_node_name(loading->node));
    }
    return image;
}

/* As resources or as a picture of the image: nothing of it is run, so Windows may have the bytes as they are. */
static HMODULE load_as_data(uint32_t node, DWORD flags)
{
    struct ox_bytes bytes;
    HMODULE handle = NULL;
    if (ox_bytes_take(node, 0, false, &bytes)) {
        handle = ox_cache_load(ox_node_name(node), bytes.data, (size_t)bytes.size, flags);
        ox_free(bytes.copy);
    }
    if (handle == NULL) {
        ox_load_fail_in(ox_node_name(node));
    }
    return handle;
}

void *ox_memload(uint32_t node, int flags)
{
    const DWORD data = DONT_RESOLVE_DLL_REFERENCES | LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE
        | LOAD_LIBRARY_AS_IMAGE_RESOURCE;
    struct ox_loading loading = {.node = node};
    if (node >= ox.blob.node_count || ox.blob.nodes[node].kind != OX_FILE) {
        ox_load_fail(ERROR_MOD_NOT_FOUND, "it is no file");
        return NULL;
    }
    if (((DWORD)flags & data) != 0) {
        return load_as_data(node, (DWORD)flags);
    }
    ox_turn_take();
    struct ox_image *image = ox_load(&loading);
    if (image != NULL) {
        atomic_fetch_add_explicit(&image->references, 1, memory_order_relaxed);
    }
    ox_turn_give();
    if (image == NULL) {
        SetLastError(failure);
        return NULL;
    }
    return image->handle;
}
