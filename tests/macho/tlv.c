/* Thread-local variables: each image has a template; a thread gets its copy on first use.
 *
 * A variable's descriptor is {function, key, offset}; code calls the function with the descriptor in %rdi and
 * takes for granted that no register but %rax (and the flags) changes. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

/* A thread's copies by key: [0] is the number of keys it has room for. */
__thread uintptr_t *tlv_blocks __attribute__((tls_model("initial-exec")));

static pthread_key_t cleanup;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const void *start;
    size_t filled, size;
} *templates; /* by key, from 1 */
static size_t template_count;

void tlv_get_address(void);

/* The fast way touches %rax and %rcx only; the slow one saves all that a C function may change (x87, SSE, AVX and
 * AVX-512: mask 0xe7, 2752 bytes with the header; the header's bytes must be zero before xsave). */
__asm__(".text\n"
        ".globl tlv_get_address\n"
        ".type tlv_get_address, @function\n"
        "tlv_get_address:\n"
        "    pushq %rcx\n"
        "    movq tlv_blocks@gottpoff(%rip), %rax\n"
        "    movq %fs:(%rax), %rax\n"
        "    testq %rax, %rax\n"
        "    jz 1f\n"
        "    movq 8(%rdi), %rcx\n"
        "    cmpq (%rax), %rcx\n"
        "    ja 1f\n"
        "    movq (%rax,%rcx,8), %rax\n"
        "    testq %rax, %rax\n"
        "    jz 1f\n"
        "    addq 16(%rdi), %rax\n"
        "    popq %rcx\n"
        "    ret\n"
        "1:  pushq %rbp\n"
        "    movq %rsp, %rbp\n"
        "    pushq %rdx\n"
        "    pushq %rsi\n"
        "    pushq %rdi\n"
        "    pushq %r8\n"
        "    pushq %r9\n"
        "    pushq %r10\n"
        "    pushq %r11\n"
        "    pushq %rbx\n"
        "    subq $2816, %rsp\n"
        "    andq $-64, %rsp\n"
        "    movq %rdi, %rbx\n"
        "    leaq 512(%rsp), %rdi\n"
        "    xorl %eax, %eax\n"
        "    movl $8, %ecx\n"
        "    rep stosq\n"
        "    movl $0xe7, %eax\n"
        "    xorl %edx, %edx\n"
        "    xsave64 (%rsp)\n"
        "    movq 8(%rbx), %rdi\n"
        "    call tlv_allocate\n"
        "    movq 16(%rbx), %rbx\n"
        "    addq %rax, %rbx\n"
        "    movl $0xe7, %eax\n"
        "    xorl %edx, %edx\n"
        "    xrstor64 (%rsp)\n"
        "    movq %rbx, %rax\n"
        "    leaq -64(%rbp), %rsp\n"
        "    popq %rbx\n"
        "    popq %r11\n"
        "    popq %r10\n"
        "    popq %r9\n"
        "    popq %r8\n"
        "    popq %rdi\n"
        "    popq %rsi\n"
        "    popq %rdx\n"
        "    popq %rbp\n"
        "    popq %rcx\n"
        "    ret\n"
        ".size tlv_get_address, . - tlv_get_address\n");

/* Destructors of other keys may still use thread-local variables, so the copies live until the last round. */
struct thread_end {
    int rounds;
};

static void free_blocks(void *data)
{
    struct thread_end *end = data;
    if (++end->rounds < 4) { /* PTHREAD_DESTRUCTOR_ITERATIONS */
        pthread_setspecific(cleanup, end);
        return;
    }
    for (uintptr_t key = 1; tlv_blocks && key <= tlv_blocks[0]; key++) {
        free((void *)tlv_blocks[key]);
    }
    free(tlv_blocks);
    tlv_blocks = NULL;
    free(end);
}

static void make_cleanup(void)
{
    if (pthread_key_create(&cleanup, free_blocks)) {
        abort();
    }
}

uintptr_t tlv_allocate(uintptr_t key);

uintptr_t tlv_allocate(uintptr_t key)
{
    pthread_once(&once, make_cleanup);
    pthread_mutex_lock(&lock);
    size_t count = template_count;
    if (key == 0 || key > count) {
        abort();
    }
    const void *start = templates[key].start;
    size_t filled = templates[key].filled;
    size_t size = templates[key].size;
    pthread_mutex_unlock(&lock);
    size_t before = tlv_blocks ? tlv_blocks[0] + 1 : 0;
    if (key >= before) {
        uintptr_t *blocks = realloc(tlv_blocks, (count + 1) * sizeof *blocks);
        if (!blocks) {
            abort();
        }
        memset(blocks + before, 0, (count + 1 - before) * sizeof *blocks);
        blocks[0] = count;
        tlv_blocks = blocks;
        if (!before) {
            pthread_setspecific(cleanup, calloc(1, sizeof(struct thread_end)));
        }
    }
    void *block = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!block) {
        abort();
    }
    memcpy(block, start, filled);
    memset((char *)block + filled, 0, size - filled);
    tlv_blocks[key] = (uintptr_t)block;
    return (uintptr_t)block;
}

/* The template is one range: what has contents, then what is zero. */
static bool find_template(const struct image *image, uint64_t *start, uint64_t *filled, uint64_t *end)
{
    *start = UINT64_MAX;
    *filled = *end = 0;
    for (size_t i = 0; i < image->section_count; i++) {
        const struct section *section = &image->sections[i];
        uint32_t type = section->flags & SECTION_TYPE;
        if (type != S_THREAD_LOCAL_REGULAR && type != S_THREAD_LOCAL_ZEROFILL) {
            continue;
        }
        uint64_t after = section->addr + section->size;
        *start = section->addr < *start ? section->addr : *start;
        *end = after > *end ? after : *end;
        if (type == S_THREAD_LOCAL_REGULAR && after > *filled) {
            *filled = after;
        }
    }
    *filled = *filled < *start ? *start : *filled;
    return *end > *start;
}

bool tlv_prepare(struct image *image)
{
    uint64_t start;
    uint64_t filled;
    uint64_t end;
    if (!find_template(image, &start, &filled, &end)) {
        start = filled = end = image->lowest;
    } else if (!image_at(image, start, end - start)) {
        return fail("%s: its thread-local variables are not in one segment", image->path);
    }
    pthread_mutex_lock(&lock);
    size_t key = template_count + 1;
    void *larger = realloc(templates, (key + 1) * sizeof *templates);
    if (!larger) {
        abort();
    }
    templates = larger;
    templates[key].start = (const void *)(start + (uint64_t)image->slide);
    templates[key].filled = filled - start;
    templates[key].size = end - start;
    template_count = key;
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < image->section_count; i++) {
        const struct section *section = &image->sections[i];
        if ((section->flags & SECTION_TYPE) != S_THREAD_LOCAL_VARIABLES) {
            continue;
        }
        for (uint64_t at = section->addr; at + 24 <= section->addr + section->size; at += 24) {
            uint64_t *descriptor = image_at(image, at, 24);
            if (!descriptor || descriptor[2] >= end - start) {
                return fail("%s: a thread-local variable is outside the template", image->path);
            }
            descriptor[0] = (uint64_t)(uintptr_t)&tlv_get_address;
            descriptor[1] = key;
        }
    }
    return true;
}
