/* Mathematics: names and numbers of macOS's, and compiler support that its C library exports. */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>

#include "darwin.h"
#include "system.h"

struct sine_cosine {
    double sine, cosine;
};

struct sine_cosine_float {
    float sine, cosine;
};

static struct sine_cosine darwin___sincos_stret(double angle)
{
    struct sine_cosine result;
    sincos(angle, &result.sine, &result.cosine);
    return result;
}

static struct sine_cosine_float darwin___sincosf_stret(float angle)
{
    struct sine_cosine_float result;
    sincosf(angle, &result.sine, &result.cosine);
    return result;
}

static double darwin___exp10(double exponent)
{
    return exp10(exponent);
}

static float darwin___exp10f(float exponent)
{
    return exp10f(exponent);
}

static const struct pair classes[] = {{1, FP_NAN}, {2, FP_INFINITE}, {3, FP_ZERO}, {4, FP_NORMAL}, {5, FP_SUBNORMAL}};

static int darwin___fpclassifyd(double value)
{
    return (int)pair_to(PAIRS(classes), fpclassify(value));
}

static int darwin___fpclassifyf(float value)
{
    return (int)pair_to(PAIRS(classes), fpclassify(value));
}

static int darwin___fpclassifyl(long double value)
{
    return (int)pair_to(PAIRS(classes), fpclassify(value));
}

/* FP_ILOGB0 and FP_ILOGBNAN are one number on macOS, and so they are on x86-64 Linux. */
static int darwin_ilogb(double value)
{
    return ilogb(value);
}

static int darwin_ilogbf(float value)
{
    return ilogbf(value);
}

static int darwin_ilogbl(long double value)
{
    return ilogbl(value);
}

extern __int128 __divti3(__int128 a, __int128 b);
extern __int128 __modti3(__int128 a, __int128 b);
extern unsigned __int128 __udivti3(unsigned __int128 a, unsigned __int128 b);
extern unsigned __int128 __umodti3(unsigned __int128 a, unsigned __int128 b);

static const struct symbol maths_symbols[] = {
    SHIM(__sincos_stret),
    SHIM(__sincosf_stret),
    SHIM(__exp10),
    SHIM(__exp10f),
    SHIM(__fpclassifyd),
    SHIM(__fpclassifyf),
    SHIM(__fpclassifyl),
    SHIM_AS("___fpclassify", __fpclassifyl),
    SHIM(ilogb),
    SHIM(ilogbf),
    SHIM(ilogbl),
    {"___divti3", (void *)(uintptr_t)&__divti3},
    {"___modti3", (void *)(uintptr_t)&__modti3},
    {"___udivti3", (void *)(uintptr_t)&__udivti3},
    {"___umodti3", (void *)(uintptr_t)&__umodti3},
};

SYMBOL_TABLE(maths);
