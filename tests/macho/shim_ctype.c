/* What macOS's inline isalpha() and its kin look into: the table of the default locale, and functions beyond ASCII. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "darwin.h"
#include "system.h"

enum {
    CTYPE_A = 0x100,
    CTYPE_C = 0x200,
    CTYPE_D = 0x400,
    CTYPE_G = 0x800,
    CTYPE_L = 0x1000,
    CTYPE_P = 0x2000,
    CTYPE_S = 0x4000,
    CTYPE_U = 0x8000,
    CTYPE_X = 0x10000,
    CTYPE_B = 0x20000,
    CTYPE_R = 0x40000,
};

struct rune_locale { /* _RuneLocale of <runetype.h> */
    char magic[8], encoding[32];
    void *sgetrune, *sputrune;
    int32_t invalid_rune;
    uint32_t runetype[256];
    int32_t maplower[256], mapupper[256];
    struct {
        int32_t count;
        void *ranges;
    } extended[3];
    void *variable;
    int32_t variable_length, charclass_count;
    void *charclasses;
};
_Static_assert(offsetof(struct rune_locale, runetype) == 60, "_RuneLocale");

static struct rune_locale darwin__DefaultRuneLocale = {.magic = "RuneMagA", .encoding = "NONE"};
static struct rune_locale *darwin__CurrentRuneLocale = &darwin__DefaultRuneLocale;

static uint32_t classes(wint_t c)
{
    uint32_t type = 0;
    type |= iswalpha(c) ? CTYPE_A : 0;
    type |= iswcntrl(c) ? CTYPE_C : 0;
    type |= c < 128 && isdigit((int)c) ? CTYPE_D : 0;
    type |= iswgraph(c) ? CTYPE_G : 0;
    type |= iswlower(c) ? CTYPE_L : 0;
    type |= iswpunct(c) ? CTYPE_P : 0;
    type |= iswspace(c) ? CTYPE_S : 0;
    type |= iswupper(c) ? CTYPE_U : 0;
    type |= c < 128 && isxdigit((int)c) ? CTYPE_X : 0;
    type |= iswblank(c) ? CTYPE_B : 0;
    type |= iswprint(c) ? CTYPE_R : 0;
    return type;
}

/* Beyond ASCII the default locale has nothing. */
__attribute__((constructor)) static void fill_table(void)
{
    for (int c = 0; c < 256; c++) {
        darwin__DefaultRuneLocale.runetype[c] = c < 128 ? classes((wint_t)c) : 0;
        darwin__DefaultRuneLocale.maplower[c] = c < 128 ? tolower(c) : c;
        darwin__DefaultRuneLocale.mapupper[c] = c < 128 ? toupper(c) : c;
    }
}

static int darwin___maskrune(int c, unsigned long mask)
{
    return (int)(classes((wint_t)c) & mask);
}

static unsigned long darwin____runetype(int c)
{
    return classes((wint_t)c);
}

static int darwin___tolower(int c)
{
    return (int)towlower((wint_t)c);
}

static int darwin___toupper(int c)
{
    return (int)towupper((wint_t)c);
}

static int darwin____mb_cur_max(void)
{
    return (int)MB_CUR_MAX;
}

/* wctype_t is a mask on macOS. */
static const struct {
    const char *name;
    uint32_t mask;
} class_names[] = {
    {"alnum", CTYPE_A | CTYPE_D}, {"alpha", CTYPE_A}, {"blank", CTYPE_B}, {"cntrl", CTYPE_C},
    {"digit", CTYPE_D},           {"graph", CTYPE_G}, {"lower", CTYPE_L}, {"print", CTYPE_R},
    {"punct", CTYPE_P},           {"space", CTYPE_S}, {"upper", CTYPE_U}, {"xdigit", CTYPE_X},
};

static uint32_t darwin_wctype(const char *name)
{
    for (size_t i = 0; i < sizeof class_names / sizeof *class_names; i++) {
        if (strcmp(class_names[i].name, name) == 0) {
            return class_names[i].mask;
        }
    }
    return 0;
}

static int darwin_iswctype(wint_t c, uint32_t mask)
{
    return (classes(c) & mask) != 0;
}

static int darwin_digittoint(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : 0;
}

static const struct symbol ctype_symbols[] = {
    SHIM(_DefaultRuneLocale), SHIM(_CurrentRuneLocale), SHIM(__maskrune), SHIM(___runetype), SHIM(__tolower),
    SHIM(__toupper),          SHIM(___mb_cur_max),      SHIM(wctype),     SHIM(iswctype),    SHIM(digittoint),
    SHIM_AS("____tolower", __tolower), SHIM_AS("____toupper", __toupper),
};

SYMBOL_TABLE(ctype);
