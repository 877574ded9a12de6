/* mmap and its kin; shared memory by name. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

enum {
    DARWIN_MAP_ANON = 0x1000,
    DARWIN_SHM_NAME = 31, /* PSHMNAMLEN */
};

/* MAP_JIT, MAP_NOCACHE and MAP_HASSEMAPHORE have no counterpart and need none. */
static const struct pair map_flags[] = {
    {0x1, MAP_SHARED},       {0x2, MAP_PRIVATE},  {0x10, MAP_FIXED},
    {0x40, MAP_NORESERVE},   {DARWIN_MAP_ANON, MAP_ANONYMOUS},
};

static void *darwin_mmap(void *address, size_t size, int protection, int flags, int fd, int64_t offset)
{
    /* With MAP_ANON the descriptor may be a tag for vmmap(1): VM_MAKE_TAG. */
    int native_fd = flags & DARWIN_MAP_ANON ? -1 : fd;
    return mmap(address, size, protection, (int)bits_from(PAIRS(map_flags), (uint32_t)flags), native_fd, offset);
}

static int darwin_msync(void *address, size_t size, int flags)
{
    static const struct pair msync_flags[] = {{0x1, MS_ASYNC}, {0x2, MS_INVALIDATE}, {0x10, MS_SYNC}};
    return msync(address, size, (int)bits_from(PAIRS(msync_flags), (uint32_t)flags));
}

/* Advice that Linux would take as an order (to throw contents away) is not given. */
static int darwin_madvise(void *address, size_t size, int advice)
{
    static const struct pair advices[] = {{0, MADV_NORMAL}, {1, MADV_RANDOM}, {2, MADV_SEQUENTIAL}, {3, MADV_WILLNEED}};
    int64_t native = pair_from(PAIRS(advices), advice);
    if (native < 0) {
        return advice < 0 || advice > 11 ? refuse(EINVAL) : 0;
    }
    return madvise(address, size, (int)native);
}

static int darwin_posix_madvise(void *address, size_t size, int advice)
{
    return darwin_madvise(address, size, advice) ? errno_to(errno) : 0;
}

static int darwin_munmap(void *address, size_t size)
{
    return munmap(address, size);
}

static int darwin_mprotect(void *address, size_t size, int protection)
{
    return mprotect(address, size, protection);
}

static int darwin_mlock(const void *address, size_t size)
{
    return mlock(address, size);
}

static int darwin_munlock(const void *address, size_t size)
{
    return munlock(address, size);
}

static int darwin_mincore(const void *address, size_t size, char *pages)
{
    return mincore((void *)address, size, (unsigned char *)pages);
}

static int darwin_shm_open(const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = va_arg(arguments, unsigned);
    va_end(arguments);
    if (strlen(name) > DARWIN_SHM_NAME) {
        return refuse(ENAMETOOLONG);
    }
    return shm_open(name, open_flags_from(flags), mode);
}

static int darwin_shm_unlink(const char *name)
{
    return strlen(name) > DARWIN_SHM_NAME ? refuse(ENAMETOOLONG) : shm_unlink(name);
}

/* Inline code that makes memory executable on arm64 asks first; on x86_64 there is nothing to do. */
static int darwin_pthread_jit_write_protect_supported_np(void)
{
    return 0;
}

static void darwin_pthread_jit_write_protect_np(int enabled)
{
    (void)enabled;
}

static void darwin_sys_icache_invalidate(void *start, size_t size)
{
    (void)start;
    (void)size;
}

static const struct symbol memory_symbols[] = {
    SHIM(mmap),
    SHIM(msync),
    SHIM(madvise),
    SHIM(posix_madvise),
    SHIM(munmap),
    SHIM(mprotect),
    SHIM(mlock),
    SHIM(munlock),
    SHIM(mincore),
    SHIM(shm_open),
    SHIM(shm_unlink),
    SHIM(pthread_jit_write_protect_supported_np),
    SHIM(pthread_jit_write_protect_np),
    SHIM(sys_icache_invalidate),
};

SYMBOL_TABLE(memory);
