/* stub_linux.c: starts a launcher that is stored compressed (image.h).
 *
 * A freestanding static PIE. It decompresses the launcher's memory image to where it will run, tells it where
 * the blob lies, maps the program interpreter (ld.so) that the launcher asks for, sets the auxiliary vector as the
 * kernel would have set it for the launcher itself, and jumps. Nothing is written to disk and no second program
 * is executed, so /proc/self/exe stays the user's file. See elf(5), getauxval(3) and the System V gABI.
 *
 * There is no libc here: system calls are made directly, and there is no relocation to apply (the build checks).
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "../resources.h"
#include "image.h"
#include "image_numbers.h"

enum { EXIT_DAMAGED = 70, HEADERS = 4096, O_RDONLY_CLOEXEC = 02000000, AT_CWD = -100 };

#define OX_TEXT(n) #n
#define OX_STRING(n) OX_TEXT(n)
#define PAGE_UP(n) (((n) + page_size - 1) & ~(page_size - 1))
#define PAGE_DOWN(n) ((n) & ~(page_size - 1))

extern const unsigned char __ehdr_start[] __attribute__((visibility("hidden")));
extern const unsigned char ox_frame[] __attribute__((visibility("hidden")));

/* The frame follows the structure that inspect finds it by. */
__asm__(".pushsection .rodata.oximage,\"a\",%progbits\n"
        ".balign 16\n.hidden ox_squeezed\n.globl ox_squeezed\nox_squeezed:\n"
        ".ascii \"" OX_SQUEEZED_MAGIC "\"\n"
        ".quad 48, " OX_STRING(OX_IMAGE_STORED) ", " OX_STRING(OX_IMAGE_SIZE) ", " OX_STRING(OX_IMAGE_LOCATOR) "\n"
        ".hidden ox_frame\n.globl ox_frame\nox_frame:\n.incbin \"image.zst\"\n.popsection\n");

/* Filled in by `link`, as in every launcher. */
static const volatile struct ox_locator locator
    __attribute__((used, section(".rodata.oxlocator"), aligned(16))) = {.magic = OX_LOCATOR_MAGIC};

/* The program header that `link` turns into the blob's: as in locate_linux.c. */
__asm__(".pushsection .note.oxcross,\"a\",%note\n"
        ".balign 16\n"
        ".long 8, 4, 1\n"
        ".ascii \"oxcross\\0\"\n"
        ".long 0\n"
        ".popsection\n");

static size_t page_size = 4096;

static long call(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "no system call convention is written down for this machine"
#endif
}

/* The process starts here; the stack pointer is what the kernel set and what ld.so will see again. */
#if defined(__x86_64__)
__asm__(".globl _start\n.hidden _start\n_start:\n"
        "xor %ebp, %ebp\n mov %rsp, %rbx\n mov %rsp, %rdi\n call ox_stub\n mov %rbx, %rsp\n xor %edx, %edx\n jmp *%rax\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n.hidden _start\n_start:\n"
        "mov x29, #0\n mov x30, #0\n mov x0, sp\n bl ox_stub\n mov x16, x0\n mov x0, #0\n br x16\n");
#endif

/* zstd is given its memory, and never asks for any. */
void *malloc(size_t size) { (void)size; return NULL; }
void *calloc(size_t count, size_t size) { (void)count, (void)size; return NULL; }
void free(void *memory) { (void)memory; }

