/* The C library's streams. A FILE reads from a file of Windows': UCRT's own functions do that, out of our sight. So a virtual file
 * that is opened as a stream is copied to a temporary one, which Windows keeps in memory as long as there is some, and
 * removes when it is closed, however the process ends. It is the one exception from "nothing is extracted"; Python itself
 * opens no streams. */
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <share.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crt_windows.h"
#include "hooks_windows.h"

__typeof__(CreateFileW) ox_CreateFileW;
FILE *ox__wfopen(const wchar_t *path, const wchar_t *mode);
FILE *ox_fopen(const char *path, const char *mode);
errno_t ox__wfopen_s(FILE **stream, const wchar_t *path, const wchar_t *mode);
errno_t ox_fopen_s(FILE **stream, const char *path, const char *mode);
FILE *ox__wfsopen(const wchar_t *path, const wchar_t *mode, int share);
FILE *ox__fsopen(const char *path, const char *mode, int share);
FILE *ox__wfdopen(int fd, const wchar_t *mode);
FILE *ox__fdopen(int fd, const char *mode);
FILE *ox__wfreopen(const wchar_t *path, const wchar_t *mode, FILE *stream);
FILE *ox_freopen(const char *path, const char *mode, FILE *stream);
OX_CRT_ALIAS(fopen, fopen64);
OX_CRT_ALIAS(_fdopen, fdopen);
OX_CRT_ALIAS(freopen, freopen64);

