/* Regular expressions (another regex_t, wider offsets) and vis(3), which libedit writes its history with. */
#define _GNU_SOURCE
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "darwin.h"
#include "system.h"

struct darwin_regex {
    int magic;
    size_t re_nsub;
    const char *re_endp;
    regex_t *native; /* re_g, which is the library's own on macOS, too */
};
_Static_assert(sizeof(struct darwin_regex) == 32, "regex_t");

struct darwin_regmatch {
    int64_t rm_so, rm_eo;
};

/* REG_NOMATCH to REG_ESPACE have the same numbers; REG_BADRPT, too. */
static int darwin_regcomp(struct darwin_regex *regex, const char *pattern, int flags)
{
    static const struct pair compile_flags[] = {{1, REG_EXTENDED}, {2, REG_ICASE}, {4, REG_NOSUB}, {8, REG_NEWLINE}};
    memset(regex, 0, sizeof *regex);
    regex_t *native = malloc(sizeof *native);
    if (!native) {
        return REG_ESPACE;
    }
    int error = regcomp(native, pattern, (int)bits_from(PAIRS(compile_flags), (uint32_t)flags));
    if (error) {
        free(native);
        return error;
    }
    regex->native = native;
    regex->re_nsub = native->re_nsub;
    return 0;
}

static int darwin_regexec(const struct darwin_regex *regex, const char *text, size_t count,
                          struct darwin_regmatch *matches, int flags)
{
    regmatch_t *native = calloc(count ? count : 1, sizeof *native);
    if (!native) {
        return REG_ESPACE;
    }
    int result = regexec(regex->native, text, count, native, flags & (REG_NOTBOL | REG_NOTEOL));
    for (size_t i = 0; result == 0 && i < count; i++) {
        matches[i] = (struct darwin_regmatch){native[i].rm_so, native[i].rm_eo};
    }
    free(native);
    return result;
}

static size_t darwin_regerror(int error, const struct darwin_regex *regex, char *text, size_t size)
{
    return regerror(error, regex ? regex->native : NULL, text, size);
}

static void darwin_regfree(struct darwin_regex *regex)
{
    regfree(regex->native);
    free(regex->native);
    regex->native = NULL;
}

enum {
    VIS_SP = 0x4,
    VIS_TAB = 0x8,
    VIS_NL = 0x10,
};

/* In octal, whatever form is asked for: strunvis reads it all the same. */
static char *darwin_vis(char *to, int c, int flags, int next)
{
    (void)next;
    bool hidden = (c == ' ' && flags & VIS_SP) || (c == '\t' && flags & VIS_TAB) || (c == '\n' && flags & VIS_NL);
    bool plain = c == ' ' || c == '\t' || c == '\n' || (c < 128 && isgraph(c));
    if (c == '\\') {
        *to++ = '\\';
    }
    if (plain && !hidden) {
        *to++ = (char)c;
    } else {
        to += sprintf(to, "\\%03o", (unsigned)c & 0xff);
    }
    *to = '\0';
    return to;
}

static int darwin_strvis(char *to, const char *from, int flags)
{
    char *start = to;
    *to = '\0';
    for (; *from; from++) {
        to = darwin_vis(to, (unsigned char)*from, flags, from[1]);
    }
    return (int)(to - start);
}

static int darwin_strunvis(char *to, const char *from)
{
    static const char escapes[] = "abfnrstv0";
    static const char meant[] = "\a\b\f\n\r \t\v";
    char *start = to;
    while (*from) {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        from++;
        const char *escape = *from ? strchr(escapes, *from) : NULL;
        if (*from >= '0' && *from <= '7') {
            int value = 0;
            for (int i = 0; i < 3 && *from >= '0' && *from <= '7'; i++) {
                value = value * 8 + *from++ - '0';
            }
            *to++ = (char)value;
        } else if (*from == '\\') {
            *to++ = *from++;
        } else if (escape) {
            *to++ = meant[escape - escapes];
            from++;
        } else {
            return -1;
        }
    }
    *to = '\0';
    return (int)(to - start);
}

static const struct symbol text_symbols[] = {
    SHIM(regcomp), SHIM(regexec), SHIM(regerror), SHIM(regfree), SHIM(vis), SHIM(strvis), SHIM(strunvis),
};

SYMBOL_TABLE(text);
