/* The list of images: loading with all that is needed, initialisers, terminators. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dyld.h"
#include "image.h"
#include "process.h"

struct image *images;

static struct image **list_end(void)
{
    struct image **end = &images;
    while (*end) {
        end = &(*end)->next;
    }
    return end;
}

static struct image *find_same(const char *path)
{
    struct stat status;
    if (stat(path, &status)) {
        return NULL;
    }
    for (struct image *image = images; image; image = image->next) {
        if (image->device == status.st_dev && image->inode == status.st_ino) {
            return image;
        }
    }
    return NULL;
}

/* "@loader_path/x" and "@executable_path/x" with the folder of that image in the place of the word. */
static bool expand(const char *path, const struct image *loader, char out[PATH_MAX])
{
    static const char at_loader[] = "@loader_path/";
    static const char at_executable[] = "@executable_path/";
    const char *base = NULL;
    const char *rest = path;
    if (strncmp(path, at_loader, strlen(at_loader)) == 0) {
        base = (loader ? loader : images)->path;
        rest += strlen(at_loader);
    } else if (strncmp(path, at_executable, strlen(at_executable)) == 0) {
        base = images ? images->path : process.program;
        rest += strlen(at_executable);
    }
    int folder = base ? (int)(strrchr(base, '/') ? strrchr(base, '/') - base + 1 : 0) : 0;
    return snprintf(out, PATH_MAX, "%.*s%s", folder, base ? base : "", rest) < PATH_MAX;
}

static struct image *load(const char *path, const struct image *loader, bool existing_only);

/* The rpaths of the image, of the one that needed it, and so on up to the program. */
static struct image *load_rpath(const char *path, const struct image *loader, bool existing_only)
{
    const char *rest = path + strlen("@rpath/");
    for (const struct image *image = loader ? loader : images; image; image = image->loader) {
        for (size_t i = 0; i < image->rpath_count; i++) {
            char rpath[PATH_MAX];
            char candidate[PATH_MAX];
            if (!expand(image->rpaths[i], image, rpath) ||
                snprintf(candidate, sizeof candidate, "%s/%s", rpath, rest) >= (int)sizeof candidate) {
                continue;
            }
            if (access(candidate, F_OK) == 0) {
                return load(candidate, loader, existing_only);
            }
        }
    }
    fail("Library not loaded: %s\n  Referenced from: %s\n  Reason: no LC_RPATH leads to it", path,
         loader ? loader->path : "the program");
    return NULL;
}

static bool load_dependencies(struct image *image)
{
    for (size_t i = 0; i < image->dependency_count; i++) {
        struct dependency *dependency = &image->dependencies[i];
        dependency->system = system_library(dependency->path);
        if (dependency->system || system_path(dependency->path)) {
            continue;
        }
        dependency->image = load(dependency->path, image, false);
        if (!dependency->image && !dependency->weak) {
            return fail("Library not loaded: %s\n  Referenced from: %s\n  Reason: %s", dependency->path, image->path,
                        failure());
        }
    }
    return true;
}

static struct image *load(const char *path, const struct image *loader, bool existing_only)
{
    if (strncmp(path, "@rpath/", strlen("@rpath/")) == 0) {
        return load_rpath(path, loader, existing_only);
    }
    char expanded[PATH_MAX];
    char absolute[PATH_MAX];
    if (!expand(path, loader, expanded)) {
        fail("%s: the path is too long", path);
        return NULL;
    }
    const char *named = expanded;
    if (*expanded != '/' && realpath(expanded, absolute)) {
        named = absolute;
    }
    struct image *image = find_same(named);
    if (image || existing_only) {
        if (!image) {
            fail("%s: not loaded yet", path);
        }
        return image;
    }
    image = image_map(named);
    if (!image) {
        return NULL;
    }
    trace("%s at %p", image->path, (void *)image->base);
    image->loader = loader;
    *list_end() = image;
    return load_dependencies(image) ? image : NULL;
}

static bool bind_new(struct image *first)
{
    for (struct image *image = first; image; image = image->next) {
        if (!image_bind(image) || !tlv_prepare(image) || !image_protect(image)) {
            return false;
        }
        image->bound = true;
    }
    return true;
}

struct image *image_load(const char *path, const struct image *loader, bool existing_only)
{
    struct image **end = list_end();
    struct image *image = load(path, loader, existing_only);
    if (!image || !bind_new(*end)) {
        *end = NULL; /* what came with it stays mapped and is forgotten */
        return NULL;
    }
    for (struct image *added = *end; added; added = added->next) {
        dyld_image_added(added);
    }
    return image;
}

typedef void initialiser(int argc, char **argv, char **envp, char **apple, const void *variables);

static void run_initialisers(const struct image *image)
{
    extern char **environ;
    for (size_t i = 0; i < image->section_count; i++) {
        const struct section *section = &image->sections[i];
        uint32_t type = section->flags & SECTION_TYPE;
        size_t size = type == S_MOD_INIT_FUNC_POINTERS ? sizeof(uint64_t) : sizeof(uint32_t);
        if (type != S_MOD_INIT_FUNC_POINTERS && type != S_INIT_FUNC_OFFSETS) {
            continue;
        }
        for (uint64_t at = section->addr; at + size <= section->addr + section->size; at += size) {
            uint64_t entry = 0;
            memcpy(&entry, (const void *)(at + (uint64_t)image->slide), size);
            entry += type == S_INIT_FUNC_OFFSETS ? (uint64_t)image->base : 0;
            ((initialiser *)entry)(process.argc, process.argv, environ, process.apple, NULL);
        }
    }
}

void image_initialise(struct image *image)
{
    if (image->initialised) {
        return;
    }
    image->initialised = true; /* before: libraries may need each other in circles */
    for (size_t i = 0; i < image->dependency_count; i++) {
        if (image->dependencies[i].image) {
            image_initialise(image->dependencies[i].image);
        }
    }
    run_initialisers(image);
}

static void terminate(const struct image *image)
{
    if (!image) {
        return;
    }
    terminate(image->next);
    for (size_t i = 0; image->initialised && i < image->section_count; i++) {
        const struct section *section = &image->sections[i];
        if ((section->flags & SECTION_TYPE) != S_MOD_TERM_FUNC_POINTERS) {
            continue;
        }
        for (uint64_t at = section->addr; at + 8 <= section->addr + section->size; at += 8) {
            (*(void (**)(void))(at + (uint64_t)image->slide))();
        }
    }
}

void image_terminate_all(void)
{
    terminate(images);
}
