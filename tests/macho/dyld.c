/* <dlfcn.h>, <mach-o/dyld.h> and <mach-o/getsect.h> over the images. */
#define _GNU_SOURCE
#include "dyld.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "darwin.h"
#include "image.h"
#include "process.h"

enum {
    DARWIN_RTLD_NOLOAD = 0x10,
    DARWIN_RTLD_FIRST = 0x100,
    DARWIN_RTLD_NEXT = -1,
    DARWIN_RTLD_DEFAULT = -2,
    DARWIN_RTLD_SELF = -3,
    DARWIN_RTLD_MAIN_ONLY = -5,
};

/* Recursive: initialisers may load, too. */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static __thread bool error_set;

static void *dl_error(void)
{
    error_set = true;
    return NULL;
}

static char *darwin_dlerror(void)
{
    bool set = error_set;
    error_set = false;
    return set ? (char *)failure() : NULL;
}

/* Only a leaf name, or one that dyld would look for in /usr/lib: the system's own libraries. */
static const struct system_library *system_by_any_name(const char *path)
{
    const struct system_library *library = system_library(path);
    char below[PATH_MAX];
    if (!library && !strchr(path, '/') && snprintf(below, sizeof below, "/usr/lib/%s", path) < PATH_MAX) {
        library = system_library(below);
    }
    return library;
}

static void *darwin_dlopen(const char *path, int mode)
{
    if (!path) {
        return (void *)(intptr_t)(mode & DARWIN_RTLD_FIRST ? DARWIN_RTLD_MAIN_ONLY : DARWIN_RTLD_DEFAULT);
    }
    const struct system_library *system = system_by_any_name(path);
    if (system) {
        return (void *)system;
    }
    pthread_mutex_lock(&lock);
    struct image *caller = image_of(__builtin_return_address(0));
    struct image *image = image_load(path, caller, mode & DARWIN_RTLD_NOLOAD);
    if (image) {
        image_initialise(image);
    } else {
        char text[PATH_MAX];
        snprintf(text, sizeof text, "%s", failure());
        fail("dlopen(%s, 0x%04X): %s", path, (unsigned)mode, text);
        trace("%s", failure());
    }
    pthread_mutex_unlock(&lock);
    return image ? image : dl_error();
}

static bool is_image(const void *handle)
{
    for (const struct image *image = images; image; image = image->next) {
        if (image == handle) {
            return true;
        }
    }
    return false;
}

static int darwin_dlclose(void *handle)
{
    intptr_t number = (intptr_t)handle;
    if ((number < 0 && number >= DARWIN_RTLD_MAIN_ONLY) || is_image(handle) || system_is_library(handle)) {
        return 0; /* nothing is unloaded; macOS leaves most libraries, too */
    }
    fail("dlclose(%p): invalid handle", handle);
    dl_error();
    return -1;
}

/* A handle's names: those of the image, then those of all that it depends on. */
static bool find_below(const struct image *image, const char *name, uintptr_t *value, int depth)
{
    if (image_export(image, name, value)) {
        return true;
    }
    for (size_t i = 0; depth < 8 && i < image->dependency_count; i++) {
        const struct dependency *dependency = &image->dependencies[i];
        if (dependency->image ? find_below(dependency->image, name, value, depth + 1)
                              : resolve_dependency(dependency, name, value)) {
            return true;
        }
    }
    return false;
}

static bool find_in(void *handle, const char *name, const void *caller, uintptr_t *value)
{
    const struct image *self = image_of(caller);
    switch ((intptr_t)handle) {
    case DARWIN_RTLD_DEFAULT:
        return resolve_flat(name, value);
    case DARWIN_RTLD_MAIN_ONLY:
        return image_export(images, name, value);
    case DARWIN_RTLD_SELF:
        return resolve_from(self, name, value);
    case DARWIN_RTLD_NEXT:
        return resolve_from(self ? self->next : NULL, name, value);
    }
    if (system_is_library(handle)) {
        return system_symbol(handle, name, value);
    }
    return is_image(handle) && find_below(handle, name, value, 0);
}

