/* What stands in the place of a function that this program does not have: it says so and aborts. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "image.h"

enum {
    STUB = 48,
    PAGE_STUBS = 4096 / STUB,
};

static _Noreturn void called(const char *name, const char *library)
{
    fprintf(stderr, "macho: %s of %s was called, and this loader does not have it\n", name, library);
    abort();
}

static uint8_t *put64(uint8_t *at, uint8_t prefix, uint8_t opcode, uint64_t value)
{
    *at++ = prefix;
    *at++ = opcode;
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

uintptr_t missing_stub(const char *name, const char *library)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint8_t *page;
    static unsigned used = PAGE_STUBS;
    pthread_mutex_lock(&lock);
    if (used == PAGE_STUBS) {
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) {
            abort();
        }
        used = 0;
    }
    uint8_t *stub = page + STUB * used++;
    /* mov $name, %rdi; mov $library, %rsi; mov $called, %rax; jmp *%rax */
    uint8_t *at = put64(stub, 0x48, 0xbf, (uint64_t)(uintptr_t)strdup(name));
    at = put64(at, 0x48, 0xbe, (uint64_t)(uintptr_t)strdup(library));
    at = put64(at, 0x48, 0xb8, (uint64_t)(uintptr_t)&called);
    *at++ = 0xff;
    *at = 0xe0;
    pthread_mutex_unlock(&lock);
    return (uintptr_t)stub;
}
