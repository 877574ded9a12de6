/* Locales: other numbers for categories and items, another order in struct lconv, names without Linux's. */
#define _GNU_SOURCE
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "darwin.h"
#include "system.h"

static const struct pair categories[] = {
    {0, LC_ALL}, {1, LC_COLLATE}, {2, LC_CTYPE}, {3, LC_MONETARY}, {4, LC_NUMERIC}, {5, LC_TIME}, {6, LC_MESSAGES},
};

static const char *const category_names[] = {
    "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME", "LC_MESSAGES",
};

enum {
    CATEGORY_COUNT = sizeof categories / sizeof *categories,
};

/* Every macOS has en_US.UTF-8 and its kin, and "UTF-8" for LC_CTYPE; this machine may have C.UTF-8 only. */
static const char *stand_in(const char *name)
{
    const char *dot = strrchr(name, '.');
    bool utf8 = strcasecmp(name, "UTF-8") == 0 || (dot && strcasecmp(dot, ".UTF-8") == 0);
    return utf8 && strcmp(name, "C.UTF-8") != 0 ? "C.UTF-8" : NULL;
}

static const char *environment_locale(int darwin_category)
{
    const char *const names[] = {"LC_ALL", category_names[darwin_category], "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            return value;
        }
    }
    return "C";
}

static char *set_one(int darwin_category, const char *name)
{
    int native = (int)pair_from(PAIRS(categories), darwin_category);
    const char *wanted = name && !*name && darwin_category ? environment_locale(darwin_category) : name;
    char *result = setlocale(native, wanted);
    if (!result && wanted && stand_in(wanted)) {
        result = setlocale(native, stand_in(wanted));
    }
    return result;
}

/* What MB_CUR_MAX is: a variable. */
static int darwin___mb_cur_max = 1;

static char *set_category(int category, const char *name)
{
    if (category == 0 && name && !*name) { /* each from its own variable */
        for (int i = 1; i < CATEGORY_COUNT; i++) {
            if (!set_one(i, name)) {
                return NULL;
            }
        }
        name = NULL;
    }
    return set_one(category, name);
}

static char *darwin_setlocale(int category, const char *name)
{
    if (category < 0 || category >= CATEGORY_COUNT) {
        return NULL;
    }
    char *result = set_category(category, name);
    darwin___mb_cur_max = (int)MB_CUR_MAX;
    return result;
}

/* Masks of newlocale: bits in the order COLLATE, CTYPE, MESSAGES, MONETARY, NUMERIC, TIME. */
static const struct pair masks[] = {
    {0x1, LC_COLLATE_MASK},  {0x2, LC_CTYPE_MASK},    {0x4, LC_MESSAGES_MASK},
    {0x8, LC_MONETARY_MASK}, {0x10, LC_NUMERIC_MASK}, {0x20, LC_TIME_MASK},
};

static locale_t darwin_newlocale(int mask, const char *name, locale_t base)
{
    int native = (mask & 0x3f) == 0x3f ? LC_ALL_MASK : (int)bits_from(PAIRS(masks), (uint32_t)mask);
    locale_t result = newlocale(native, name, base);
    if (!result && stand_in(name)) {
        result = newlocale(native, stand_in(name), base);
    }
    return result;
}

static locale_t darwin_uselocale(locale_t locale)
{
    return uselocale(locale); /* LC_GLOBAL_LOCALE is -1 on both */
}

static locale_t darwin_duplocale(locale_t locale)
{
    return duplocale(locale);
}

static int darwin_freelocale(locale_t locale)
{
    freelocale(locale);
    return 0;
}

