/* Error numbers and their texts.
 *
 * Functions set glibc's errno; code of macOS asks __error() for the address of its own. What glibc has set since the
 * last time is translated then, and glibc's is cleared: saving, clearing and restoring errno work as ever. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "darwin.h"
#include "system.h"

static const struct {
    int native; /* 0: Linux has no such error */
    const char *text;
} errors[] = {
    [0] = {0, "Undefined error: 0"},
    [1] = {EPERM, "Operation not permitted"},
    [2] = {ENOENT, "No such file or directory"},
    [3] = {ESRCH, "No such process"},
    [4] = {EINTR, "Interrupted system call"},
    [5] = {EIO, "Input/output error"},
    [6] = {ENXIO, "Device not configured"},
    [7] = {E2BIG, "Argument list too long"},
    [8] = {ENOEXEC, "Exec format error"},
    [9] = {EBADF, "Bad file descriptor"},
    [10] = {ECHILD, "No child processes"},
    [11] = {EDEADLK, "Resource deadlock avoided"},
    [12] = {ENOMEM, "Cannot allocate memory"},
    [13] = {EACCES, "Permission denied"},
    [14] = {EFAULT, "Bad address"},
    [15] = {ENOTBLK, "Block device required"},
    [16] = {EBUSY, "Resource busy"},
    [17] = {EEXIST, "File exists"},
    [18] = {EXDEV, "Cross-device link"},
    [19] = {ENODEV, "Operation not supported by device"},
    [20] = {ENOTDIR, "Not a directory"},
    [21] = {EISDIR, "Is a directory"},
    [22] = {EINVAL, "Invalid argument"},
    [23] = {ENFILE, "Too many open files in system"},
    [24] = {EMFILE, "Too many open files"},
    [25] = {ENOTTY, "Inappropriate ioctl for device"},
    [26] = {ETXTBSY, "Text file busy"},
    [27] = {EFBIG, "File too large"},
    [28] = {ENOSPC, "No space left on device"},
    [29] = {ESPIPE, "Illegal seek"},
    [30] = {EROFS, "Read-only file system"},
    [31] = {EMLINK, "Too many links"},
    [32] = {EPIPE, "Broken pipe"},
    [33] = {EDOM, "Numerical argument out of domain"},
    [34] = {ERANGE, "Result too large"},
    [35] = {EAGAIN, "Resource temporarily unavailable"},
    [36] = {EINPROGRESS, "Operation now in progress"},
    [37] = {EALREADY, "Operation already in progress"},
    [38] = {ENOTSOCK, "Socket operation on non-socket"},
    [39] = {EDESTADDRREQ, "Destination address required"},
    [40] = {EMSGSIZE, "Message too long"},
    [41] = {EPROTOTYPE, "Protocol wrong type for socket"},
    [42] = {ENOPROTOOPT, "Protocol not available"},
    [43] = {EPROTONOSUPPORT, "Protocol not supported"},
    [44] = {ESOCKTNOSUPPORT, "Socket type not supported"},
    [45] = {ENOTSUP, "Operation not supported"},
    [46] = {EPFNOSUPPORT, "Protocol family not supported"},
    [47] = {EAFNOSUPPORT, "Address family not supported by protocol family"},
    [48] = {EADDRINUSE, "Address already in use"},
    [49] = {EADDRNOTAVAIL, "Can't assign requested address"},
    [50] = {ENETDOWN, "Network is down"},
    [51] = {ENETUNREACH, "Network is unreachable"},
    [52] = {ENETRESET, "Network dropped connection on reset"},
    [53] = {ECONNABORTED, "Software caused connection abort"},
    [54] = {ECONNRESET, "Connection reset by peer"},
    [55] = {ENOBUFS, "No buffer space available"},
    [56] = {EISCONN, "Socket is already connected"},
    [57] = {ENOTCONN, "Socket is not connected"},
    [58] = {ESHUTDOWN, "Can't send after socket shutdown"},
    [59] = {ETOOMANYREFS, "Too many references: can't splice"},
    [60] = {ETIMEDOUT, "Operation timed out"},
    [61] = {ECONNREFUSED, "Connection refused"},
    [62] = {ELOOP, "Too many levels of symbolic links"},
    [63] = {ENAMETOOLONG, "File name too long"},
    [64] = {EHOSTDOWN, "Host is down"},
    [65] = {EHOSTUNREACH, "No route to host"},
    [66] = {ENOTEMPTY, "Directory not empty"},
    [67] = {0, "Too many processes"},
    [68] = {EUSERS, "Too many users"},
    [69] = {EDQUOT, "Disc quota exceeded"},
    [70] = {ESTALE, "Stale NFS file handle"},
    [71] = {EREMOTE, "Too many levels of remote in path"},
    [72] = {0, "RPC struct is bad"},
    [73] = {0, "RPC version wrong"},
    [74] = {0, "RPC prog. not avail"},
    [75] = {0, "Program version wrong"},
    [76] = {0, "Bad procedure for program"},
    [77] = {ENOLCK, "No locks available"},
    [78] = {ENOSYS, "Function not implemented"},
    [79] = {0, "Inappropriate file type or format"},
    [80] = {0, "Authentication error"},
    [81] = {0, "Need authenticator"},
    [82] = {0, "Device power is off"},
    [83] = {0, "Device error"},
    [84] = {EOVERFLOW, "Value too large to be stored in data type"},
    [85] = {0, "Bad executable (or shared library)"},
    [86] = {0, "Bad CPU type in executable"},
    [87] = {0, "Shared library version mismatch"},
    [88] = {0, "Malformed Mach-o file"},
    [89] = {ECANCELED, "Operation canceled"},
    [90] = {EIDRM, "Identifier removed"},
    [91] = {ENOMSG, "No message of desired type"},
    [92] = {EILSEQ, "Illegal byte sequence"},
    /* What Linux says of an extended attribute that is not there; before 96, so it wins. */
    [93] = {ENODATA, "Attribute not found"},
    [94] = {EBADMSG, "Bad message"},
    [95] = {EMULTIHOP, "EMULTIHOP (Reserved)"},
    [96] = {ENODATA, "No message available on STREAM"},
    [97] = {ENOLINK, "ENOLINK (Reserved)"},
    [98] = {ENOSR, "No STR resources"},
    [99] = {ENOSTR, "Not a STREAM"},
    [100] = {EPROTO, "Protocol error"},
    [101] = {ETIME, "STREAM ioctl timeout"},
    [102] = {EOPNOTSUPP, "Operation not supported on socket"},
    [103] = {0, "Policy not found"},
    [104] = {ENOTRECOVERABLE, "State not recoverable"},
    [105] = {EOWNERDEAD, "Previous owner died"},
    [106] = {0, "Interface output queue is full"},
};