/* A new temporary file; INVALID_HANDLE_VALUE with the last error. */
static HANDLE temporary_file(bool inherited)
{
    static _Atomic uint32_t count;
    wchar_t path[MAX_PATH + 64];
    SECURITY_ATTRIBUTES security = {sizeof security, NULL, inherited};
    DWORD size = GetTempPathW(MAX_PATH + 1, path);
    if (size == 0 || size > MAX_PATH) {
        SetLastError(ERROR_PATH_NOT_FOUND);
        return INVALID_HANDLE_VALUE;
    }
    for (;;) {
        swprintf(path + size, 64, L"oxcross-%lx-%llx-%x.tmp", GetCurrentProcessId(), (unsigned long long)GetTickCount64(),
            (unsigned)atomic_fetch_add(&count, 1));
        HANDLE handle = OX_REAL(CreateFileW)(path, GENERIC_READ | GENERIC_WRITE | DELETE, FILE_SHARE_READ | FILE_SHARE_DELETE,
            &security, CREATE_NEW, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
        if (handle != INVALID_HANDLE_VALUE || GetLastError() != ERROR_FILE_EXISTS) {
            ox_handle_forget(handle);
            return handle;
        }
    }
}

/* A descriptor of a temporary file with the file's bytes, at its beginning; -1 with errno. */
static int copied(struct ox_file *file, int flags)
{
    const uint8_t *data = ox_file_data(file);
    uint64_t size = ox_file_size(file);
    HANDLE handle = data == NULL ? INVALID_HANDLE_VALUE : temporary_file((flags & _O_NOINHERIT) == 0);
    if (handle == INVALID_HANDLE_VALUE) {
        return ox_crt_fail(GetLastError());
    }
    while (size > 0) {
        DWORD written = 0;
        if (!WriteFile(handle, data, size < (1u << 30) ? (DWORD)size : 1u << 30, &written, NULL) || written == 0) {
            int result = ox_crt_fail(GetLastError());
            CloseHandle(handle);
            return result;
        }
        data += written;
        size -= written;
    }
    SetFilePointer(handle, 0, NULL, FILE_BEGIN);
    int fd = _open_osfhandle((intptr_t)handle, flags);
    if (fd < 0) {
        CloseHandle(handle);
    }
    return fd;
}

/* A descriptor for a stream of a virtual path; -1 with errno. */
static int open_in_mode(const struct ox_lookup *lookup, const wchar_t *mode)
{
    bool writes = mode[0] != L'r' || wcschr(mode, L'+') != NULL;
    int usual = _O_TEXT;
    _get_fmode(&usual);
    bool binary = wcschr(mode, L'b') != NULL || (wcschr(mode, L't') == NULL && usual == _O_BINARY);
    int flags = (wcschr(mode, L'N') != NULL ? _O_NOINHERIT : 0) | (binary ? _O_BINARY : _O_TEXT);
    int fd = ox_crt_open(lookup, flags | (writes ? _O_RDWR : 0) | (mode[0] != L'r' ? _O_CREAT : 0));
    if (fd < 0) {
        return -1;
    }
    struct ox_file *file = ox_crt_file(fd);
    int made = file == NULL ? -1 : copied(file, flags);
    if (file != NULL) {
        ox_file_release(file);
    }
    int error = errno;
    _close(fd);
    errno = error;
    return made;
}

static FILE *stream_of(const struct ox_lookup *lookup, const wchar_t *mode)
{
    int fd = open_in_mode(lookup, mode);
    if (fd < 0) {
        return NULL;
    }
    FILE *stream = OX_REAL(_wfdopen)(fd, mode);
    if (stream == NULL) {
        _close(fd);
    }
    return stream;
}

/* Whether the path is ours, for a stream. */
static bool is_below(const wchar_t **path, const wchar_t *mode, struct ox_lookup *lookup)
{
    return mode != NULL && ox_lookup(path, lookup) && lookup->place != OX_SELF;
}

FILE *ox__wfsopen(const wchar_t *path, const wchar_t *mode, int share)
{
    struct ox_lookup lookup;
    return is_below(&path, mode, &lookup) ? stream_of(&lookup, mode) : OX_REAL(_wfsopen)(path, mode, share);
}

FILE *ox__wfopen(const wchar_t *path, const wchar_t *mode)
{
    struct ox_lookup lookup;
    return is_below(&path, mode, &lookup) ? stream_of(&lookup, mode) : OX_REAL(_wfopen)(path, mode);
}

errno_t ox__wfopen_s(FILE **stream, const wchar_t *path, const wchar_t *mode)
{
    struct ox_lookup lookup;
    if (stream == NULL || !is_below(&path, mode, &lookup)) {
        return OX_REAL(_wfopen_s)(stream, path, mode);
    }
    *stream = stream_of(&lookup, mode);
    return *stream == NULL ? errno : 0;
}

/* The two texts of a narrow function as UTF-16; false: the path is elsewhere, or too long to be ours. */
static bool both(const char *path, const char *mode, wchar_t wide_path[OX_PATH_MAX], wchar_t wide_mode[64])
{
    return mode != NULL && ox_vfs_widen(path, ox_crt_page(), wide_path) != NULL && !ox_vfs_elsewhere(wide_path)
        && MultiByteToWideChar(CP_ACP, 0, mode, -1, wide_mode, 64) > 0;
}

FILE *ox_fopen(const char *path, const char *mode)
{
    wchar_t wide[OX_PATH_MAX];
    wchar_t wide_mode[64];
    return both(path, mode, wide, wide_mode) ? ox__wfopen(wide, wide_mode) : OX_REAL(fopen)(path, mode);
}

errno_t ox_fopen_s(FILE **stream, const char *path, const char *mode)
{
    wchar_t wide[OX_PATH_MAX];
    wchar_t wide_mode[64];
    return both(path, mode, wide, wide_mode) ? ox__wfopen_s(stream, wide, wide_mode)
                                             : OX_REAL(fopen_s)(stream, path, mode);
}

FILE *ox__fsopen(const char *path, const char *mode, int share)
{
    wchar_t wide[OX_PATH_MAX];
    wchar_t wide_mode[64];
    return both(path, mode, wide, wide_mode) ? ox__wfsopen(wide, wide_mode, share)
                                             : OX_REAL(_fsopen)(path, mode, share);
}

/* Has the descriptor of a virtual file stand for a temporary copy, at the same position. */
static bool prepared(int fd)
{
    struct ox_file *file = ox_crt_file(fd);
    uint64_t position = 0;
    if (file == NULL) {
        return true;
    }
    bool text = atomic_load(&file->text);
    ox_file_seek(file, 0, FILE_CURRENT, &position);
    int copy = copied(file, text ? _O_TEXT : _O_BINARY);
    ox_file_release(file);
    if (copy < 0) {
        return false;
    }
    _lseeki64(copy, (__int64)position, SEEK_SET);
    int result = _dup2(copy, fd);
    _close(copy);
    return result == 0;
}

FILE *ox__wfdopen(int fd, const wchar_t *mode)
{
    return prepared(fd) ? OX_REAL(_wfdopen)(fd, mode) : NULL;
}

FILE *ox__fdopen(int fd, const char *mode)
{
    return prepared(fd) ? OX_REAL(_fdopen)(fd, mode) : NULL;
}

FILE *ox__wfreopen(const wchar_t *path, const wchar_t *mode, FILE *stream)
{
    struct ox_lookup lookup;
    if (!is_below(&path, mode, &lookup)) {
        return OX_REAL(_wfreopen)(path, mode, stream);
    }
    int fd = open_in_mode(&lookup, mode);
    if (fd < 0) {
        int error = errno;
        fclose(stream);
        errno = error;
        return NULL;
    }
    stream = OX_REAL(_wfreopen)(L"NUL", mode, stream);
    if (stream != NULL && _dup2(fd, _fileno(stream)) != 0) {
        fclose(stream);
        stream = NULL;
    }
    _close(fd);
    return stream;
}

FILE *ox_freopen(const char *path, const char *mode, FILE *stream)
{
    wchar_t wide[OX_PATH_MAX];
    wchar_t wide_mode[64];
    return both(path, mode, wide, wide_mode) ? ox__wfreopen(wide, wide_mode, stream)
                                             : OX_REAL(freopen)(path, mode, stream);
}
