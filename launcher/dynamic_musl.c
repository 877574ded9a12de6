/* dlopen(3) and its kin for a static program, in the place of musl's, which always fail. There is one library, the
 * program itself: dlopen(NULL) gives it, and dlsym looks a name up in what the program exports, which is CPython's API
 * and libc's functions (launcher.sh.j2). */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The image's first byte and its dynamic section, from the linker. */
extern const uint8_t __ehdr_start[] __attribute__((visibility("hidden")));
extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

static _Thread_local char message[512];
static _Thread_local bool failed;

/* dlopen(NULL)'s result: any address that is nothing else's. */
static const char program;

static void __attribute__((format(printf, 1, 2))) fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    failed = true;
}

void *dlopen(const char *path, int flags)
{
    (void)flags;
    if (path != NULL) {
        fail("%s: this is a static executable, which cannot load shared libraries", path);
        return NULL;
    }
    return (void *)&program;
}

int dlclose(void *library)
{
    (void)library;
    return 0;
}

char *dlerror(void)
{
    if (!failed) {
        return NULL;
    }
    failed = false;
    return message;
}

static const void *entry(int64_t tag)
{
    for (const Elf64_Dyn *one = _DYNAMIC; one->d_tag != DT_NULL; one++) {
        if (one->d_tag == tag) {
            return __ehdr_start + one->d_un.d_ptr;
        }
    }
    return NULL;
}

/* The hash table of DT_GNU_HASH: four words, a Bloom filter of 64-bit words, buckets, and a hash for each symbol from
 * `first` on whose lowest bit ends a bucket's chain (https://sourceware.org/ml/binutils/2006-10/msg00377.html). */
static const Elf64_Sym *find(const char *name)
{
    const uint32_t *table = entry(DT_GNU_HASH);
    const Elf64_Sym *symbols = entry(DT_SYMTAB);
    const char *names = entry(DT_STRTAB);
    if (table == NULL || symbols == NULL || names == NULL || table[0] == 0) {
        return NULL;
    }
    uint32_t hash = 5381;
    for (const unsigned char *byte = (const unsigned char *)name; *byte != '\0'; byte++) {
        hash = hash * 33 + *byte;
    }
    uint32_t first = table[1];
    const uint32_t *buckets = table + 4 + 2 * (size_t)table[2];
    const uint32_t *hashes = buckets + table[0];
    uint32_t at = buckets[hash % table[0]];
    for (; at >= first; at++) {
        uint32_t other = hashes[at - first];
        if ((other | 1) == (hash | 1) && strcmp(names + symbols[at].st_name, name) == 0) {
            return symbols[at].st_shndx == SHN_UNDEF ? NULL : &symbols[at];
        }
        if ((other & 1) != 0) {
            break;
        }
    }
    return NULL;
}

/* Of functions that the launcher stands before, that one: it is called __wrap_NAME (real_linux.h). */
void *dlsym(void *restrict library, const char *restrict name)
{
    char wrapped[128];
    const Elf64_Sym *symbol = NULL;
    (void)library;
    if ((size_t)snprintf(wrapped, sizeof wrapped, "__wrap_%s", name) < sizeof wrapped) {
        symbol = find(wrapped);
    }
    if (symbol == NULL) {
        symbol = find(name);
    }
    if (symbol == NULL) {
        fail("Symbol not found: %s (a static executable has what is linked into it)", name);
        return NULL;
    }
    return (void *)(__ehdr_start + symbol->st_value);
}
