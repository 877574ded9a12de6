/* How a library's imports are found. The order is that of LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR and _DEFAULT_DIRS, with the
 * embedded libraries before the system's: the library's own folder, what the blob names, AddDllDirectory's, Windows'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hooks_windows.h"
#include "modules_windows.h"
#include "vfs.h"

#define RUNTIME_ADVICE                                                                             \
    "install Microsoft's Visual C++ runtime (https://aka.ms/vs/17/release/vc_redist.x64.exe)"

enum { LONGEST_NAME = 260, FORWARDS = 16 };

static bool begins(const char *text, const char *start)
{
    return _strnicmp(text, start, strlen(start)) == 0;
}

bool ox_is_python(const char *name)
{
    if (!begins(name, "python3")) {
        return false;
    }
    name += strlen("python3");
    name += strspn(name, "0123456789");
    return _stricmp(name, ".dll") == 0;
}

/* Whether a name of Python's DLL is that of the Python in the executable: no digits (the stable interface), or its
 * version's. Py_Version is PY_VERSION_HEX. */
bool ox_is_this_python(const char *name)
{
    if (!ox_is_python(name)) {
        return false;
    }
    const unsigned long *version
        = (const unsigned long *)(void *)OX_REAL(GetProcAddress)(OX_REAL(GetModuleHandleW)(NULL), "Py_Version");
    const char *minor = name + strlen("python3");
    return *minor == '.' || version == NULL || strtoul(minor, NULL, 10) == (*version >> 16 & 0xff);
}

/* The libraries of Visual C++ 2015 and later, which Windows does not come with. */
static bool is_runtime(const char *name)
{
    static const char *const names[] = {"vcruntime140.", "vcruntime140_", "msvcp140.", "msvcp140_", "concrt140.",
        "vcomp140.", "vccorlib140.", "mfc140."};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (begins(name, names[i])) {
            return true;
        }
    }
    return false;
}

uint32_t ox_find_library_in_folder(uint32_t folder, const char *name)
{
    uint32_t first;
    uint32_t count;
    struct ox_text text;
    if (folder >= ox.blob.node_count || !ox_blob_children(&ox.blob, folder, &first, &count)) {
        return OX_NONE;
    }
    for (uint32_t node = first; node < first + count; node++) {
        if (ox.blob.nodes[node].kind == OX_FILE && ox_vfs_name(node, &text) && _stricmp(text.data, name) == 0) {
            return node;
        }
    }
    return OX_NONE;
}

uint32_t ox_find_embedded(const char *name, uint32_t user, bool *system_first)
{
    struct ox_text text;
    uint32_t named = OX_NONE;
    *system_first = false;
    for (uint32_t i = 0; i < ox.blob.library_count && named == OX_NONE; i++) {
        const struct ox_library *library = &ox.blob.libraries[i];
        if (library->node < ox.blob.node_count && ox.blob.nodes[library->node].kind == OX_FILE
            && ox_blob_text(&ox.blob, library->soname, &text) && _stricmp(text.data, name) == 0) {
            named = library->node;
            *system_first = (library->flags & OX_LIBRARY_FALLBACK) != 0;
        }
    }
    uint32_t beside = user != OX_NONE ? ox_find_library_in_folder(ox.blob.nodes[user].parent, name) : OX_NONE;
    if (beside != OX_NONE && beside != named) {
        *system_first = false;
        return beside;
    }
    return named != OX_NONE ? named : ox_find_in_added(name);
}

