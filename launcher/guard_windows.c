/* Exploit mitigations that Microsoft's C library would bring: the configuration that turns Control Flow Guard on, and the
 * stack protector's value.
 *
 * The directory's layout: PE Format, "The Load Configuration Structure"; the symbols in it are the linker's
 * (lld/COFF/Writer.cpp), those of the checks mingw-w64's (crt/cfguard).
 */
#define _CRT_RAND_S 1
#include <intrin.h>
#include <stdint.h>
#include <stdlib.h>

/* In assembly, for the flags are an address of four bytes. Offsets: IMAGE_LOAD_CONFIG_DIRECTORY64. */
__asm__(".pushsection .rdata,\"dr\"\n"
        ".balign 8\n"
        ".globl _load_config_used\n"
        "_load_config_used:\n"
        ".long 280\n" /* its size */
        ".zero 74\n"
        ".short 0x800\n" /* 78: LOAD_LIBRARY_SEARCH_SYSTEM32: no DLL that lies beside the executable takes the place of Windows' */
        ".zero 32\n"
        ".quad __guard_check_icall_fptr\n" /* 112 */
        ".quad __guard_dispatch_icall_fptr\n"
        ".quad __guard_fids_table\n"
        ".quad __guard_fids_count\n"
        ".long __guard_flags\n" /* 144 */
        ".zero 12\n"
        ".quad __guard_iat_table\n" /* 160 */
        ".quad __guard_iat_count\n"
        ".quad __guard_longjmp_table\n"
        ".quad __guard_longjmp_count\n"
        ".zero 72\n"
        ".quad __guard_eh_cont_table\n" /* 264 */
        ".quad __guard_eh_cont_count\n"
        ".popsection\n"
        /* Where Windows knows no Control Flow Guard, or wine: the call as it is. mingw-w64 leaves it to the C library. */
        ".text\n"
        ".globl __guard_dispatch_icall_dummy\n"
        "__guard_dispatch_icall_dummy:\n"
        "jmp *%rax\n");

uintptr_t __stack_chk_guard = 0x2b992ddfa232; /* until the process has its own */

__attribute__((constructor(101), no_stack_protector)) static void choose_guard(void)
{
    unsigned int parts[2] = {0, 0};
    if (rand_s(&parts[0]) == 0 && rand_s(&parts[1]) == 0) {
        /* A zero byte stops what copies texts. */
        __stack_chk_guard = ((uintptr_t)parts[1] << 32 | parts[0]) & ~(uintptr_t)0xff;
    }
}

_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
    __fastfail(2 /* FAST_FAIL_STACK_COOKIE_CHECK_FAILURE */);
}
