/* Names of macOS's libraries to what is behind them: the tables of the shims, then the names that glibc shares. */
#define _GNU_SOURCE
#include "system.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The units that stand for libSystem. */
#define UNITS(DO)                                                                                                \
    DO(dyld) DO(errno) DO(stat) DO(files) DO(directories) DO(memory) DO(clocks) \
    DO(processes) DO(spawn) DO(signals) DO(jumps) DO(threads) DO(locks) DO(semaphores) \
    DO(sockets) DO(messages) DO(socket_options) DO(resolver) DO(kqueue) DO(polling) DO(terminal) \
    DO(limits) DO(sysctl) DO(mach) DO(locale) DO(ctype) DO(stdio) DO(users) \
    DO(strings) DO(text) DO(maths) DO(malloc) DO(random) DO(copying) DO(ndbm) \
    DO(unwind) DO(runtime)

#define DECLARE(unit) extern const struct symbol_table unit##_table;
UNITS(DECLARE)
DECLARE(corefoundation)
DECLARE(systemconfiguration)

#define ROW(unit) &unit##_table,
static const struct symbol_table *const libsystem_tables[] = {UNITS(ROW)};
static const struct symbol_table *const corefoundation_tables[] = {&corefoundation_table};
static const struct symbol_table *const systemconfiguration_tables[] = {&systemconfiguration_table};

static const struct system_library libraries[] = {
    {"/usr/lib/libSystem.B.dylib", libsystem_tables, sizeof libsystem_tables / sizeof *libsystem_tables, true},
    {"/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation", corefoundation_tables, 1, false},
    {"/System/Library/Frameworks/SystemConfiguration.framework/Versions/A/SystemConfiguration",
     systemconfiguration_tables, 1, false},
};

enum {
    LIBRARY_COUNT = sizeof libraries / sizeof *libraries,
};

/* Other paths that lead to libSystem. */
static const char *const libsystem_names[] = {
    "/usr/lib/libSystem.dylib",
    "/usr/lib/libc.dylib",
    "/usr/lib/libm.dylib",
    "/usr/lib/libpthread.dylib",
    "/usr/lib/libdl.dylib",
    "/usr/lib/libinfo.dylib",
    "/usr/lib/libutil.dylib",
    "/usr/lib/libutil1.0.dylib",
    "/System/Library/Frameworks/System.framework/System",
    "/System/Library/Frameworks/System.framework/Versions/B/System",
};

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path);
    size_t tail = strlen(end);
    return length >= tail && strcmp(path + length - tail, end) == 0;
}

const struct system_library *system_library(const char *path)
{
    static const char frameworks[] = "/System/Library/Frameworks/";
    if (strncmp(path, "/usr/lib/system/", strlen("/usr/lib/system/")) == 0) {
        return &libraries[0];
    }
    for (size_t i = 0; i < sizeof libsystem_names / sizeof *libsystem_names; i++) {
        if (strcmp(path, libsystem_names[i]) == 0) {
            return &libraries[0];
        }
    }
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        if (strcmp(path, libraries[i].install_name) == 0) {
            return &libraries[i];
        }
        /* Foo.framework/Foo is a link to Foo.framework/Versions/A/Foo. */
        const char *leaf = strrchr(libraries[i].install_name, '/');
        if (strncmp(path, frameworks, strlen(frameworks)) == 0 && ends_with(path, leaf)) {
            return &libraries[i];
        }
    }
    return NULL;
}

bool system_path(const char *path)
{
    return strncmp(path, "/usr/lib/", strlen("/usr/lib/")) == 0 ||
           strncmp(path, "/System/", strlen("/System/")) == 0;
}

bool system_is_library(const void *handle)
{
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        if (handle == &libraries[i]) {
            return true;
        }
    }
    return false;
}

/* All names of one library, sorted. */
struct symbol_index {
    struct symbol *symbols;
    size_t count;
};

static struct symbol_index indexes[LIBRARY_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static void add_same(struct symbol_index *index)
{
    for (size_t i = 0; i < same_count; i++) {
        void *address = dlsym(RTLD_DEFAULT, same_names[i] + 1);
        if (!address) {
            fprintf(stderr, "macho: this system's C library has no %s\n", same_names[i] + 1);
            abort();
        }
        index->symbols[index->count++] = (struct symbol){same_names[i], address};
    }
}

static void build_indexes(void)
{
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        const struct system_library *library = &libraries[i];
        struct symbol_index *index = &indexes[i];
        size_t room = library->glibc ? same_count : 0;
        for (size_t k = 0; k < library->table_count; k++) {
            room += library->tables[k]->count;
        }
        index->symbols = calloc(room + 1, sizeof *index->symbols);
        if (!index->symbols) {
            abort();
        }
        for (size_t k = 0; k < library->table_count; k++) {
            const struct symbol_table *table = library->tables[k];
            memcpy(index->symbols + index->count, table->symbols, table->count * sizeof *table->symbols);
            index->count += table->count;
        }
        if (library->glibc) {
            add_same(index);
        }
        qsort(index->symbols, index->count, sizeof *index->symbols, by_name);
        for (size_t k = 1; k < index->count; k++) {
            if (strcmp(index->symbols[k - 1].name, index->symbols[k].name) == 0) {
                fprintf(stderr, "macho: %s is in two tables\n", index->symbols[k].name);
                abort();
            }
        }
    }
}

static const struct symbol *find(const struct system_library *library, const char *name)
{
    pthread_once(&once, build_indexes);
    const struct symbol_index *index = &indexes[library - libraries];
    const struct symbol wanted = {.name = name};
    return bsearch(&wanted, index->symbols, index->count, sizeof wanted, by_name);
}

bool system_symbol(const struct system_library *library, const char *name, uintptr_t *value)
{
    const struct symbol *symbol = find(library, name);
    const char *suffix = strchr(name, '$');
    char plain[256];
    if (!symbol && suffix && (size_t)(suffix - name) < sizeof plain) {
        memcpy(plain, name, (size_t)(suffix - name));
        plain[suffix - name] = '\0';
        symbol = find(library, plain);
    }
    if (symbol) {
        *value = (uintptr_t)symbol->address;
    }
    return symbol;
}

bool system_any_symbol(const char *name, uintptr_t *value)
{
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        if (system_symbol(&libraries[i], name, value)) {
            return true;
        }
    }
    return false;
}

const char *system_symbol_at(const void *address)
{
    pthread_once(&once, build_indexes);
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        for (size_t k = 0; k < indexes[i].count; k++) {
            if (indexes[i].symbols[k].address == address) {
                return indexes[i].symbols[k].name;
            }
        }
    }
    return NULL;
}

void system_print(void)
{
    pthread_once(&once, build_indexes);
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        for (size_t k = 0; k < indexes[i].count; k++) {
            printf("%s\t%s\n", indexes[i].symbols[k].name, libraries[i].install_name);
        }
    }
}
