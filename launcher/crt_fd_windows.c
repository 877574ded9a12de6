/* The C library's functions that work with descriptors of virtual files. */
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <string.h>

#include "crt_windows.h"
#include "hooks_windows.h"

__typeof__(DuplicateHandle) ox_DuplicateHandle;
int ox__close(int fd);
int ox__read(int fd, void *buffer, unsigned size);
long ox__lseek(int fd, long distance, int method);
__int64 ox__lseeki64(int fd, __int64 distance, int method);
long ox__tell(int fd);
__int64 ox__telli64(int fd);
int ox__eof(int fd);
long ox__filelength(int fd);
__int64 ox__filelengthi64(int fd);
int ox__isatty(int fd);
int ox__dup(int fd);
int ox__dup2(int fd, int other);
int ox__setmode(int fd, int mode);
int ox__chsize(int fd, long size);
errno_t ox__chsize_s(int fd, __int64 size);
int ox__locking(int fd, int mode, long size);
OX_CRT_ALIAS(_close, close);
OX_CRT_ALIAS(_read, read);
OX_CRT_ALIAS(_lseek, lseek);
OX_CRT_ALIAS(_lseeki64, lseek64);
OX_CRT_ALIAS(_tell, tell);
OX_CRT_ALIAS(_eof, eof);
OX_CRT_ALIAS(_filelength, filelength);
OX_CRT_ALIAS(_isatty, isatty);
OX_CRT_ALIAS(_dup, dup);
OX_CRT_ALIAS(_dup2, dup2);
OX_CRT_ALIAS(_setmode, setmode);
OX_CRT_ALIAS(_chsize, chsize);

struct ox_file *ox_crt_file(int fd)
{
    /* A bad descriptor is not for us to complain of: the real function does, by the invalid parameter handler. */
    return atomic_load_explicit(&ox_handles_used, memory_order_relaxed) && fd >= 0
        ? ox_handle_file((HANDLE)_get_osfhandle(fd))
        : NULL;
}

/* To be called before UCRT closes the handle of a descriptor. */
static void forget(int fd)
{
    struct ox_file *file = ox_crt_file(fd);
    if (file != NULL) {
        ox_handle_forget((HANDLE)_get_osfhandle(fd));
        ox_file_release(file);
    }
}

int ox__close(int fd)
{
    forget(fd);
    return OX_REAL(_close)(fd);
}

/* Text mode: "\r\n" becomes "\n". Returns how many bytes are left. As in UCRT, of a "\r\n" that the buffer's end cuts in two
 * the "\n" is left for the next read, unless this one would have nothing. */
static size_t translate(struct ox_file *file, char *buffer, size_t size)
{
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        char next = '\0';
        if (buffer[i] == '\r' && i + 1 == size) {
            uint64_t position;
            size_t copied = 0;
            if (ox_file_read(file, NULL, &next, 1, &copied) == 0 && copied == 1) {
                if (next == '\n' && kept == 0) {
                    buffer[i] = '\n';
                } else {
                    ox_file_seek(file, -1, FILE_CURRENT, &position);
                }
            }
        } else if (buffer[i] == '\r') {
            next = buffer[i + 1];
        }
        if (buffer[i] != '\r' || next != '\n') {
            buffer[kept++] = buffer[i];
        }
    }
    return kept;
}

int ox__read(int fd, void *buffer, unsigned size)
{
    struct ox_file *file = ox_crt_file(fd);
    size_t copied = 0;
    if (file == NULL) {
        return OX_REAL(_read)(fd, buffer, size);
    }
    DWORD error = size > INT_MAX || (buffer == NULL && size != 0) ? ERROR_INVALID_PARAMETER
                                                                   : ox_file_read(file, NULL, buffer, size, &copied);
    if (error == 0 && atomic_load_explicit(&file->text, memory_order_relaxed)) {
        copied = translate(file, buffer, copied);
    }
    ox_file_release(file);
    return error != 0 ? ox_crt_fail(error) : (int)copied;
}

/* The new position, or -1 with errno. */
static __int64 seek(struct ox_file *file, __int64 distance, int method)
{
    uint64_t position = 0;
    DWORD error = ox_file_seek(file, distance, (DWORD)method, &position); /* SEEK_… are FILE_… */
    ox_file_release(file);
    return error != 0 ? ox_crt_fail(error) : (__int64)position;
}

