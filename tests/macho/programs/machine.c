/* What the machine and the C library say: system, limits, clocks, locale, characters, streams, users. */
#include <ctype.h>
#include <fenv.h>
#include <float.h>
#include <langinfo.h>
#include <locale.h>
#include <mach/mach_time.h>
#include <math.h>
#include <pwd.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "check.h"

/* What __builtin_available asks. */
struct version {
    unsigned platform, version;
};
extern _Bool _availability_version_check(unsigned count, struct version versions[]);

static void machine(void)
{
    struct utsname name;
    char text[32];
    int number;
    size_t size = sizeof text;
    CHECK(uname(&name) == 0 && strcmp(name.sysname, "Darwin") == 0 && strcmp(name.machine, "x86_64") == 0);
    CHECK(strcmp(name.release, "20.6.0") == 0);
    CHECK(sysctlbyname("kern.osproductversion", text, &size, NULL, 0) == 0 && strcmp(text, "11.7.10") == 0);
    size = sizeof number;
    CHECK(sysctl((int[]){CTL_HW, HW_NCPU}, 2, &number, &size, NULL, 0) == 0 && number == sysconf(_SC_NPROCESSORS_CONF));
    CHECK(sysctlbyname("no.such", NULL, NULL, NULL, 0) == -1 && errno == ENOENT);
    CHECK(sysconf(_SC_PAGESIZE) == 4096 && getpagesize() == 4096 && sysconf(_SC_CLK_TCK) == 100);
    CHECK(sysconf(9999) == -1 && errno == EINVAL);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 0 && limit.rlim_cur <= limit.rlim_max);
    CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0 && getrlimit(RLIMIT_CORE, &limit) == 0 && !limit.rlim_cur);
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 1 << 20);
    CHECK(_availability_version_check(1, &(struct version){1, 11 << 16}));
    CHECK(!_availability_version_check(1, &(struct version){1, 12 << 16}));
    unsigned char bytes[2][32];
    CHECK(getentropy(bytes[0], 32) == 0);
    arc4random_buf(bytes[1], 32);
    CHECK(memcmp(bytes[0], bytes[1], 32) != 0);
}

static void clocks(void)
{
    struct timespec now;
    mach_timebase_info_data_t base;
    uint64_t ticks = mach_absolute_time();
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 1600000000);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    CHECK(clock_gettime(99, &now) == -1 && errno == EINVAL);
    CHECK(mach_timebase_info(&base) == 0 && base.numer == 1 && base.denom == 1);
    CHECK(clock_gettime_nsec_np(CLOCK_UPTIME_RAW) - ticks < 60000000000);
    struct tm *parts = gmtime(&(time_t){86400 * 365});
    CHECK(parts->tm_year == 71 && strcmp(parts->tm_zone, "GMT") == 0 && timegm(parts) == 86400 * 365);
}

static void locales(void)
{
    CHECK(isalpha('x') && !isalpha(0xe4) && isdigit('5') && isspace('\t') && toupper('b') == 'B' && isxdigit('f'));
    CHECK(strcmp(nl_langinfo(CODESET), "US-ASCII") == 0 && MB_CUR_MAX == 1);
    CHECK(setlocale(LC_CTYPE, "no such") == NULL && setlocale(LC_CTYPE, "UTF-8"));
    CHECK(strcmp(nl_langinfo(CODESET), "UTF-8") == 0 && MB_CUR_MAX > 1);
    CHECK(iswalpha(0xe4) && towupper(0xe4) == 0xc4 && iswctype(L'z', wctype("lower")));
    wchar_t wide[8];
    CHECK(mbstowcs(wide, "\xe2\x82\xac", 8) == 1 && wide[0] == 0x20ac);
    CHECK(strcmp(localeconv()->decimal_point, ".") == 0 && localeconv()->int_n_sep_by_space == CHAR_MAX);
    CHECK(strcmp(nl_langinfo(DAY_1), "Sunday") == 0 && strcmp(nl_langinfo(ABMON_12), "Dec") == 0);
    locale_t own = newlocale(LC_NUMERIC_MASK, "C", NULL);
    CHECK(own && uselocale(own) == LC_GLOBAL_LOCALE && uselocale(LC_GLOBAL_LOCALE) == own && freelocale(own) == 0);
}

static int give(void *cookie, char *buffer, int size)
{
    int *left = cookie;
    int given = *left < size ? *left : size;
    memset(buffer, 'c', (size_t)given);
    *left -= given;
    return given;
}

static void streams(void)
{
    FILE *file = tmpfile();
    char line[32];
    fpos_t position;
    CHECK(file && fprintf(file, "one %d\ntwo\n", 1) == 10 && fgetpos(file, &position) == 0 && position == 10);
    CHECK(putc_unlocked('x', file) == 'x' && fflush(file) == 0);
    rewind(file);
    CHECK(getc_unlocked(file) == 'o' && fgets(line, sizeof line, file) && strcmp(line, "ne 1\n") == 0);
    CHECK(ungetc('T', file) == 'T' && getc_unlocked(file) == 'T' && fread(line, 1, 5, file) == 5);
    CHECK(getc_unlocked(file) == EOF && feof(file) && feof_unlocked(file) && !ferror_unlocked(file));
    clearerr(file);
    CHECK(!feof_unlocked(file) && fseek(file, -1, SEEK_END) == 0 && fgetc(file) == 'x' && fclose(file) == 0);
    int left = 40000;
    int read = 0;
    file = fropen(&left, give);
    while (fgetc(file) == 'c') {
        read++;
    }
    CHECK(read == 40000 && feof(file) && fclose(file) == 0);
    char *memory;
    size_t size;
    file = open_memstream(&memory, &size);
    CHECK(file && fputs("text", file) >= 0 && fclose(file) == 0 && size == 4 && strcmp(memory, "text") == 0);
    CHECK(fileno(stdin) == 0 && fileno(stderr) == 2 && fopen("/no/such", "r") == NULL && errno == ENOENT);
}

static void numbers(void)
{
    volatile double x = 2;
    CHECK(sin(x) * sin(x) + cos(x) * cos(x) > 0.999 && __exp10(x) == 100 && fpclassify(x / 0) == FP_INFINITE);
    CHECK(fpclassify(DBL_MIN / x) == FP_SUBNORMAL && isnan(nan("")) && fegetround() == FE_TONEAREST);
    char text[8];
    CHECK(strlcpy(text, "too long a text", sizeof text) == 15 && strlcat(text, "x", sizeof text) == 8);
    struct passwd *user = getpwuid(getuid());
    CHECK(!user || (user->pw_uid == getuid() && user->pw_dir[0] == '/' && user->pw_shell[0] == '/'));
}

int main(void)
{
    machine();
    clocks();
    locales();
    streams();
    numbers();
    puts("ok");
    return 0;
}
