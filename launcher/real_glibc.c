#define _GNU_SOURCE 1
#include "real_posix.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers that the oldest headers lack; the same on x86-64 and arm64 from 403 on. */
#ifndef SYS_statx
#if defined(__x86_64__)
#define SYS_statx 332
#elif defined(__aarch64__)
#define SYS_statx 291
#endif
#endif
#ifndef SYS_renameat2
#if defined(__x86_64__)
#define SYS_renameat2 316
#elif defined(__aarch64__)
#define SYS_renameat2 276
#endif
#endif

_Atomic(void *) ox_real_known[OX_REAL_COUNT];

/* The kernel's struct stat is libc's on 64-bit Linux. */
static int call_fstatat(int fd, const char *path, struct stat *status, int flags)
{
    return (int)syscall(SYS_newfstatat, fd, path, status, flags);
}

static int call_stat(const char *path, struct stat *status)
{
    return call_fstatat(AT_FDCWD, path, status, 0);
}

static int call_lstat(const char *path, struct stat *status)
{
    return call_fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

static int call_fstat(int fd, struct stat *status)
{
    return (int)syscall(SYS_fstat, fd, status);
}

static int call_statx(int fd, const char *path, int flags, unsigned mask, void *status)
{
    return (int)syscall(SYS_statx, fd, path, flags, mask, status);
}

static int call_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static int call_mknodat(int fd, const char *path, mode_t mode, dev_t device)
{
    return (int)syscall(SYS_mknodat, fd, path, mode, device);
}

static int call_mknod(const char *path, mode_t mode, dev_t device)
{
    return call_mknodat(AT_FDCWD, path, mode, device);
}

/* Functions of type T as void *: POSIX lets dlsym do the same. */
#define AS_POINTER(function) ((union { __typeof__(&(function)) f; void *p; }){.f = (function)}.p)

static void *own(enum ox_real_name name)
{
    switch (name) {
    case OX_REAL_stat:
        return AS_POINTER(call_stat);
    case OX_REAL_lstat:
        return AS_POINTER(call_lstat);
    case OX_REAL_fstat:
        return AS_POINTER(call_fstat);
    case OX_REAL_fstatat:
        return AS_POINTER(call_fstatat);
    case OX_REAL_statx:
        return AS_POINTER(call_statx);
    case OX_REAL_renameat2:
        return AS_POINTER(call_renameat2);
    case OX_REAL_mknod:
        return AS_POINTER(call_mknod);
    case OX_REAL_mknodat:
        return AS_POINTER(call_mknodat);
    default:
        return NULL;
    }
}

void *ox_real_find(enum ox_real_name name)
{
    static const char *const names[OX_REAL_COUNT] = {
#define OX_REAL_TEXT(name) #name,
        OX_REAL_NAMES(OX_REAL_TEXT)
#undef OX_REAL_TEXT
    };
    int error = errno;
    void *found = dlsym(RTLD_NEXT, names[name]);
    if (found == NULL) {
        found = own(name);
    }
    if (found == NULL) {
        abort(); /* every other name is in every glibc since 2.17 */
    }
    atomic_store_explicit(&ox_real_known[name], found, memory_order_relaxed);
    errno = error;
    return found;
}