static HMODULE load_system(const char *name)
{
    wchar_t wide[LONGEST_NAME];
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, wide, LONGEST_NAME) == 0) {
        return NULL;
    }
    HMODULE module = OX_REAL(LoadLibraryExW)(wide, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    return module != NULL ? module : OX_REAL(LoadLibraryExW)(wide, NULL, LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
}

static bool find_in_system(const char *name, struct ox_provider *provider)
{
    provider->kind = OX_PROVIDER_SYSTEM;
    provider->handle = load_system(name);
    if (provider->handle == NULL && begins(name, "vcruntime140")) {
        provider->kind = OX_PROVIDER_RUNTIME;
        provider->handle = load_system("ucrtbase.dll");
    }
    return provider->handle != NULL;
}

bool ox_find_provider(const char *name, const struct ox_loading *loading, struct ox_provider *provider)
{
    bool system_first;
    *provider = (struct ox_provider){.name = name};
    if (ox_is_python(name)) {
        provider->kind = OX_PROVIDER_SELF;
        provider->handle = OX_REAL(GetModuleHandleW)(NULL);
        return ox_is_this_python(name)
            || ox_load_fail(ERROR_MOD_NOT_FOUND, "it is made for another Python: it needs %.200s", name);
    }
    uint32_t node = ox_find_embedded(name, loading->node, &system_first);
    if ((node == OX_NONE || system_first) && find_in_system(name, provider)) {
        if (node == OX_NONE || provider->kind == OX_PROVIDER_SYSTEM) {
            return true;
        }
    }
    if (node != OX_NONE) {
        struct ox_loading inner
            = {.user = loading, .node = node, .depth = loading->depth + 1, .by_windows = loading->by_windows};
        provider->kind = OX_PROVIDER_EMBEDDED;
        provider->image = ox_load(&inner);
        provider->handle = provider->image != NULL ? provider->image->handle : NULL;
        return provider->image != NULL;
    }
    if (is_runtime(name)) {
        return ox_load_fail(ERROR_MOD_NOT_FOUND, "it needs %.200s: " RUNTIME_ADVICE, name);
    }
    return ox_load_fail(ERROR_MOD_NOT_FOUND, "it needs %.200s, which is not in the executable and not on this system", name);
}

/* "LIBRARY.NAME" or "LIBRARY.#ORDINAL"; the library's name has no extension, or one that is not .dll. */
static void *follow(const struct ox_image *image, const char *forwarder, unsigned depth)
{
    char name[LONGEST_NAME];
    const char *dot = strrchr(forwarder, '.');
    struct ox_loading loading = {.node = image->node, .by_windows = false};
    struct ox_provider provider;
    size_t length = dot != NULL ? (size_t)(dot - forwarder) : sizeof name;
    if (length + sizeof ".dll" > sizeof name || depth >= FORWARDS) {
        ox_load_fail(ERROR_PROC_NOT_FOUND, "an export of it leads to %.200s, which cannot be", forwarder);
        return NULL;
    }
    memcpy(name, forwarder, length);
    name[length] = '\0';
    if (strchr(name, '.') == NULL) {
        memcpy(name + length, ".dll", sizeof ".dll");
    }
    const char *symbol = dot + 1;
    uint16_t ordinal = 0;
    if (*symbol == '#') {
        ordinal = (uint16_t)strtoul(symbol + 1, NULL, 10);
        symbol = NULL;
    }
    void *address = NULL;
    ox_turn_take();
    if (ox_find_provider(name, &loading, &provider)) {
        address = provider.image != NULL && provider.image->mapped
            ? ox_find_export(provider.image, symbol, ordinal, depth + 1)
            : ox_find_symbol(&provider, symbol, ordinal);
        if (address == NULL) {
            ox_load_fail(ERROR_PROC_NOT_FOUND, "an export of it leads to %.200s, which is not there", forwarder);
        }
    }
    ox_turn_give();
    return address;
}

void *ox_find_export(const struct ox_image *image, const char *name, uint16_t ordinal, unsigned depth)
{
    struct ox_pe_export found;
    if (!(name != NULL ? ox_pe_export(&image->pe, name, &found) : ox_pe_export_ordinal(&image->pe, ordinal, &found))) {
        ox_load_fail(ERROR_PROC_NOT_FOUND, "%.200s does not have it", ox_node_name(image->node));
        return NULL;
    }
    if (found.forwarder != NULL) {
        return follow(image, found.forwarder, depth);
    }
    return (uint8_t *)image->handle + found.address;
}

void *ox_find_symbol(const struct ox_provider *provider, const char *name, uint16_t ordinal)
{
    if (provider->image != NULL && provider->image->mapped) {
        return ox_find_export(provider->image, name, ordinal, 0);
    }
    bool system = provider->kind == OX_PROVIDER_SYSTEM || provider->kind == OX_PROVIDER_RUNTIME;
    void *hook = system && name != NULL ? ox_hook_import(provider->name, name) : NULL;
    if (hook != NULL) {
        return hook;
    }
    const char *wanted = name != NULL ? name : (const char *)(uintptr_t)ordinal;
    void *address = (void *)OX_REAL(GetProcAddress)(provider->handle, wanted);
    if (address != NULL && system && name != NULL && strcmp(name, "_CxxThrowException") == 0) {
        return ox_throw_hook(address);
    }
    return address;
}

static bool fail_symbol(const struct ox_provider *provider, const char *name, uint16_t ordinal)
{
    char number[16];
    if (name == NULL) {
        snprintf(number, sizeof number, "#%u", (unsigned)ordinal);
        name = number;
    }
    if (provider->kind == OX_PROVIDER_RUNTIME || is_runtime(provider->name)) {
        return ox_load_fail(
            ERROR_PROC_NOT_FOUND, "it needs %.200s of %.100s: " RUNTIME_ADVICE, name, provider->name);
    }
    return ox_load_fail(ERROR_PROC_NOT_FOUND, "it needs %.200s of %.100s, which %s", name, provider->name,
        provider->kind == OX_PROVIDER_SELF ? "this executable's Python does not have" : "does not have it");
}

/* What a delayed import's library does not have, or where it is not there, is told when it is called: by the library's
 * own code, as everywhere. */
bool ox_bind(const struct ox_image *image, const struct ox_loading *loading)
{
    struct ox_pe_library library = {0};
    while (ox_pe_next_library(&image->pe, &library)) {
        struct ox_provider provider;
        struct ox_pe_symbol symbol = {0};
        if (!ox_find_provider(library.name, loading, &provider)) {
            if (library.delayed) {
                continue;
            }
            return false;
        }
        while (ox_pe_next_symbol(&image->pe, &library, &symbol)) {
            void *address = ox_find_symbol(&provider, symbol.name, symbol.ordinal);
            if (address != NULL) {
                memcpy((uint8_t *)image->handle + symbol.slot, &address, sizeof address);
            } else if (!library.delayed) {
                return fail_symbol(&provider, symbol.name, symbol.ordinal);
            }
        }
        if (library.wrong != NULL) {
            break;
        }
    }
    return library.wrong == NULL || ox_load_fail(ERROR_BAD_EXE_FORMAT, "%s", library.wrong);
}

bool ox_find_missing(const struct ox_pe *file, const char *self, const struct ox_loading *loading)
{
    struct ox_pe_library library = {0};
    while (ox_pe_next_library(file, &library) && !library.delayed) {
        struct ox_provider provider;
        struct ox_pe_symbol symbol = {0};
        bool own = _stricmp(library.name, self) == 0;
        if (!ox_find_provider(own ? "python3.dll" : library.name, loading, &provider)) {
            continue;
        }
        while (ox_pe_next_symbol(file, &library, &symbol)) {
            if (ox_find_symbol(&provider, symbol.name, symbol.ordinal) == NULL) {
                fail_symbol(&provider, symbol.name, symbol.ordinal);
                return true;
            }
        }
    }
    return false;
}
