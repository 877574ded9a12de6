/* open, fcntl, ioctl and the functions with a folder (…at); memory of none of them is kept. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "darwin.h"
#include "process.h"
#include "system.h"

enum {
    DARWIN_AT_FDCWD = -2,
    DARWIN_O_SHLOCK = 0x10,
    DARWIN_O_EXLOCK = 0x20,
    DARWIN_O_SYMLINK = 0x200000,
};

static const struct pair open_flags[] = {
    {0x1, O_WRONLY},       {0x2, O_RDWR},          {0x4, O_NONBLOCK},        {0x8, O_APPEND},
    {0x40, O_ASYNC},       {0x80, O_SYNC},         {0x100, O_NOFOLLOW},      {0x200, O_CREAT},
    {0x400, O_TRUNC},      {0x800, O_EXCL},        {0x20000, O_NOCTTY},      {0x100000, O_DIRECTORY},
    {0x400000, O_DSYNC},   {0x1000000, O_CLOEXEC},
};

static const struct pair at_flags[] = {
    {0x10, AT_EACCESS},
    {0x20, AT_SYMLINK_NOFOLLOW},
    {0x40, AT_SYMLINK_FOLLOW},
    {0x80, AT_REMOVEDIR},
};

int folder_from(int fd)
{
    return fd == DARWIN_AT_FDCWD ? AT_FDCWD : fd;
}

int open_flags_from(int darwin)
{
    int native = (int)bits_from(PAIRS(open_flags), (uint32_t)darwin);
    if (darwin & DARWIN_O_SYMLINK) {
        native |= O_PATH | O_NOFOLLOW;
    }
    return native;
}

int at_flags_from(int darwin)
{
    /* unlinkat's AT_REMOVEDIR and faccessat's AT_EACCESS are one bit on Linux; no function takes both. */
    return (int)bits_from(PAIRS(at_flags), (uint32_t)darwin);
}

/* Files that every macOS has: the version of the system (macho.SystemVersion.plist beside the loader), and a program
 * that says what a user prefers, who has no preferences here. */
const char *path_from(const char *darwin)
{
    static char version[PATH_MAX];
    if (strcmp(darwin, "/System/Library/CoreServices/SystemVersion.plist") == 0) {
        snprintf(version, sizeof version, "%s.SystemVersion.plist", process.loader.path);
        return version;
    }
    return strcmp(darwin, "/usr/bin/defaults") == 0 ? "/bin/false" : darwin;
}

static int darwin_access(const char *path, int mode)
{
    return access(path_from(path), mode);
}

static int open_locked(int fd, int flags)
{
    if (fd >= 0 && flags & (DARWIN_O_SHLOCK | DARWIN_O_EXLOCK)) {
        int operation = flags & DARWIN_O_EXLOCK ? LOCK_EX : LOCK_SH;
        if (flock(fd, operation | (flags & 0x4 ? LOCK_NB : 0))) {
            int error = errno;
            close(fd);
            return refuse(error);
        }
    }
    return fd;
}

/* To open /dev/fd/N is to duplicate N on macOS: the same offset, no more access than it has. Linux opens the file anew. */
static int open_descriptor(int fd, int flags)
{
    int own = fcntl(fd, F_GETFL);
    if (own < 0) {
        return -1;
    }
    int wanted = flags & O_ACCMODE; /* the same numbers on both */
    if ((own & O_ACCMODE) != O_RDWR && (own & O_ACCMODE) != wanted) {
        return refuse(EACCES);
    }
    return fcntl(fd, open_flags_from(flags) & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
}

/* The N of /dev/fd/N; -1 for any other path. */
static int descriptor_of(const char *path)
{
    static const char folder[] = "/dev/fd/";
    char *end;
    if (strncmp(path, folder, strlen(folder)) != 0 || path[strlen(folder)] < '0' || path[strlen(folder)] > '9') {
        return -1;
    }
    long number = strtol(path + strlen(folder), &end, 10);
    return *end || number > INT_MAX ? -1 : (int)number;
}

static int darwin_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = va_arg(arguments, unsigned); /* not there without O_CREAT, and then not used */
    va_end(arguments);
    if (descriptor_of(path) >= 0) {
        return open_descriptor(descriptor_of(path), flags);
    }
    return open_locked(open(path_from(path), open_flags_from(flags), mode), flags);
}

