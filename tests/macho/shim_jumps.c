/* setjmp and longjmp: macOS's jmp_buf is 148 bytes, glibc's 200.
 *
 * Here: rbx, rbp, rsp, r12, r13, r14, r15, rip, mxcsr, the x87 control word, whether there is a signal mask, the mask. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "darwin.h"
#include "system.h"

void darwin_setjmp(void);
void darwin__setjmp(void);
void darwin_sigsetjmp(void);
void darwin_longjmp(void);

void jump_save_mask(uint32_t *mask);
void jump_restore_mask(const uint32_t *mask);

void jump_save_mask(uint32_t *mask)
{
    sigset_t native;
    pthread_sigmask(SIG_BLOCK, NULL, &native);
    *mask = signal_set_to(&native);
}

void jump_restore_mask(const uint32_t *mask)
{
    sigset_t native;
    signal_set_from(*mask, &native);
    pthread_sigmask(SIG_SETMASK, &native, NULL);
}

__asm__(".text\n"
        ".globl darwin_setjmp, darwin__setjmp, darwin_sigsetjmp, darwin_longjmp\n"
        "darwin_setjmp:\n"
        "    movl $1, %esi\n"
        "    jmp darwin_sigsetjmp\n"
        "darwin__setjmp:\n"
        "    xorl %esi, %esi\n"
        "darwin_sigsetjmp:\n"
        "    movq %rbx, (%rdi)\n"
        "    movq %rbp, 8(%rdi)\n"
        "    leaq 8(%rsp), %rdx\n"
        "    movq %rdx, 16(%rdi)\n"
        "    movq %r12, 24(%rdi)\n"
        "    movq %r13, 32(%rdi)\n"
        "    movq %r14, 40(%rdi)\n"
        "    movq %r15, 48(%rdi)\n"
        "    movq (%rsp), %rdx\n"
        "    movq %rdx, 56(%rdi)\n"
        "    stmxcsr 64(%rdi)\n"
        "    fnstcw 68(%rdi)\n"
        "    movl %esi, 72(%rdi)\n"
        "    testl %esi, %esi\n"
        "    jz 1f\n"
        "    subq $8, %rsp\n"
        "    addq $76, %rdi\n"
        "    call jump_save_mask\n"
        "    addq $8, %rsp\n"
        "1:  xorl %eax, %eax\n"
        "    ret\n"
        "darwin_longjmp:\n"
        "    cmpl $0, 72(%rdi)\n"
        "    jz 1f\n"
        "    pushq %rdi\n"
        "    pushq %rsi\n"
        "    subq $8, %rsp\n"
        "    addq $76, %rdi\n"
        "    call jump_restore_mask\n"
        "    addq $8, %rsp\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "1:  movl %esi, %eax\n"
        "    testl %eax, %eax\n"
        "    jnz 2f\n"
        "    incl %eax\n"
        "2:  ldmxcsr 64(%rdi)\n"
        "    fldcw 68(%rdi)\n"
        "    movq (%rdi), %rbx\n"
        "    movq 8(%rdi), %rbp\n"
        "    movq 16(%rdi), %rsp\n"
        "    movq 24(%rdi), %r12\n"
        "    movq 32(%rdi), %r13\n"
        "    movq 40(%rdi), %r14\n"
        "    movq 48(%rdi), %r15\n"
        "    jmp *56(%rdi)\n");

static const struct symbol jumps_symbols[] = {
    SHIM(setjmp),
    SHIM(_setjmp),
    SHIM(sigsetjmp),
    SHIM(longjmp),
    SHIM_AS("__longjmp", longjmp),
    SHIM_AS("_siglongjmp", longjmp),
};

SYMBOL_TABLE(jumps);