enum {
    ERROR_COUNT = sizeof errors / sizeof *errors,
    DARWIN_EINVAL = 22,
    DARWIN_ERANGE = 34,
};

int errno_from(int darwin)
{
    return darwin > 0 && darwin < ERROR_COUNT ? errors[darwin].native : 0;
}

int errno_to(int native)
{
    for (int i = 1; native && i < ERROR_COUNT; i++) {
        if (errors[i].native == native) {
            return i;
        }
    }
    return native ? DARWIN_EINVAL : 0; /* one that macOS does not have: none of the functions here is known for it */
}

int refuse(int native_errno)
{
    errno = native_errno;
    return -1;
}

static int *darwin___error(void)
{
    static __thread int number;
    if (errno) {
        number = errno_to(errno);
        errno = 0;
    }
    return &number;
}

static int darwin_strerror_r(int number, char *buffer, size_t size)
{
    bool known = number >= 0 && number < ERROR_COUNT;
    int length = known ? snprintf(buffer, size, "%s", errors[number].text)
                       : snprintf(buffer, size, "Unknown error: %d", number);
    return !known ? DARWIN_EINVAL : length >= (int)size ? DARWIN_ERANGE : 0;
}

static char *darwin_strerror(int number)
{
    static __thread char text[64];
    darwin_strerror_r(number, text, sizeof text);
    return text;
}

static void darwin_perror(const char *prefix)
{
    int number = *darwin___error();
    fprintf(stderr, "%s%s%s\n", prefix ? prefix : "", prefix && *prefix ? ": " : "", darwin_strerror(number));
}

static int darwin_sys_nerr = ERROR_COUNT;

static const struct symbol errno_symbols[] = {
    SHIM(__error), SHIM(strerror), SHIM(strerror_r), SHIM(perror), SHIM(sys_nerr),
};

SYMBOL_TABLE(errno);