static int darwin_openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = va_arg(arguments, unsigned);
    va_end(arguments);
    return open_locked(openat(folder_from(folder), path, open_flags_from(flags), mode), flags);
}

static int darwin_creat(const char *path, uint16_t mode)
{
    return creat(path, mode);
}

static int darwin_close(int fd)
{
    kqueue_forget(fd);
    return close(fd);
}

static int darwin_dup2(int from, int to)
{
    if (from != to) {
        kqueue_forget(to);
    }
    return dup2(from, to);
}

static int darwin_mkostemp(char *template, int flags)
{
    return mkostemp(template, open_flags_from(flags));
}

static int darwin_mkostemps(char *template, int suffix, int flags)
{
    return mkostemps(template, suffix, open_flags_from(flags));
}

static int darwin_posix_openpt(int flags)
{
    return posix_openpt(open_flags_from(flags));
}

/* ---- fcntl ---- */

struct darwin_flock {
    int64_t l_start, l_len;
    int32_t l_pid;
    int16_t l_type, l_whence;
};
_Static_assert(sizeof(struct darwin_flock) == 24, "struct flock");

static const struct pair lock_types[] = {{1, F_RDLCK}, {2, F_UNLCK}, {3, F_WRLCK}};

static int lock_file(int fd, int command, struct darwin_flock *darwin)
{
    struct flock native = {
        .l_type = (short)pair_from(PAIRS(lock_types), darwin->l_type),
        .l_whence = darwin->l_whence,
        .l_start = darwin->l_start,
        .l_len = darwin->l_len,
    };
    if (native.l_type < 0) {
        return refuse(EINVAL);
    }
    int result = fcntl(fd, command, &native);
    if (result == 0 && (command == F_GETLK || command == F_OFD_GETLK)) {
        darwin->l_type = (int16_t)pair_to(PAIRS(lock_types), native.l_type);
        darwin->l_whence = native.l_whence;
        darwin->l_start = native.l_start;
        darwin->l_len = native.l_len;
        darwin->l_pid = native.l_pid;
    }
    return result;
}

static int path_of(int fd, char *path)
{
    char link[64];
    char target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target);
    if (length < 0) {
        return refuse(EBADF);
    }
    if (length >= 1024) {
        return refuse(ENAMETOOLONG);
    }
    memcpy(path, target, (size_t)length);
    path[length] = '\0';
    return 0;
}

/* F_PREALLOCATE: {flags, mode, offset, length, allocated}. */
struct darwin_fstore {
    uint32_t fst_flags;
    int32_t fst_posmode;
    int64_t fst_offset, fst_length, fst_bytesalloc;
};

static int preallocate(int fd, struct darwin_fstore *store)
{
    struct stat status;
    if (fstat(fd, &status)) {
        return -1;
    }
    int64_t start = store->fst_posmode == 3 ? status.st_size : store->fst_offset; /* F_PEOFPOSMODE */
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, start, store->fst_length)) {
        return -1;
    }
    store->fst_bytesalloc = store->fst_length;
    return 0;
}