static size_t length(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

static _Noreturn void fail(const char *name, const char *what)
{
    const char *parts[] = {"oxcross: ", name, ": ", what, "\n"};
    for (unsigned n = 0; n < sizeof parts / sizeof *parts; n++)
        call(SYS_write, 2, (long)parts[n], (long)length(parts[n]), 0, 0, 0);
    for (;;)
        call(SYS_exit_group, EXIT_DAMAGED, 0, 0, 0, 0, 0);
}

static unsigned char *map(void *at, size_t size, int protection, int flags, int file, uint64_t offset)
{
    long result = call(SYS_mmap, (long)at, (long)size, protection, flags, file, (long)offset);
    return result < 0 && result > -4096 ? NULL : (unsigned char *)result;
}

static int protection_of(const Elf64_Phdr *segment)
{
    return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
           (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Bytes from the lowest to the highest address that an ELF file's segments take; 0: none. */
static size_t span(const Elf64_Phdr *segments, unsigned count)
{
    uint64_t end = 0;
    for (unsigned n = 0; n < count; n++)
        if (segments[n].p_type == PT_LOAD && segments[n].p_vaddr + segments[n].p_memsz > end)
            end = segments[n].p_vaddr + segments[n].p_memsz;
    return end > (1u << 30) ? 0 : PAGE_UP(end);
}

/* Whether the executable's file is shorter than `link` made it. By its path, not through the link: debuggers and
 * valgrind answer readlink(2) for the program that they run. */
static int is_truncated(void)
{
    char path[4096];
    struct stat status;
    long size = call(SYS_readlinkat, AT_CWD, (long)"/proc/self/exe", (long)path, sizeof path - 1, 0, 0);
    if (size <= 0)
        return 0;
    path[size] = '\0';
    return call(SYS_newfstatat, AT_CWD, (long)path, (long)&status, 0, 0, 0) == 0 &&
           (uint64_t)status.st_size < locator.file_end;
}

/* Decompress the launcher to where it will run. */
static unsigned char *unpack(const char *name)
{
    size_t need = ZSTD_estimateDCtxSize();
    unsigned char *scratch = map(NULL, PAGE_UP(need), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *base =
        map(NULL, PAGE_UP(OX_IMAGE_SPAN), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ZSTD_DCtx *context = scratch ? ZSTD_initStaticDCtx(scratch, need) : NULL;
    if (!base || !context)
        fail(name, "not enough memory to start");
    size_t size = ZSTD_decompressDCtx(context, base, OX_IMAGE_SIZE, ox_frame, OX_IMAGE_STORED);
    if (ZSTD_isError(size) || size != OX_IMAGE_SIZE)
        fail(name, "damaged: its program code does not decompress");
    call(SYS_munmap, (long)scratch, (long)PAGE_UP(need), 0, 0, 0, 0);
    return base;
}

/* Map ld.so; its entry point, and its base for the auxiliary vector. */
static uintptr_t map_interpreter(const char *name, const char *path, uintptr_t *interpreter)
{
    _Alignas(16) unsigned char head[HEADERS];
    long file = call(SYS_openat, AT_CWD, (long)path, O_RDONLY_CLOEXEC, 0, 0, 0);
    if (file < 0)
        fail(name, "this system has no dynamic loader where a glibc executable expects it");
    long got = call(SYS_pread64, file, (long)head, HEADERS, 0, 0, 0);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)head;
    if (got < (long)sizeof *header || header->e_phoff > (uint64_t)got ||
        header->e_phnum > ((uint64_t)got - header->e_phoff) / sizeof(Elf64_Phdr))
        fail(name, "the system's dynamic loader cannot be read");
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(head + header->e_phoff);
    size_t size = span(segments, header->e_phnum);
    unsigned char *base = size ? map(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
    if (!base)
        fail(name, "the system's dynamic loader cannot be mapped");
    for (unsigned n = 0; n < header->e_phnum; n++) {
        const Elf64_Phdr *s = &segments[n];
        if (s->p_type != PT_LOAD)
            continue;
        uint64_t start = PAGE_DOWN(s->p_vaddr), file_end = s->p_vaddr + s->p_filesz, end = s->p_vaddr + s->p_memsz;
        int protection = protection_of(s);
        if (s->p_filesz && !map(base + start, file_end - start, protection, MAP_PRIVATE | MAP_FIXED, (int)file,
                                PAGE_DOWN(s->p_offset)))
            fail(name, "the system's dynamic loader cannot be mapped");
        if (end == file_end)
            continue;
        for (uint64_t at = file_end; at < PAGE_UP(file_end) && (protection & PROT_WRITE); at++)
            base[at] = 0;
        if (PAGE_UP(end) > PAGE_UP(file_end) &&
            !map(base + PAGE_UP(file_end), PAGE_UP(end) - PAGE_UP(file_end), protection,
                 MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0))
            fail(name, "the system's dynamic loader cannot be mapped");
    }
    call(SYS_close, file, 0, 0, 0, 0, 0);
    *interpreter = (uintptr_t)base;
    return (uintptr_t)base + header->e_entry;
}

/* Called by _start with the initial stack (argc, argv, envp, auxiliary vector); where to go on. */
__attribute__((used, visibility("hidden"))) uintptr_t ox_stub(uintptr_t *stack)
{
    const char *name = stack[0] ? (const char *)stack[1] : "?";
    uintptr_t *environment = stack + 1 + stack[0] + 1;
    while (*environment)
        environment++;
    Elf64_auxv_t *vector = (Elf64_auxv_t *)(environment + 1);
    for (Elf64_auxv_t *entry = vector; entry->a_type != AT_NULL; entry++)
        if (entry->a_type == AT_PAGESZ)
            page_size = entry->a_un.a_val;

    if (is_truncated())
        fail(name, "damaged: truncated");

    unsigned char *base = unpack(name);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)base;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(base + header->e_phoff);

    struct ox_locator *inner = (struct ox_locator *)(base + OX_IMAGE_LOCATOR);
    inner->address = locator.address ? (uintptr_t)__ehdr_start + locator.address - (uintptr_t)base : 0;
    inner->size = locator.size;
    inner->offset = locator.offset;
    inner->file_end = locator.file_end;

    uintptr_t entry = (uintptr_t)base + header->e_entry, interpreter = 0;
    for (unsigned n = 0; n < header->e_phnum; n++)
        if (segments[n].p_type == PT_INTERP)
            entry = map_interpreter(name, (const char *)(base + segments[n].p_vaddr), &interpreter);
    for (unsigned n = 0; n < header->e_phnum; n++)
        if (segments[n].p_type == PT_LOAD) {
            uint64_t start = PAGE_DOWN(segments[n].p_vaddr);
            uint64_t end = PAGE_UP(segments[n].p_vaddr + segments[n].p_memsz);
            if (call(SYS_mprotect, (long)(base + start), (long)(end - start), protection_of(&segments[n]), 0, 0, 0))
                fail(name, "this system does not let a program make code (SELinux execmem?); build it with "
                           "compression = \"zstd-resources\"");
        }
    for (Elf64_auxv_t *pair = vector; pair->a_type != AT_NULL; pair++)
        switch (pair->a_type) {
        case AT_PHDR: pair->a_un.a_val = (uintptr_t)segments; break;
        case AT_PHNUM: pair->a_un.a_val = header->e_phnum; break;
        case AT_ENTRY: pair->a_un.a_val = (uintptr_t)base + header->e_entry; break;
        case AT_BASE: pair->a_un.a_val = interpreter; break;
        default: break;
        }
    return entry;
}
