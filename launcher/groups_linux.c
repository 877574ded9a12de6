#define _GNU_SOURCE 1
#include "groups.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "locate.h"

/* The table's address in the image and its size, both 0 in a launcher that is not compressed. oxcross/squeeze writes
 * them. volatile: the zeros are not what they hold at run time. */
__attribute__((used, visibility("hidden"))) const volatile uint64_t ox_groups_at[2] = {0, 0};

/* The image's first byte, from the linker. */
extern const uint8_t __ehdr_start[] __attribute__((visibility("hidden")));

/* Held while a group is unpacked, with all signals blocked: a handler could call what is being unpacked. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct ox_groups *table(void)
{
    return ox_groups_at[0] == 0 ? NULL : (const struct ox_groups *)(__ehdr_start + ox_groups_at[0]);
}

static uint8_t *at(uint64_t address)
{
    return (uint8_t *)(uintptr_t)__ehdr_start + address;
}

static void hold(void)
{
    pthread_mutex_lock(&lock);
}

static void release(void)
{
    pthread_mutex_unlock(&lock);
}

#if defined(__x86_64__)
/* jmp target */
static void write_thunk(uint8_t *thunk, uint64_t from, uint64_t target)
{
    int32_t distance = (int32_t)(target - (from + 5));
    thunk[0] = 0xe9;
    memcpy(thunk + 1, &distance, sizeof distance);
}

static bool is_lazy(const uint8_t *thunk)
{
    return thunk[0] != 0xe9;
}
#elif defined(__aarch64__)
/* b target */
static void write_thunk(uint8_t *thunk, uint64_t from, uint64_t target)
{
    uint32_t branch = 0x14000000u | ((uint32_t)((target - from) >> 2) & 0x03ffffffu);
    memcpy(thunk, &branch, sizeof branch);
}

static bool is_lazy(const uint8_t *thunk)
{
    uint32_t word;
    memcpy(&word, thunk, sizeof word);
    return word >> 26 != 0x14000000u >> 26;
}
#else
#error "no thunk is written down for this machine"
#endif