static int darwin_fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    void *pointer = (void *)argument;
    switch (command) {
    case 0:
        return fcntl(fd, F_DUPFD, (int)argument);
    case 67:
        return fcntl(fd, F_DUPFD_CLOEXEC, (int)argument);
    case 1:
        return fcntl(fd, F_GETFD);
    case 2:
        return fcntl(fd, F_SETFD, (int)argument);
    case 3: {
        int native = fcntl(fd, F_GETFL);
        return native < 0 ? native
                          : (native & O_ACCMODE) | (int)bits_to(PAIRS(open_flags), (uint32_t)(native & ~O_ACCMODE));
    }
    case 4:
        return fcntl(fd, F_SETFL, open_flags_from((int)argument));
    case 5:
        return fcntl(fd, F_GETOWN);
    case 6:
        return fcntl(fd, F_SETOWN, (int)argument);
    case 7:
        return lock_file(fd, F_GETLK, pointer);
    case 8:
        return lock_file(fd, F_SETLK, pointer);
    case 9:
        return lock_file(fd, F_SETLKW, pointer);
    case 90:
        return lock_file(fd, F_OFD_SETLK, pointer);
    case 91:
        return lock_file(fd, F_OFD_SETLKW, pointer);
    case 92:
        return lock_file(fd, F_OFD_GETLK, pointer);
    case 42:
        return preallocate(fd, pointer);
    case 43: /* F_SETSIZE */
        return ftruncate(fd, *(int64_t *)pointer);
    case 50: /* F_GETPATH */
    case 102: /* F_GETPATH_NOFIRMLINK */
        return path_of(fd, pointer);
    case 51: /* F_FULLFSYNC */
    case 85: /* F_BARRIERFSYNC */
        return fsync(fd);
    case 44: /* F_RDADVISE */
    case 45: /* F_RDAHEAD */
    case 48: /* F_NOCACHE */
    case 76: /* F_SINGLE_WRITER */
        return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
    }
    return refuse(EINVAL);
}

/* ---- ioctl ---- */

static const struct pair ioctls[] = {
    /* Requests whose argument is the same on both: none, an int, or struct winsize. */
    {0x8004667e, FIONBIO},   {0x4004667f, FIONREAD},   {0x8004667d, FIOASYNC},  {0x20006601, FIOCLEX},
    {0x20006602, FIONCLEX},  {0x40087468, TIOCGWINSZ}, {0x80087467, TIOCSWINSZ}, {0x20007461, TIOCSCTTY},
    {0x20007471, TIOCNOTTY}, {0x40047477, TIOCGPGRP},  {0x80047476, TIOCSPGRP}, {0x40047473, TIOCOUTQ},
    {0x80017472, TIOCSTI},   {0x2000740d, TIOCEXCL},   {0x2000740e, TIOCNXCL},  {0x4004746a, TIOCMGET},
    {0x8004746d, TIOCMSET},  {0x8004746c, TIOCMBIS},   {0x8004746b, TIOCMBIC},  {0x2000747b, TIOCSBRK},
    {0x2000747a, TIOCCBRK},  {0x80047470, TIOCPKT},
};

static int darwin_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *pointer = va_arg(arguments, void *);
    va_end(arguments);
    request &= 0xffffffff; /* callers pass it as an int, sign and all */
    switch (request) {
    case 0x40487413: /* TIOCGETA */
        return terminal_get(fd, pointer);
    case 0x80487414: /* TIOCSETA, TIOCSETAW, TIOCSETAF: in tcsetattr's order */
    case 0x80487415:
    case 0x80487416:
        return terminal_set(fd, (int)(request - 0x80487414), pointer);
    case 0x20007461: /* TIOCSCTTY: no argument on macOS */
        return ioctl(fd, TIOCSCTTY, 0);
    case 0x20007454: /* TIOCPTYGRANT, TIOCPTYUNLK */
        return grantpt(fd);
    case 0x20007452:
        return unlockpt(fd);
    case 0x40807453: /* TIOCPTYGNAME: 128 bytes */
        return ptsname_r(fd, pointer, 128) ? -1 : 0;
    }
    int64_t native = pair_from(PAIRS(ioctls), (int64_t)request);
    return native < 0 ? refuse(ENOTTY) : ioctl(fd, (unsigned long)native, pointer);
}

static int darwin_pipe(int fds[2])
{
    return pipe(fds);
}

static int64_t darwin_lseek(int fd, int64_t offset, int whence)
{
    static const int natives[] = {SEEK_SET, SEEK_CUR, SEEK_END, SEEK_HOLE, SEEK_DATA};
    if (whence < 0 || whence > 4) {
        return refuse(EINVAL);
    }
    return lseek(fd, offset, natives[whence]);
}

