/* Fuzzes the loading of shared libraries from memory: a blob with any libraries in it, of which each file is asked for in
 * turn. The system's dlopen is not called: what it would get is looked at, and it loads more, as constructors do. The
 * first two bytes: the file to begin with; what constructors, systems and programs do. Then a blob. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "real_posix.h"

/* Part of this program, under names of its own: the sanitizers need the system's. */
#undef OX_INTERPOSE
#define OX_INTERPOSE(type, name, ...) type ox_##name(__VA_ARGS__)
#define pthread_atfork(before, parent, child) ((void)(before), (void)(parent), (void)(child))
#define access(path, mode) path_access(path)
#define dlclose system_dlclose
static int path_access(const char *path);
static int system_dlclose(void *library);
#include "../memload_linux.c"

#include "payload.h"

enum { MOST = 64, LARGEST = 1 << 20, NESTED = 3, NUMBERS = 1 << 10 };

/* `odd`: the system and the program that this is. */
enum { HAS_LIBRARIES = 1, CONSTRUCTORS_LOAD = 2, FAILS = 4, NO_PROC = 8, CLOSES = 16, REUSES = 32, UNLOADS = 64 };

static struct {
    uint8_t odd;
    unsigned nested;
    unsigned loads;
    uint32_t loaded[NUMBERS]; /* the node that is known under the path of a descriptor, and one more */
} system_like;

static int path_access(const char *path)
{
    (void)path;
    return (system_like.odd & NO_PROC) != 0 ? -1 : 0;
}

static int system_dlclose(void *library)
{
    return library == &system_like ? 0 : -1;
}

bool ox_virtual_fd_node(int fd, uint32_t *node)
{
    struct stat status;
    *node = OX_NONE;
    if (fstat(fd, &status) == 0 && (status.st_mode & S_ISVTX) != 0) {
        *node = (uint32_t)status.st_mtim.tv_nsec;
    }
    return *node < ox.blob.node_count;
}

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

struct names {
    bool *changeable; /* one for each byte of the file */
    const uint8_t *data;
};

static bool mark(const char *name, size_t length, void *context)
{
    struct names *names = context;
    memset(names->changeable + ((const uint8_t *)name - names->data), true, length + 1);
    return true;
}

/* Only names of libraries that are needed may differ from what is embedded, and nothing can be written any more. */
static void check_file(uint32_t node, int fd)
{
    const struct ox_payload *payload = &ox.blob.nodes[node].data;
    const uint8_t *stored = ox_payload_open(&ox.blob, payload);
    require(stored != NULL && payload->size <= LARGEST);
    size_t size = (size_t)payload->size;
    uint8_t *embedded = malloc(size + 1);
    uint8_t *found = malloc(size + 1);
    bool *changeable = calloc(size + 1, sizeof *changeable);
    require(embedded != NULL && found != NULL && changeable != NULL);
    require(ox_payload_decode(&ox.blob, payload, stored, embedded));
    require(pread(fd, found, size + 1, 0) == (ssize_t)size);
    /* A constructor may ask for the library that is to be loaded next. */
    require(system_like.nested != 0 || pwrite(fd, "", 1, 0) < 0);
    struct names names = {.changeable = changeable, .data = embedded};
    ox_elf_needed(embedded, size, mark, &names);
    for (size_t i = 0; i < size; i++) {
        require(embedded[i] == found[i] || changeable[i]);
    }
    free(embedded);
    free(found);
    free(changeable);
}

/* Loads more, as constructors do, and perhaps fails. */
static void *load_like_system(uint32_t node, int fd)
{
    check_file(node, fd);
    if ((system_like.odd & CONSTRUCTORS_LOAD) != 0 && system_like.nested < NESTED && system_like.loads++ < MOST) {
        uint32_t next = (node + system_like.odd) % ox.blob.node_count;
        system_like.nested++;
        if (ox.blob.nodes[next].kind == OX_FILE) {
            ox_memload(next, RTLD_NOW);
        }
        system_like.nested--;
    }
    if ((system_like.odd & FAILS) != 0 && node % 3 == 0) {
        return NULL;
    }
    system_like.loaded[fd] = node + 1;
    return &system_like;
}