static void *pages(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static _Noreturn void refused(void)
{
    static const char text[] = "oxcross: this system gives a program no memory, or does not let it make code (SELinux "
                               "execmem?); build it with compression = \"zstd-resources\"\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(71); /* EX_OSERR */
}

/* Other threads run through the thunks meanwhile: they see the old page or the new one, both right. */
static void lead(const struct ox_groups *groups, const struct ox_group *group, const uint32_t *functions)
{
    if (group->thunk_count == 0) {
        return;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = ((size_t)groups->thunk_count * OX_THUNK + page - 1) / page * page;
    uint8_t *thunks = at(groups->thunks);
    uint8_t *made = pages(size);
    if (made == NULL) {
        refused();
    }
    memcpy(made, thunks, size);
    for (uint32_t n = 0; n < group->thunk_count; n++) {
        uint64_t from = groups->thunks + (uint64_t)(group->first_thunk + n) * OX_THUNK;
        write_thunk(made + (from - groups->thunks), from, group->start + functions[n]);
    }
    __builtin___clear_cache((char *)made, (char *)made + size);
    if (mprotect(made, size, PROT_READ | PROT_EXEC) != 0
        || mremap(made, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, thunks) == MAP_FAILED) {
        refused();
    }
}

static void unpack(const struct ox_groups *groups, const struct ox_group *group)
{
    size_t size = (size_t)(group->code + group->constants + group->data);
    uint8_t *memory = at(group->start);
    size_t scratch_size = ox_group_scratch(group);
    void *scratch = pages(scratch_size);
    const uint32_t *functions;
    if (scratch == NULL || mprotect(memory, size, PROT_READ | PROT_WRITE) != 0) {
        refused();
    }
    if (!ox_group_unpack(groups, group, memory, (uint64_t)(uintptr_t)__ehdr_start, (const uint64_t *)at(groups->imports),
            scratch, &functions)) {
        ox_damaged("a part of its program code does not unpack");
    }
    __builtin___clear_cache((char *)memory, (char *)memory + group->code);
    if ((group->code != 0 && mprotect(memory, (size_t)group->code, PROT_READ | PROT_EXEC) != 0)
        || (group->constants != 0 && mprotect(memory + group->code, (size_t)group->constants, PROT_READ) != 0)) {
        refused();
    }
    lead(groups, group, functions);
    munmap(scratch, scratch_size);
}

const char *ox_groups_start(void)
{
    const struct ox_groups *groups = table();
    if (groups == NULL) {
        return NULL;
    }
    const char *wrong = ox_groups_check(groups, ox_groups_at[1], (uint64_t)sysconf(_SC_PAGESIZE));
    if (wrong == NULL) {
        mprotect(at(groups->cold), (size_t)groups->cold_size, PROT_NONE); /* what is read there by mistake shall crash */
        pthread_atfork(hold, release, release);
    }
    for (uint32_t n = 0; wrong == NULL && n < groups->count; n++) {
        if ((ox_groups_rows(groups)[n].flags & OX_AT_START) != 0) {
            unpack(groups, &ox_groups_rows(groups)[n]);
        }
    }
    return wrong;
}

/* A thunk was called whose group is not unpacked yet, or was not a moment ago: where to go on. */
__attribute__((used, visibility("hidden"))) uintptr_t ox_group_enter(uintptr_t address)
{
    int kept = errno;
    const struct ox_groups *groups = table();
    const uint8_t *thunk = (const uint8_t *)address;
    uint64_t number = (address - (uintptr_t)at(groups->thunks)) / OX_THUNK;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    hold();
    if (is_lazy(thunk)) {
        const struct ox_group *group = ox_group_of_thunk(groups, (uint32_t)number);
        if (group == NULL) {
            ox_damaged("a part of its program code is missing");
        }
        unpack(groups, group);
    }
    release();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = kept;
    return address;
}

/* What every thunk leads to at first, with all that a function may be called with. The thunk is called once more then. */
#if defined(__x86_64__)
__asm__(".pushsection .text.ox_group_entry,\"ax\",@progbits\n"
        ".globl ox_group_entry\n.hidden ox_group_entry\n.type ox_group_entry, @function\n"
        "ox_group_entry:\n"
        "  push %rax\n push %rcx\n push %rdx\n push %rsi\n push %rdi\n push %r8\n push %r9\n push %r10\n"
        "  sub $128, %rsp\n"
        "  movups %xmm0, (%rsp)\n movups %xmm1, 16(%rsp)\n movups %xmm2, 32(%rsp)\n movups %xmm3, 48(%rsp)\n"
        "  movups %xmm4, 64(%rsp)\n movups %xmm5, 80(%rsp)\n movups %xmm6, 96(%rsp)\n movups %xmm7, 112(%rsp)\n"
        "  mov 192(%rsp), %rdi\n"
        "  sub $5, %rdi\n" /* the thunk: it called */
        "  call ox_group_enter\n"
        "  mov %rax, 192(%rsp)\n"
        "  movups (%rsp), %xmm0\n movups 16(%rsp), %xmm1\n movups 32(%rsp), %xmm2\n movups 48(%rsp), %xmm3\n"
        "  movups 64(%rsp), %xmm4\n movups 80(%rsp), %xmm5\n movups 96(%rsp), %xmm6\n movups 112(%rsp), %xmm7\n"
        "  add $128, %rsp\n"
        "  pop %r10\n pop %r9\n pop %r8\n pop %rdi\n pop %rsi\n pop %rdx\n pop %rcx\n pop %rax\n"
        "  ret\n"
        ".size ox_group_entry, . - ox_group_entry\n.popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text.ox_group_entry,\"ax\",@progbits\n"
        ".globl ox_group_entry\n.hidden ox_group_entry\n.type ox_group_entry, %function\n"
        "ox_group_entry:\n"
        "  stp x29, x30, [sp, #-224]!\n  mov x29, sp\n"
        "  stp x0, x1, [sp, #16]\n stp x2, x3, [sp, #32]\n stp x4, x5, [sp, #48]\n stp x6, x7, [sp, #64]\n"
        "  str x8, [sp, #80]\n"
        "  stp q0, q1, [sp, #96]\n stp q2, q3, [sp, #128]\n stp q4, q5, [sp, #160]\n stp q6, q7, [sp, #192]\n"
        "  mov x0, x16\n" /* the thunk: it left its address there */
        "  bl ox_group_enter\n"
        "  mov x16, x0\n"
        "  ldp q0, q1, [sp, #96]\n ldp q2, q3, [sp, #128]\n ldp q4, q5, [sp, #160]\n ldp q6, q7, [sp, #192]\n"
        "  ldr x8, [sp, #80]\n"
        "  ldp x0, x1, [sp, #16]\n ldp x2, x3, [sp, #32]\n ldp x4, x5, [sp, #48]\n ldp x6, x7, [sp, #64]\n"
        "  ldp x29, x30, [sp], #224\n"
        "  br x16\n"
        ".size ox_group_entry, . - ox_group_entry\n.popsection\n");
#endif

bool ox_groups_intact(void)
{
    const struct ox_groups *groups = table();
    bool good = true;
    for (uint32_t n = 0; groups != NULL && good && n < groups->count; n++) {
        const struct ox_group *group = &ox_groups_rows(groups)[n];
        if (group->flags == OX_GONE) {
            continue;
        }
        size_t size = (size_t)(group->code + group->constants + group->data);
        size_t scratch_size = ox_group_scratch(group);
        void *scratch = pages(scratch_size);
        uint8_t *memory = pages(size);
        const uint32_t *functions;
        good = scratch != NULL && memory != NULL
            && ox_group_unpack(groups, group, memory, 0, (const uint64_t *)at(groups->imports), scratch, &functions);
        munmap(memory, size);
        munmap(scratch, scratch_size);
    }
    return good;
}
