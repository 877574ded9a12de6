/* rusage and siginfo, which several functions return. */
#ifndef MACHO_LIMITS_DARWIN_H
#define MACHO_LIMITS_DARWIN_H

#include <sys/resource.h>

#include "darwin.h"

struct darwin_rusage {
    struct darwin_timeval ru_utime, ru_stime;
    int64_t counts[14]; /* ru_maxrss … ru_nivcsw, in the order that Linux has, too */
};
_Static_assert(sizeof(struct darwin_rusage) == 144, "struct rusage");

/* shim_limits.c */
void rusage_to(const struct rusage *native, struct darwin_rusage *darwin);

struct darwin_siginfo {
    int32_t signo, error, code, pid; /* glibc has macros named si_… */
    uint32_t uid;
    int32_t status;
    void *address;
    union sigval value;
    int64_t band;
    uint64_t padding[7];
};
_Static_assert(sizeof(struct darwin_siginfo) == 104, "siginfo_t");

/* shim_signals.c */
void siginfo_to(const siginfo_t *native, struct darwin_siginfo *darwin);

#endif