/* ---- with a folder ---- */

static int darwin_faccessat(int folder, const char *path, int mode, int flags)
{
    return faccessat(folder_from(folder), path, mode, at_flags_from(flags));
}

/* On macOS symbolic links have modes of their own; Linux has none to change, and that is no error here. */
static int darwin_fchmodat(int folder, const char *path, uint16_t mode, int flags)
{
    struct stat status;
    int native = at_flags_from(flags);
    if (native & AT_SYMLINK_NOFOLLOW && fstatat(folder_from(folder), path, &status, native) == 0 &&
        S_ISLNK(status.st_mode)) {
        return 0;
    }
    return fchmodat(folder_from(folder), path, mode, native & ~AT_SYMLINK_NOFOLLOW);
}

static int darwin_lchmod(const char *path, uint16_t mode)
{
    return darwin_fchmodat(DARWIN_AT_FDCWD, path, mode, 0x20);
}

static int darwin_fchownat(int folder, const char *path, uint32_t user, uint32_t group, int flags)
{
    return fchownat(folder_from(folder), path, user, group, at_flags_from(flags));
}

static int darwin_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    return linkat(folder_from(from_folder), from, folder_from(to_folder), to, at_flags_from(flags));
}

static int darwin_mkdirat(int folder, const char *path, uint16_t mode)
{
    return mkdirat(folder_from(folder), path, mode);
}

static ssize_t darwin_readlinkat(int folder, const char *path, char *buffer, size_t size)
{
    return readlinkat(folder_from(folder), path, buffer, size);
}

static int darwin_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return renameat(folder_from(from_folder), from, folder_from(to_folder), to);
}

static int darwin_renameatx_np(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    /* RENAME_SWAP 2 and RENAME_EXCL 4 are Linux's RENAME_EXCHANGE 2 and RENAME_NOREPLACE 1. */
    unsigned native = (flags & 2 ? RENAME_EXCHANGE : 0) | (flags & 4 ? RENAME_NOREPLACE : 0);
    return renameat2(folder_from(from_folder), from, folder_from(to_folder), to, native);
}

static int darwin_renamex_np(const char *from, const char *to, unsigned flags)
{
    return darwin_renameatx_np(DARWIN_AT_FDCWD, from, DARWIN_AT_FDCWD, to, flags);
}

static int darwin_symlinkat(const char *target, int folder, const char *path)
{
    return symlinkat(target, folder_from(folder), path);
}

static int darwin_unlinkat(int folder, const char *path, int flags)
{
    return unlinkat(folder_from(folder), path, flags & 0x80 ? AT_REMOVEDIR : 0);
}

static char *darwin_realpath(const char *path, char *resolved)
{
    return realpath(path, resolved);
}

/* Requests to file systems, as sqlite's for AFP. */
static int darwin_fsctl(void)
{
    return refuse(ENOTTY);
}

static int darwin_getattrlist(void)
{
    return refuse(ENOTSUP);
}

static const struct symbol files_symbols[] = {
    SHIM(access),
    SHIM(open),      SHIM(openat),      SHIM(creat),       SHIM(close),     SHIM(dup2),     SHIM(mkostemp),
    SHIM(mkostemps), SHIM(posix_openpt), SHIM(fcntl),      SHIM(ioctl),     SHIM(pipe),     SHIM(lseek),
    SHIM(faccessat), SHIM(fchmodat),    SHIM(lchmod),      SHIM(fchownat),  SHIM(linkat),   SHIM(mkdirat),
    SHIM(readlinkat), SHIM(renameat),   SHIM(renameatx_np), SHIM(renamex_np), SHIM(symlinkat), SHIM(unlinkat),
    SHIM(realpath),  SHIM(getattrlist), SHIM(fsctl), SHIM_AS("_fgetattrlist", getattrlist),
    SHIM_AS("_setattrlist", getattrlist), SHIM_AS("_fsetattrlist", getattrlist), SHIM_AS("_getattrlistbulk", getattrlist),
};

SYMBOL_TABLE(files);