static void *darwin_dlsym(void *handle, const char *name)
{
    char underscored[1024];
    uintptr_t value = 0;
    bool fits = snprintf(underscored, sizeof underscored, "_%s", name) < (int)sizeof underscored;
    pthread_mutex_lock(&lock);
    bool found = fits && find_in(handle, underscored, __builtin_return_address(0), &value);
    pthread_mutex_unlock(&lock);
    if (!found) {
        fail("dlsym(%p, %s): symbol not found", handle, name);
        return dl_error();
    }
    return (void *)value;
}

struct darwin_dl_info {
    const char *dli_fname;
    const void *dli_fbase;
    const char *dli_sname;
    const void *dli_saddr;
};

static int darwin_dladdr(const void *address, struct darwin_dl_info *info)
{
    memset(info, 0, sizeof *info);
    const struct image *image = image_of(address);
    if (image) {
        info->dli_fname = image->path;
        info->dli_fbase = image->header;
        info->dli_sname = image_symbol_at(image, address, &info->dli_saddr);
    } else if ((info->dli_sname = system_symbol_at(address))) {
        info->dli_fname = "/usr/lib/libSystem.B.dylib";
        info->dli_fbase = info->dli_saddr = address;
    } else {
        return 0;
    }
    if (info->dli_sname && *info->dli_sname == '_') {
        info->dli_sname++;
    }
    return 1;
}

static bool darwin_dlopen_preflight(const char *path)
{
    return system_by_any_name(path) || access(path, R_OK) == 0;
}

static int darwin__NSGetExecutablePath(char *buffer, uint32_t *size)
{
    size_t needed = strlen(process.program) + 1;
    if (*size < needed) {
        *size = (uint32_t)needed;
        return -1;
    }
    memcpy(buffer, process.program, needed);
    return 0;
}

static char ***darwin__NSGetEnviron(void)
{
    extern char **environ;
    return &environ;
}

static char ***darwin__NSGetArgv(void)
{
    return &process.argv;
}

static int *darwin__NSGetArgc(void)
{
    return &process.argc;
}

static char **darwin__NSGetProgname(void)
{
    return &program_invocation_short_name;
}

static const struct mach_header_64 *darwin__NSGetMachExecuteHeader(void)
{
    return images->header;
}

static uint32_t darwin__dyld_image_count(void)
{
    uint32_t count = 0;
    for (const struct image *image = images; image; image = image->next) {
        count++;
    }
    return count;
}

static const struct image *image_number(uint32_t index)
{
    const struct image *image = images;
    while (image && index--) {
        image = image->next;
    }
    return image;
}

static const struct mach_header_64 *darwin__dyld_get_image_header(uint32_t index)
{
    const struct image *image = image_number(index);
    return image ? image->header : NULL;
}

static const char *darwin__dyld_get_image_name(uint32_t index)
{
    const struct image *image = image_number(index);
    return image ? image->path : NULL;
}

static intptr_t darwin__dyld_get_image_vmaddr_slide(uint32_t index)
{
    const struct image *image = image_number(index);
    return image ? image->slide : 0;
}

typedef void image_callback(const struct mach_header_64 *header, intptr_t slide);

static image_callback *added[16];
static size_t added_count;

void dyld_image_added(const struct image *image)
{
    for (size_t i = 0; i < added_count; i++) {
        added[i](image->header, image->slide);
    }
}

static void darwin__dyld_register_func_for_add_image(image_callback *callback)
{
    if (added_count == sizeof added / sizeof *added) {
        fputs("macho: too many calls of _dyld_register_func_for_add_image\n", stderr);
        abort();
    }
    added[added_count++] = callback;
    for (const struct image *image = images; image; image = image->next) {
        callback(image->header, image->slide);
    }
}

