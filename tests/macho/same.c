/* Functions and variables that macOS's C library and glibc share: the same name, arguments, structures and numbers on
 * x86-64 (both follow the System V ABI; long double, wchar_t, struct tm, struct iovec, struct group and va_list agree).
 * Where only errors differ, shim_errno.c translates them. A name that is not here and in no table is missing: nothing
 * is bound to glibc because it happens to have the name. */
#include "system.h"

const char *const same_names[] = {
    /* Memory and strings */
    "_memccpy", "_memchr", "_memcmp", "_memcpy", "_memmem", "_memmove", "_memset", "_bcmp", "_bcopy", "_bzero",
    "_ffs", "_ffsl", "_ffsll", "_index", "_rindex", "_stpcpy", "_stpncpy", "_strcasecmp", "_strcasestr", "_strcat",
    "_strchr", "_strcmp", "_strcoll", "_strcpy", "_strcspn", "_strdup", "_strlen", "_strncasecmp", "_strncat",
    "_strncmp", "_strncpy", "_strndup", "_strnlen", "_strpbrk", "_strrchr", "_strsep", "_strspn", "_strstr",
    "_strtok", "_strtok_r", "_strxfrm", "_swab", "___memcpy_chk", "___memmove_chk", "___memset_chk", "___stpcpy_chk",
    "___stpncpy_chk", "___strcat_chk", "___strcpy_chk", "___strncat_chk", "___strncpy_chk", "_strcasecmp_l",
    "_strncasecmp_l", "_strcoll_l", "_strxfrm_l",
    /* Numbers and text */
    "_a64l", "_l64a", "_atof", "_atoi", "_atol", "_atoll", "_strtod", "_strtof", "_strtoimax", "_strtol", "_strtold",
    "_strtoll", "_strtoq", "_strtoul", "_strtoull", "_strtoumax", "_strtouq", "_strtod_l", "_strtof_l", "_strtol_l",
    "_strtold_l", "_strtoll_l", "_strtoul_l", "_strtoull_l", "_ecvt", "_fcvt", "_gcvt", "_abs", "_labs", "_llabs",
    "_div", "_ldiv", "_lldiv", "_imaxabs", "_imaxdiv", "_asprintf", "_vasprintf", "_snprintf", "_sprintf", "_sscanf",
    "_vsnprintf", "_vsprintf", "_vsscanf", "_dprintf", "_vdprintf", "___snprintf_chk", "___sprintf_chk",
    "___vsnprintf_chk", "___vsprintf_chk", "_strfmon",
    /* Wide characters */
    "_btowc", "_wctob", "_mblen", "_mbrlen", "_mbrtowc", "_mbsinit", "_mbsnrtowcs", "_mbsrtowcs", "_mbstowcs",
    "_mbtowc", "_wcrtomb", "_wcsnrtombs", "_wcsrtombs", "_wcstombs", "_wctomb", "_wcpcpy", "_wcpncpy", "_wcscasecmp",
    "_wcscat", "_wcschr", "_wcscmp", "_wcscoll", "_wcscpy", "_wcscspn", "_wcsdup", "_wcsftime", "_wcslen",
    "_wcsncasecmp", "_wcsncat", "_wcsncmp", "_wcsncpy", "_wcsnlen", "_wcspbrk", "_wcsrchr", "_wcsspn", "_wcsstr",
    "_wcstod", "_wcstof", "_wcstoimax", "_wcstok", "_wcstol", "_wcstold", "_wcstoll", "_wcstoul", "_wcstoull",
    "_wcstoumax", "_wcswidth", "_wcsxfrm", "_wcwidth", "_wmemchr", "_wmemcmp", "_wmemcpy", "_wmemmove", "_wmemset",
    "_swprintf", "_swscanf", "_vswprintf", "_vswscanf", "_iswalnum", "_iswalpha", "_iswblank", "_iswcntrl",
    "_iswdigit", "_iswgraph", "_iswlower", "_iswprint", "_iswpunct", "_iswspace", "_iswupper", "_iswxdigit",
    "_towlower", "_towupper",
    /* Characters */
    "_isalnum", "_isalpha", "_isascii", "_isblank", "_iscntrl", "_isdigit", "_isgraph", "_islower", "_isprint",
    "_ispunct", "_isspace", "_isupper", "_isxdigit", "_toascii", "_tolower", "_toupper",
    /* Mathematics */
    "_acos", "_acosf", "_acosh", "_acoshf", "_acoshl", "_acosl", "_asin", "_asinf", "_asinh", "_asinhf", "_asinhl",
    "_asinl", "_atan", "_atan2", "_atan2f", "_atan2l", "_atanf", "_atanh", "_atanhf", "_atanhl", "_atanl", "_cbrt",
    "_cbrtf", "_cbrtl", "_ceil", "_ceilf", "_ceill", "_copysign", "_copysignf", "_copysignl", "_cos", "_cosf",
    "_cosh", "_coshf", "_coshl", "_cosl", "_erf", "_erfc", "_erfcf", "_erfcl", "_erff", "_erfl", "_exp", "_exp2",
    "_exp2f", "_exp2l", "_expf", "_expl", "_expm1", "_expm1f", "_expm1l", "_fabs", "_fabsf", "_fabsl", "_fdim",
    "_fdimf", "_fdiml", "_floor", "_floorf", "_floorl", "_fma", "_fmaf", "_fmal", "_fmax", "_fmaxf", "_fmaxl",
    "_fmin", "_fminf", "_fminl", "_fmod", "_fmodf", "_fmodl", "_frexp", "_frexpf", "_frexpl", "_hypot", "_hypotf",
    "_hypotl", "_j0", "_j1", "_jn", "_y0", "_y1", "_yn", "_ldexp", "_ldexpf", "_ldexpl", "_lgamma", "_lgammaf",
    "_lgammal", "_lgamma_r", "_lgammaf_r", "_lgammal_r", "_llrint", "_llrintf", "_llrintl", "_llround", "_llroundf",
    "_llroundl", "_log", "_log10", "_log10f", "_log10l", "_log1p", "_log1pf", "_log1pl", "_log2", "_log2f", "_log2l",
    "_logb", "_logbf", "_logbl", "_logf", "_logl", "_lrint", "_lrintf", "_lrintl", "_lround", "_lroundf", "_lroundl",
    "_modf", "_modff", "_modfl", "_nan", "_nanf", "_nanl", "_nearbyint", "_nearbyintf", "_nearbyintl", "_nextafter",
    "_nextafterf", "_nextafterl", "_nexttoward", "_nexttowardf", "_nexttowardl", "_pow", "_powf", "_powl",
    "_remainder", "_remainderf", "_remainderl", "_remquo", "_remquof", "_remquol", "_rint", "_rintf", "_rintl",
    "_round", "_roundf", "_roundl", "_scalb", "_scalbln", "_scalblnf", "_scalblnl", "_scalbn", "_scalbnf", "_scalbnl",
    "_significand", "_sin", "_sinf", "_sinh", "_sinhf", "_sinhl", "_sinl", "_sqrt", "_sqrtf", "_sqrtl", "_tan",
    "_tanf", "_tanh", "_tanhf", "_tanhl", "_tanl", "_tgamma", "_tgammaf", "_tgammal", "_trunc", "_truncf", "_truncl",
    "_drem", "_finite", "_signgam", "_fegetround", "_fesetround", "_feclearexcept", "_feraiseexcept", "_fetestexcept",
    "_cabs", "_cabsf", "_cabsl", "_cacos", "_cacosh", "_carg", "_cargf", "_cargl", "_casin", "_casinh", "_catan",
    "_catanh", "_ccos", "_ccosh", "_cexp", "_cexpf", "_cexpl", "_cimag", "_cimagf", "_cimagl", "_clog", "_clogf",
    "_clogl", "_conj", "_conjf", "_conjl", "_cpow", "_cpowf", "_cpowl", "_cproj", "_cprojf", "_cprojl", "_creal",
    "_crealf", "_creall", "_csin", "_csinh", "_csqrt", "_csqrtf", "_csqrtl", "_ctan", "_ctanh", "_cacosf", "_cacosl",
    "_cacoshf", "_cacoshl", "_casinf", "_casinl", "_casinhf", "_casinhl", "_catanf", "_catanl", "_catanhf",
    "_catanhl", "_ccosf", "_ccosl", "_ccoshf", "_ccoshl", "_csinf", "_csinl", "_csinhf", "_csinhl", "_ctanf",
    "_ctanl", "_ctanhf", "_ctanhl",
    /* Memory allocation, sorting, random numbers, the environment */
    "_aligned_alloc", "_calloc", "_free", "_malloc", "_posix_memalign", "_realloc", "_valloc", "_bsearch", "_qsort",
    "_lfind", "_lsearch", "_hcreate", "_hdestroy", "_tdelete", "_tfind", "_tsearch", "_twalk", "_insque", "_remque",
    "_drand48", "_erand48", "_jrand48", "_lcong48", "_lrand48", "_mrand48", "_nrand48", "_seed48", "_srand48",
    "_rand", "_rand_r", "_random", "_srand", "_srandom", "_initstate", "_setstate", "_arc4random", "_arc4random_buf",
    "_arc4random_uniform", "_getentropy", "_environ", "_getenv", "_putenv", "_setenv", "_unsetenv", "_getopt",
    "_getopt_long", "_getopt_long_only", "_getsubopt", "_optarg", "_opterr", "_optind", "_optopt",
    /* Time */
    "_asctime", "_asctime_r", "_ctime", "_ctime_r", "_difftime", "_gmtime", "_gmtime_r", "_localtime", "_localtime_r",
    "_mktime", "_strftime", "_strftime_l", "_strptime", "_time", "_timegm", "_timelocal", "_times", "_tzset",
    "_tzname", "_timezone", "_daylight", "_clock", "_nanosleep", "_sleep", "_usleep",
    /* Files */
    "_chdir", "_chmod", "_chown", "_chroot", "_dup", "_fchdir", "_fchmod", "_fchown", "_fdatasync", "_flock",
    "_fsync", "_ftruncate", "_getcwd", "_isatty", "_lchown", "_link", "_lockf", "_mkdir", "_mkdtemp", "_mkfifo",
    "_mkstemp", "_mkstemps", "_mktemp", "_pread", "_preadv", "_pwrite", "_pwritev", "_read", "_readlink", "_readv",
    "_rename", "_rmdir", "_symlink", "_sync", "_truncate", "_umask", "_unlink", "_write", "_writev", "_remove",
    "_ttyname", "_ttyname_r", "_grantpt", "_ptsname", "_ptsname_r", "_unlockpt", "_ctermid", "_tcdrain", "_tcgetpgrp",
    "_tcgetsid", "_tcsendbreak", "_tcsetpgrp",
    /* Processes, users, groups */
    "__exit", "__Exit", "_quick_exit", "_getpid", "_getppid", "_getpgrp", "_getpgid", "_setpgid", "_getsid",
    "_setsid", "_getuid", "_geteuid", "_getgid", "_getegid", "_setuid", "_seteuid", "_setgid", "_setegid",
    "_setregid", "_setreuid", "_getgroups", "_setgroups", "_initgroups", "_getgrouplist", "_getgrent", "_getgrgid",
    "_getgrgid_r", "_getgrnam", "_getgrnam_r", "_setgrent", "_endgrent", "_endpwent", "_setpwent", "_getlogin",
    "_getlogin_r", "_getpriority", "_setpriority", "_nice", "_pause", "_alarm", "_ualarm", "_getloadavg",
    "_gethostname", "_sethostname", "_getpagesize", "_getdtablesize", "_getpass", "_sched_yield", "_daemon", "_acct",
    "___cxa_atexit", "___cxa_finalize", "_abort", "_exit", "_openlog", "_syslog", "_vsyslog", "_setlogmask",
    "_closelog",
    /* Network */
    "_htonl", "_htons", "_ntohl", "_ntohs", "_inet_addr", "_inet_aton", "_inet_lnaof", "_inet_makeaddr",
    "_inet_netof", "_inet_network", "_inet_ntoa", "_in6addr_any", "_in6addr_loopback", "_if_freenameindex",
    "_if_indextoname", "_if_nameindex", "_if_nametoindex", "_getservbyname", "_getservbyport", "_getservent",
    "_setservent", "_endservent", "_getprotobyname", "_getprotobynumber", "_getprotoent", "_setprotoent",
    "_endprotoent", "_getnetbyname", "_sethostent", "_endhostent", "_herror", "_hstrerror", "_listen", "_shutdown",
    "_sockatmark",
    /* Standard streams that are not named */
    "_printf", "_vprintf", "_puts", "_putchar", "_putchar_unlocked", "_getchar", "_getchar_unlocked", "_scanf",
    "_vscanf", "_wprintf", "_vwprintf", "_putwchar", "_getwchar", "_tmpnam", "_tempnam",
    /* Threads */
    "_pthread_self", "_pthread_equal", "_pthread_exit", "_pthread_testcancel", "_pthread_detach",
    "_pthread_getname_np", "___stack_chk_fail",
};

const size_t same_count = sizeof same_names / sizeof *same_names;
