/* What compilers' output and other libraries' headers need. */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <libgen.h>
#include <stdint.h>

#include "darwin.h"
#include "system.h"

static uint64_t darwin___stack_chk_guard = 0x00ff0a0d6f786372;
static int darwin_optreset;

/* Called before a large frame is made, with its size in %rax, to touch its pages; it changes no register. Linux's stacks
 * need no touching in order. */
void darwin____chkstk_darwin(void);
__asm__(".text\n"
        ".globl darwin____chkstk_darwin\n"
        "darwin____chkstk_darwin:\n"
        "    ret\n");

static char *darwin_basename(char *path)
{
    return basename(path); /* <libgen.h> makes it POSIX's */
}

static int darwin_fnmatch(const char *pattern, const char *text, int flags)
{
    static const struct pair match_flags[] = {
        {0x1, FNM_NOESCAPE}, {0x2, FNM_PATHNAME}, {0x4, FNM_PERIOD}, {0x8, FNM_LEADING_DIR}, {0x10, FNM_CASEFOLD},
    };
    return fnmatch(pattern, text, (int)bits_from(PAIRS(match_flags), (uint32_t)flags));
}

static const struct symbol runtime_symbols[] = {
    SHIM(__stack_chk_guard),
    SHIM(___chkstk_darwin),
    SHIM(optreset),
    SHIM(basename),
    SHIM(fnmatch),
};

SYMBOL_TABLE(runtime);