__int64 ox__lseeki64(int fd, __int64 distance, int method)
{
    struct ox_file *file = ox_crt_file(fd);
    return file == NULL ? OX_REAL(_lseeki64)(fd, distance, method) : seek(file, distance, method);
}

static long in_long(__int64 value)
{
    return value > LONG_MAX ? ox_crt_fail(ERROR_INVALID_PARAMETER) : (long)value;
}

long ox__lseek(int fd, long distance, int method)
{
    struct ox_file *file = ox_crt_file(fd);
    return file == NULL ? OX_REAL(_lseek)(fd, distance, method) : in_long(seek(file, distance, method));
}

__int64 ox__telli64(int fd)
{
    return ox__lseeki64(fd, 0, SEEK_CUR);
}

long ox__tell(int fd)
{
    return ox__lseek(fd, 0, SEEK_CUR);
}

int ox__eof(int fd)
{
    struct ox_file *file = ox_crt_file(fd);
    if (file == NULL) {
        return OX_REAL(_eof)(fd);
    }
    uint64_t size = ox_file_size(file);
    return (uint64_t)seek(file, 0, SEEK_CUR) >= size;
}

__int64 ox__filelengthi64(int fd)
{
    struct ox_file *file = ox_crt_file(fd);
    if (file == NULL) {
        return OX_REAL(_filelengthi64)(fd);
    }
    uint64_t size = ox_file_size(file);
    ox_file_release(file);
    return (__int64)size;
}

long ox__filelength(int fd)
{
    return in_long(ox__filelengthi64(fd));
}

/* The handle is that of a device, the file is none. */
int ox__isatty(int fd)
{
    struct ox_file *file = ox_crt_file(fd);
    if (file == NULL) {
        return OX_REAL(_isatty)(fd);
    }
    ox_file_release(file);
    errno = ENOTTY;
    return 0;
}

int ox__dup(int fd)
{
    struct ox_file *file = ox_crt_file(fd);
    HANDLE handle;
    if (file == NULL) {
        return OX_REAL(_dup)(fd);
    }
    ox_file_release(file);
    if (!ox_DuplicateHandle(GetCurrentProcess(), (HANDLE)_get_osfhandle(fd), GetCurrentProcess(), &handle, 0, TRUE,
            DUPLICATE_SAME_ACCESS)) {
        return ox_crt_fail(GetLastError());
    }
    int made = _open_osfhandle((intptr_t)handle, _O_BINARY);
    if (made < 0) {
        CloseHandle(handle);
    }
    return made;
}

int ox__dup2(int fd, int other)
{
    struct ox_file *file = ox_crt_file(fd);
    if (fd != other) {
        forget(other);
    }
    int result = OX_REAL(_dup2)(fd, other);
    if (file != NULL) {
        if (result == 0 && fd != other && !ox_handle_adopt((HANDLE)_get_osfhandle(other), file)) {
            OX_REAL(_close)(other);
            result = ox_crt_fail(ERROR_NOT_ENOUGH_MEMORY);
        }
        ox_file_release(file);
    }
    return result;
}

int ox__setmode(int fd, int mode)
{
    struct ox_file *file = ox_crt_file(fd);
    if (file == NULL || (mode != _O_BINARY && mode != _O_TEXT)) {
        if (file != NULL) {
            ox_file_release(file);
        }
        return OX_REAL(_setmode)(fd, mode);
    }
    bool text = atomic_exchange(&file->text, mode == _O_TEXT);
    ox_file_release(file);
    return text ? _O_TEXT : _O_BINARY;
}

/* Whether the file is virtual; then errno says that it is open for reading alone. */
static bool refuses(int fd)
{
    struct ox_file *file = ox_crt_file(fd);
    if (file != NULL) {
        ox_file_release(file);
        ox_crt_fail(ERROR_ACCESS_DENIED);
    }
    return file != NULL;
}

errno_t ox__chsize_s(int fd, __int64 size)
{
    return refuses(fd) ? errno : OX_REAL(_chsize_s)(fd, size);
}

int ox__chsize(int fd, long size)
{
    return refuses(fd) ? -1 : OX_REAL(_chsize)(fd, size);
}

int ox__locking(int fd, int mode, long size)
{
    struct ox_file *file = ox_crt_file(fd);
    if (file == NULL) {
        return OX_REAL(_locking)(fd, mode, size);
    }
    ox_file_release(file);
    return 0; /* nobody writes to it */
}
