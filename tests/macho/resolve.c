/* What an import is bound to: two-level namespaces, flat lookup, weak definitions, weak imports. */

#include "image.h"
#include "process.h"

bool resolve_dependency(const struct dependency *dependency, const char *name, uintptr_t *value)
{
    if (dependency->system) {
        return system_symbol(dependency->system, name, value);
    }
    return dependency->image && image_export(dependency->image, name, value);
}

bool resolve_from(const struct image *first, const char *name, uintptr_t *value)
{
    for (const struct image *image = first; image; image = image->next) {
        if (image_export(image, name, value)) {
            return true;
        }
    }
    return system_any_symbol(name, value);
}

bool resolve_flat(const char *name, uintptr_t *value)
{
    return resolve_from(images, name, value);
}

bool resolve_weak(const char *name, uintptr_t *value)
{
    for (const struct image *image = images; image; image = image->next) {
        if (image->header->flags & MH_WEAK_DEFINES && image_export(image, name, value)) {
            return true;
        }
    }
    return false;
}

/* A name that was not found: zero when that is allowed, a stub where macOS itself would have it, an error otherwise. */
static bool not_found(const struct image *image, const struct import *import, const char *expected, bool system,
                      uintptr_t *value)
{
    if (import->weak) {
        *value = 0;
        return true;
    }
    if (system || import->lazy) {
        trace("%s needs %s from %s: missing", image->path, import->name, expected);
        *value = missing_stub(import->name, expected);
        return true;
    }
    if (import->ordinal == BIND_SPECIAL_DYLIB_FLAT_LOOKUP) {
        return fail("symbol not found in flat namespace '%s' (referenced from %s)", import->name, image->path);
    }
    return fail("Symbol not found: %s\n  Referenced from: %s\n  Expected in: %s", import->name, image->path, expected);
}

bool resolve_import(const struct image *image, const struct import *import, uintptr_t *value)
{
    switch (import->ordinal) {
    case BIND_SPECIAL_DYLIB_SELF:
        return image_export(image, import->name, value) || not_found(image, import, image->path, false, value);
    case BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE:
        return image_export(images, import->name, value) || not_found(image, import, images->path, false, value);
    case BIND_SPECIAL_DYLIB_WEAK_LOOKUP:
        if (resolve_weak(import->name, value)) {
            return true;
        }
        return resolve_flat(import->name, value) || not_found(image, import, "weak definitions", false, value);
    case BIND_SPECIAL_DYLIB_FLAT_LOOKUP:
        return resolve_flat(import->name, value) || not_found(image, import, "flat namespace", false, value);
    }
    if (import->ordinal < 1 || (uint64_t)import->ordinal > image->dependency_count) {
        return fail("%s: %s is bound to library %ld, which there is not", image->path, import->name,
                    (long)import->ordinal);
    }
    const struct dependency *dependency = &image->dependencies[import->ordinal - 1];
    return resolve_dependency(dependency, import->name, value) ||
           not_found(image, import, dependency->path, !dependency->image && system_path(dependency->path), value);
}
