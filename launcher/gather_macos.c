#include "gather_macos.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "macho.h"
#include "real_posix.h"
#include "vfs.h"

OX_INTERPOSE(void *, dlopen, const char *path, int flags);

#ifdef __aarch64__
#define MACHINE OX_MACHO_ARM64
#else
#define MACHINE OX_MACHO_X64
#endif

enum { DEEPEST = 100 };

/* A file that is put there, and the one that needs it. */
struct gathered {
    const struct gathered *user;
    unsigned depth;
    struct ox_text folder; /* below the executable */
    struct ox_macho macho;
};

struct gathering {
    struct ox_cache *cache;
    enum ox_use_of_file use;
    uint8_t *seen; /* one bit for each node */
};

static bool gather(struct gathering *gathering, uint32_t node, const struct gathered *user);

/* The embedded file that `name` leads to from the folder, or OX_NONE. */
static uint32_t file_at(const char *name, const char *start, struct ox_text folder)
{
    char path[OX_PATH_MAX];
    size_t size;
    uint32_t node;
    bool found = ox_macho_place(name, start, folder.data, folder.size, path, sizeof path, &size)
        && ox_blob_find_node(&ox.blob, path, size, &node) == OX_FOUND && ox.blob.nodes[node].kind == OX_FILE;
    return found ? node : OX_NONE;
}

/* What @executable_path is: of a program it is the folder of the one that is run; a library's is this executable's. */
static bool executable_folder(const struct gathering *gathering, const struct gathered *file, struct ox_text *folder)
{
    while (file->user != NULL) {
        file = file->user;
    }
    *folder = file->folder;
    return gathering->use == OX_TO_RUN;
}

static uint32_t file_from(
    const struct gathering *gathering, const char *name, const struct gathered *file)
{
    struct ox_text program;
    uint32_t node = file_at(name, "@loader_path", file->folder);
    if (node == OX_NONE && executable_folder(gathering, file, &program)) {
        node = file_at(name, "@executable_path", program);
    }
    return node;
}

/* The same for what is looked for in the folders (LC_RPATH) of one file. `rest` begins with a slash. */
static uint32_t file_in_folders(const struct gathering *gathering, const char *rest, const struct gathered *file)
{
    struct ox_macho_name folder = {0};
    while (ox_macho_next(&file->macho, &folder)) {
        char name[OX_PATH_MAX];
        size_t size = strlen(folder.text);
        if (folder.kind != OX_MACHO_FOLDER || size + strlen(rest) >= sizeof name) {
            continue;
        }
        memcpy(name, folder.text, size);
        memcpy(name + size, rest, strlen(rest) + 1);
        uint32_t node = file_from(gathering, name, file);
        if (node != OX_NONE) {
            return node;
        }
    }
    return OX_NONE;
}

/* The embedded library of this name, or OX_NONE. As dyld(1) has it, the folders of all that led here count. */
static uint32_t library(const struct gathering *gathering, const char *name, const struct gathered *user)
{
    static const char start[] = "@rpath/";
    if (strncmp(name, start, sizeof start - 1) != 0) {
        return file_from(gathering, name, user);
    }
    uint32_t node = OX_NONE;
    for (; user != NULL && node == OX_NONE; user = user->user) {
        node = file_in_folders(gathering, name + sizeof start - 2, user);
    }
    return node;
}

static bool gather_needed(struct gathering *gathering, const struct gathered *user)
{
    struct ox_macho_name name = {0};
    while (user->depth < DEEPEST && ox_macho_next(&user->macho, &name)) {
        uint32_t node = name.kind == OX_MACHO_NEEDED ? library(gathering, name.text, user) : OX_NONE;
        if (node != OX_NONE && !gather(gathering, node, user)) {
            return false;
        }
    }
    return true;
}

static bool is_loaded(const char *path)
{
    void *library = OX_REAL(dlopen)(path, RTLD_LAZY | RTLD_NOLOAD);
    return library != NULL && dlclose(library) == 0;
}

/* One that is for another machine, or none at all, only dyld could complain of: it need not be there. */
static bool put_library(struct gathering *gathering, uint32_t node, struct gathered *file, const struct ox_bytes *bytes)
{
    if (ox_macho_open(&file->macho, bytes->data, bytes->size, MACHINE) != NULL) {
        errno = ENOEXEC;
        return file->user != NULL;
    }
    return ox_cache_put(gathering->cache, node, bytes) && gather_needed(gathering, file);
}

static bool put_program(struct gathering *gathering, uint32_t node, struct gathered *file, const struct ox_bytes *bytes)
{
    bool script = ox_macho_open(&file->macho, bytes->data, bytes->size, MACHINE) != NULL;
    return ox_cache_put(gathering->cache, node, bytes) && (script || gather_needed(gathering, file));
}

static bool put(struct gathering *gathering, uint32_t node, struct gathered *file)
{
    struct ox_bytes bytes;
    if (!ox_bytes_open(node, &bytes, gathering->use == OX_TO_RUN)) {
        return false;
    }
    bool good = gathering->use == OX_TO_RUN ? put_program(gathering, node, file, &bytes)
                                            : put_library(gathering, node, file, &bytes);
    int error = errno;
    ox_bytes_close(&bytes);
    errno = error;
    return good;
}

static bool gather(struct gathering *gathering, uint32_t node, const struct gathered *user)
{
    struct gathered file = {.user = user, .depth = user == NULL ? 0 : user->depth + 1};
    uint8_t bit = (uint8_t)(1u << node % 8);
    if ((gathering->seen[node / 8] & bit) != 0) {
        return true;
    }
    gathering->seen[node / 8] |= bit;
    if (!ox_cache_name(gathering->cache, node) || !ox_vfs_path(node, &file.folder)) {
        return false;
    }
    uint32_t name = ox.blob.nodes[node].name;
    file.folder.size = name == 0 || name > file.folder.size ? 0 : name - 1;
    return (gathering->use == OX_TO_LOAD && is_loaded(gathering->cache->path)) || put(gathering, node, &file);
}

bool ox_gather(uint32_t node, enum ox_use_of_file use, struct ox_cache *cache)
{
    struct gathering gathering = {.cache = cache, .use = use};
    const size_t size = ox.blob.node_count / 8 + 1;
    if (!ox_cache_open(cache, use == OX_TO_RUN ? node : OX_NONE)) {
        return false;
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    gathering.seen = memory;
    bool good = gather(&gathering, node, NULL);
    int error = errno;
    munmap(memory, size);
    errno = error;
    return good && ox_cache_name(cache, node);
}