static void *system_dlopen(const char *path, int flags)
{
    int fd = -1;
    if (sscanf(path, MEMORY_PATH, &fd) != 1) {
        return (system_like.odd & HAS_LIBRARIES) != 0 ? &system_like : NULL; /* the system's, or a copy on disk */
    }
    require(fd >= 0 && fd < NUMBERS);
    uint32_t at = 0;
    while (at < ox.loaded_count && ox.loaded[at].fd != fd) {
        at++;
    }
    require(at < ox.loaded_count);
    uint32_t node = ox.loaded[at].node;
    if (system_like.loaded[fd] != 0) {
        require(system_like.loaded[fd] == node + 1); /* else it is the wrong library */
        return &system_like;
    }
    return (flags & RTLD_NOLOAD) != 0 ? NULL : load_like_system(node, fd);
}

/* What programs do to libraries and to descriptors that they know nothing of. */
static void be_odd(uint32_t which)
{
    if (ox.loaded_count == 0) {
        return;
    }
    int fd = ox.loaded[which % ox.loaded_count].fd;
    if ((system_like.odd & UNLOADS) != 0) {
        system_like.loaded[ox.loaded[which / 2 % ox.loaded_count].fd] = 0;
    }
    if ((system_like.odd & CLOSES) != 0) {
        close(fd);
    }
    if ((system_like.odd & REUSES) != 0) {
        dup2(STDERR_FILENO, fd);
    }
}

_Atomic(void *) ox_real_known[OX_REAL_COUNT];

void *ox_real_find(enum ox_real_name name)
{
    require(name == OX_REAL_dlopen);
    return (union { __typeof__(&system_dlopen) f; void *p; }){.f = system_dlopen}.p;
}

static int first_number;

/* Everything as before the first library. */
static void forget(void)
{
    close_range((unsigned)first_number, NUMBERS, 0);
    ox_free(ox.loaded);
    ox_free(ox.library_state);
    ox.loaded = NULL;
    ox.loaded_count = 0;
    ox.library_state = NULL;
    once = (pthread_once_t)PTHREAD_ONCE_INIT;
    ox_payload_forget();
}

static void use(unsigned first)
{
    for (uint32_t i = 0; i < ox.blob.node_count; i++) {
        uint32_t node = (first + i) % ox.blob.node_count;
        if (ox.blob.nodes[node].kind == OX_FILE) {
            ox_memload(node, RTLD_LAZY);
        }
        be_odd(first + 3 * i);
        for (uint32_t k = 0; ox.library_state != NULL && k < ox.blob.library_count; k++) {
            require(ox.library_state[k] == WAITING || ox.library_state[k] == LOADED);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 + sizeof(struct ox_header)) {
        return 0;
    }
    unsigned first = data[0];
    if (first_number == 0) {
        first_number = dup(STDERR_FILENO);
        close(first_number);
    }
    memset(&system_like, 0, sizeof system_like);
    system_like.odd = data[1];
    size -= 2;
    uint8_t *copy = aligned_alloc(64, (size + 63) / 64 * 64);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data + 2, size);
    ((struct ox_header *)(void *)copy)->size = size;
    if (ox_blob_open(&ox.blob, copy, size) == NULL && ox.blob.node_count <= MOST && ox.blob.library_count <= MOST) {
        struct ox_node *nodes = (struct ox_node *)(uintptr_t)ox.blob.nodes; /* our copy */
        for (uint32_t i = 0; i < ox.blob.node_count; i++) {
            /* Without check sums, else no changed library would get here; none that takes for ever. */
            nodes[i].data.check = 0;
            nodes[i].kind = nodes[i].data.size > LARGEST ? OX_DIR : nodes[i].kind;
        }
        use(first);
        forget();
    }
    free(copy);
    return 0;
}