static const struct pair items[] = {
    {0, CODESET},     {1, D_T_FMT},   {2, D_FMT},     {3, T_FMT},   {4, T_FMT_AMPM},  {5, AM_STR},  {6, PM_STR},
    {7, DAY_1},       {8, DAY_2},     {9, DAY_3},     {10, DAY_4},  {11, DAY_5},      {12, DAY_6},  {13, DAY_7},
    {14, ABDAY_1},    {15, ABDAY_2},  {16, ABDAY_3},  {17, ABDAY_4}, {18, ABDAY_5},   {19, ABDAY_6}, {20, ABDAY_7},
    {21, MON_1},      {22, MON_2},    {23, MON_3},    {24, MON_4},  {25, MON_5},      {26, MON_6},  {27, MON_7},
    {28, MON_8},      {29, MON_9},    {30, MON_10},   {31, MON_11}, {32, MON_12},     {33, ABMON_1}, {34, ABMON_2},
    {35, ABMON_3},    {36, ABMON_4},  {37, ABMON_5},  {38, ABMON_6}, {39, ABMON_7},   {40, ABMON_8}, {41, ABMON_9},
    {42, ABMON_10},   {43, ABMON_11}, {44, ABMON_12}, {45, ERA},    {46, ERA_D_FMT},  {47, ERA_D_T_FMT},
    {48, ERA_T_FMT},  {49, ALT_DIGITS}, {50, RADIXCHAR}, {51, THOUSEP}, {52, YESEXPR}, {53, NOEXPR}, {56, CRNCYSTR},
};

static char *item_to(int item, char *value)
{
    /* The C locale's encoding has another name. */
    return item == 0 && strcmp(value, "ANSI_X3.4-1968") == 0 ? "US-ASCII" : value;
}

static char *darwin_nl_langinfo(int item)
{
    int64_t native = pair_from(PAIRS(items), item);
    return native < 0 ? "" : item_to(item, nl_langinfo((nl_item)native));
}

static char *darwin_nl_langinfo_l(int item, locale_t locale)
{
    int64_t native = pair_from(PAIRS(items), item);
    return native < 0 ? "" : item_to(item, nl_langinfo_l((nl_item)native, locale));
}

struct darwin_lconv {
    char *texts[10]; /* decimal_point … negative_sign, in the order that Linux has, too */
    char int_frac_digits, frac_digits, p_cs_precedes, p_sep_by_space, n_cs_precedes, n_sep_by_space, p_sign_posn,
        n_sign_posn, int_p_cs_precedes, int_n_cs_precedes, int_p_sep_by_space, int_n_sep_by_space, int_p_sign_posn,
        int_n_sign_posn;
};
_Static_assert(sizeof(struct darwin_lconv) == 96, "struct lconv");

static struct darwin_lconv *darwin_localeconv(void)
{
    static __thread struct darwin_lconv result;
    const struct lconv *native = localeconv();
    memcpy(result.texts, native, sizeof result.texts);
    result.int_frac_digits = native->int_frac_digits;
    result.frac_digits = native->frac_digits;
    result.p_cs_precedes = native->p_cs_precedes;
    result.p_sep_by_space = native->p_sep_by_space;
    result.n_cs_precedes = native->n_cs_precedes;
    result.n_sep_by_space = native->n_sep_by_space;
    result.p_sign_posn = native->p_sign_posn;
    result.n_sign_posn = native->n_sign_posn;
    result.int_p_cs_precedes = native->int_p_cs_precedes;
    result.int_n_cs_precedes = native->int_n_cs_precedes;
    result.int_p_sep_by_space = native->int_p_sep_by_space;
    result.int_n_sep_by_space = native->int_n_sep_by_space;
    result.int_p_sign_posn = native->int_p_sign_posn;
    result.int_n_sign_posn = native->int_n_sign_posn;
    return &result;
}

static const struct symbol locale_symbols[] = {
    SHIM(setlocale), SHIM(newlocale),   SHIM(uselocale),     SHIM(duplocale),
    SHIM(freelocale), SHIM(nl_langinfo), SHIM(nl_langinfo_l), SHIM(localeconv),
    SHIM(__mb_cur_max),
};

SYMBOL_TABLE(locale);
