/* A DLL from memory: what Windows' loader does with one that has no variables for each thread. A page is written to, or
 * run, never both. */
#include <string.h>

#include "modules_windows.h"
#include "pe_map.h"

#define DEFAULT_COOKIE 0x00002B992DDFA232u /* what the linker leaves there */

/* A stack cookie that is still the linker's is the loader's to set (Windows 8 and later); it has 48 bits. */
static void set_cookie(const struct ox_pe *pe, uint8_t *image)
{
    uint64_t place = ox_pe_cookie(pe) - (uint64_t)(uintptr_t)image;
    uint64_t cookie;
    LARGE_INTEGER ticks;
    FILETIME time;
    if (place < pe->headers_size || place >= pe->image_size || pe->image_size - place < sizeof cookie) {
        return;
    }
    memcpy(&cookie, image + place, sizeof cookie);
    if (cookie != DEFAULT_COOKIE) {
        return;
    }
    QueryPerformanceCounter(&ticks);
    GetSystemTimeAsFileTime(&time);
    cookie = (uint64_t)ticks.QuadPart ^ ((uint64_t)time.dwLowDateTime << 16) ^ (uint64_t)(uintptr_t)image
        ^ (uint64_t)(uintptr_t)&cookie ^ ((uint64_t)GetCurrentThreadId() << 24) ^ GetCurrentProcessId();
    cookie = (cookie * 0x9E3779B97F4A7C15u) >> 16;
    cookie += cookie == DEFAULT_COOKIE;
    memcpy(image + place, &cookie, sizeof cookie);
}

static bool protect(const struct ox_pe *pe, uint8_t *image)
{
    DWORD before;
    if (!VirtualProtect(image, pe->headers_size, PAGE_READONLY, &before)) {
        return false;
    }
    for (unsigned i = 0; i < pe->section_count; i++) {
        struct ox_pe_section section = ox_pe_section(pe, i);
        DWORD access = PAGE_READONLY;
        if ((section.flags & OX_PE_EXECUTE) != 0) {
            access = PAGE_EXECUTE_READ; /* ox_pe_refused: it is not written to */
        } else if ((section.flags & (uint32_t)OX_PE_WRITE) != 0) {
            access = PAGE_READWRITE;
        }
        if (section.size != 0 && !VirtualProtect(image + section.address, section.size, access, &before)) {
            return false;
        }
    }
    return FlushInstructionCache(GetCurrentProcess(), image, pe->image_size);
}

static bool finish(const struct ox_pe *pe, uint8_t *image)
{
    uint32_t address;
    uint32_t count;
    return protect(pe, image) && ox_pe_functions(pe, &address, &count)
        && (count == 0 || RtlAddFunctionTable((PRUNTIME_FUNCTION)(void *)(image + address), count, (DWORD64)image));
}

/* What nobody reads (ox_pe_refused): a value with which reading it would not find another library's variables. */
static void set_tls_index(const struct ox_pe *pe, uint8_t *image)
{
    struct ox_pe_tls tls;
    if (ox_pe_has_tls(pe) && ox_pe_tls(pe, (uint64_t)(uintptr_t)image, &tls)) {
        memset(image + tls.index, 0xFF, sizeof tls.index);
    }
}

/* Callbacks hear of the process's start, as Windows calls them: before DllMain. As DllMain they do not hear of threads nor of
 * the end: what MinGW's do then is to destroy a thread's variables (of emulated thread-local storage), which stay. */
static void start_tls(const struct ox_pe *pe, uint8_t *image)
{
    typedef void WINAPI callback_function(HINSTANCE self, DWORD reason, LPVOID reserved);
    uint64_t base = (uint64_t)(uintptr_t)image;
    struct ox_pe_tls tls;
    if (!ox_pe_has_tls(pe) || !ox_pe_tls(pe, base, &tls)) {
        return;
    }
    uint32_t address;
    for (uint32_t i = 0; (address = ox_pe_tls_callback(pe, base, &tls, i)) != 0; i++) {
        ((callback_function *)(void *)(image + address))((HINSTANCE)(void *)image, DLL_PROCESS_ATTACH, NULL);
    }
}

static bool start(const struct ox_pe *pe, uint8_t *image)
{
    typedef BOOL WINAPI entry_function(HINSTANCE self, DWORD reason, LPVOID reserved);
    start_tls(pe, image);
    if (pe->entry == 0) {
        return true;
    }
    entry_function *entry = (entry_function *)(void *)(image + pe->entry);
    return entry((HINSTANCE)(void *)image, DLL_PROCESS_ATTACH, NULL)
        || ox_load_fail(ERROR_DLL_INIT_FAILED, "its DllMain says that it cannot start");
}

struct ox_image *ox_map(const struct ox_pe *file, const struct ox_loading *loading, bool *refused)
{
    struct ox_pe pe;
    struct ox_image *image = NULL;
    uint8_t *memory = VirtualAlloc(NULL, file->image_size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (memory == NULL) {
        ox_load_fail(ERROR_NOT_ENOUGH_MEMORY, "there is no memory for %u bytes", file->image_size);
        return NULL;
    }
    const char *wrong = ox_pe_layout(file, memory);
    wrong = wrong != NULL ? wrong : ox_pe_open(&pe, memory, file->image_size, true);
    wrong = wrong != NULL ? wrong : ox_pe_relocate(&pe, memory, (uint64_t)(uintptr_t)memory);
    if (wrong != NULL) {
        ox_load_fail(ERROR_BAD_EXE_FORMAT, "%s", wrong);
    } else if ((image = ox_image_add(loading->node, true, &pe, OX_IMAGE_LOADING)) == NULL) {
        ox_load_fail(ERROR_NOT_ENOUGH_MEMORY, "there is no memory");
    }
    if (image == NULL) {
        VirtualFree(memory, 0, MEM_RELEASE);
        return NULL;
    }
    /* From here on others may have its addresses (libraries that need each other): its memory stays, also when it fails. */
    bool good = ox_bind(image, loading);
    if (good) {
        set_cookie(&pe, memory);
        set_tls_index(&pe, memory);
        *refused = !finish(&pe, memory);
        good = !*refused && start(&pe, memory);
    }
    atomic_store_explicit(&image->state, good ? OX_IMAGE_READY : OX_IMAGE_FAILED, memory_order_release);
    return good ? image : NULL;
}