static void darwin__dyld_register_func_for_remove_image(image_callback *callback)
{
    (void)callback; /* none is ever removed */
}

static bool darwin__dyld_shared_cache_contains_path(const char *path)
{
    return system_library(path) != NULL;
}

static const struct image *image_of_header(const struct mach_header_64 *header)
{
    const struct image *image = images;
    while (image && image->header != header) {
        image = image->next;
    }
    return image;
}

static uint8_t *darwin_getsectiondata(const struct mach_header_64 *header, const char *segment, const char *name,
                                      unsigned long *size)
{
    const struct image *image = image_of_header(header);
    for (size_t i = 0; image && i < image->section_count; i++) {
        const struct section *section = &image->sections[i];
        if (strcmp(section->segment, segment) == 0 && strcmp(section->name, name) == 0) {
            *size = section->size;
            return (uint8_t *)(section->addr + (uint64_t)image->slide);
        }
    }
    *size = 0;
    return NULL;
}

static uint8_t *darwin_getsegmentdata(const struct mach_header_64 *header, const char *name, unsigned long *size)
{
    const struct image *image = image_of_header(header);
    for (size_t i = 0; image && i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (strcmp(segment->name, name) == 0) {
            *size = segment->vmsize;
            return (uint8_t *)(segment->vmaddr + (uint64_t)image->slide);
        }
    }
    *size = 0;
    return NULL;
}

static const void *darwin_dyld_image_header_containing_address(const void *address)
{
    const struct image *image = image_of(address);
    return image ? image->header : NULL;
}

static const char *darwin_dyld_image_path_containing_address(const void *address)
{
    const struct image *image = image_of(address);
    return image ? image->path : NULL;
}

/* Lazy pointers are bound at the start, and thread-local variables get their own function: neither is ever called. */
static void darwin_dyld_stub_binder(void)
{
    abort();
}

static void darwin__tlv_bootstrap(void)
{
    abort();
}

extern int __cxa_thread_atexit_impl(void (*function)(void *), void *object, void *dso);

static void darwin__tlv_atexit(void (*function)(void *), void *object)
{
    extern void *__dso_handle;
    __cxa_thread_atexit_impl(function, object, &__dso_handle);
}

struct build_version {
    uint32_t platform, version;
};

static bool darwin__availability_version_check(uint32_t count, const struct build_version *versions)
{
    for (uint32_t i = 0; i < count; i++) {
        if (versions[i].platform == 1) { /* PLATFORM_MACOS */
            return versions[i].version <= DARWIN_PRODUCT_VERSION;
        }
    }
    return false;
}

static const struct symbol dyld_symbols[] = {
    SHIM(dlopen),
    SHIM(dlclose),
    SHIM(dlsym),
    SHIM(dlerror),
    SHIM(dladdr),
    SHIM(dlopen_preflight),
    SHIM(_NSGetExecutablePath),
    SHIM(_NSGetEnviron),
    SHIM(_NSGetArgv),
    SHIM(_NSGetArgc),
    SHIM(_NSGetProgname),
    SHIM(_NSGetMachExecuteHeader),
    SHIM(_dyld_image_count),
    SHIM(_dyld_get_image_header),
    SHIM(_dyld_get_image_name),
    SHIM(_dyld_get_image_vmaddr_slide),
    SHIM(_dyld_register_func_for_add_image),
    SHIM(_dyld_register_func_for_remove_image),
    SHIM(_dyld_shared_cache_contains_path),
    SHIM(getsectiondata),
    SHIM(getsegmentdata),
    SHIM(dyld_image_header_containing_address),
    SHIM(dyld_image_path_containing_address),
    SHIM_AS("dyld_stub_binder", dyld_stub_binder),
    SHIM(_tlv_bootstrap),
    SHIM(_tlv_atexit),
    SHIM(_availability_version_check),
};

SYMBOL_TABLE(dyld);
