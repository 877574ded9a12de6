/* The C library's functions that open, look at and name files by path. UCRT calls Windows' own functions, not the ones that
 * are imported into the executable; so each function that takes a path or a descriptor is stood before. */
#include "crt_windows.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <locale.h>
#include <share.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hooks_windows.h"

/* Variadic in UCRT. The mode comes in the same register (x64 calling convention), so it can be handed on. */
int ox__wopen(const wchar_t *path, int flags, int mode);
int ox__open(const char *path, int flags, int mode);
int ox__wsopen(const wchar_t *path, int flags, int share, int mode);
int ox__sopen(const char *path, int flags, int share, int mode);
errno_t ox__wsopen_s(int *fd, const wchar_t *path, int flags, int share, int mode);
errno_t ox__sopen_s(int *fd, const char *path, int flags, int share, int mode);
errno_t ox__wsopen_dispatch(const wchar_t *path, int flags, int share, int mode, int *fd, int secure);
errno_t ox__sopen_dispatch(const char *path, int flags, int share, int mode, int *fd, int secure);
int ox__waccess(const wchar_t *path, int mode);
int ox__access(const char *path, int mode);
errno_t ox__waccess_s(const wchar_t *path, int mode);
errno_t ox__access_s(const char *path, int mode);
int ox__wstat64(const wchar_t *path, struct _stat64 *status);
int ox__stat64(const char *path, struct _stat64 *status);
int ox__wstat64i32(const wchar_t *path, struct _stat64i32 *status);
int ox__stat64i32(const char *path, struct _stat64i32 *status);
int ox__fstat64(int fd, struct _stat64 *status);
int ox__fstat64i32(int fd, struct _stat64i32 *status);
OX_CRT_ALIAS(_open, open);
OX_CRT_ALIAS(_open, open64);
OX_CRT_ALIAS(_sopen, sopen);
OX_CRT_ALIAS(_access, access);
OX_CRT_ALIAS(_stat64, stat64);
OX_CRT_ALIAS(_stat64i32, stat64i32);
OX_CRT_ALIAS(_wstat64, wstat64);
OX_CRT_ALIAS(_wstat64i32, wstat64i32);
OX_CRT_ALIAS(_fstat64, fstat64);
OX_CRT_ALIAS(_fstat64i32, fstat64i32);

unsigned ox_crt_page(void)
{
    return ___lc_codepage_func() == CP_UTF8 ? CP_UTF8 : CP_ACP;
}

int ox_crt_fail(DWORD error)
{
    static const struct {
        DWORD error;
        int number;
    } known[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT}, {ERROR_PATH_NOT_FOUND, ENOENT}, {ERROR_FILENAME_EXCED_RANGE, ENOENT},
        {ERROR_ACCESS_DENIED, EACCES}, {ERROR_WRITE_PROTECT, EACCES}, {ERROR_FILE_EXISTS, EEXIST},
        {ERROR_ALREADY_EXISTS, EEXIST}, {ERROR_NOT_ENOUGH_MEMORY, ENOMEM}, {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
        {ERROR_INVALID_HANDLE, EBADF}, {ERROR_FILE_CORRUPT, EIO},
    };
    int number = EINVAL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        number = known[i].error == error ? known[i].number : number;
    }
    _set_doserrno(error);
    errno = number;
    return -1;
}

int ox_crt_open(const struct ox_lookup *lookup, int flags)
{
    bool writes = (flags & (_O_WRONLY | _O_RDWR | _O_TRUNC)) != 0;
    int mode = 0;
    if (lookup->place == OX_MISSING) {
        return ox_crt_fail((flags & _O_CREAT) != 0 && lookup->in_folder ? ERROR_WRITE_PROTECT : (DWORD)lookup->error);
    }
    if ((flags & (_O_CREAT | _O_EXCL)) == (_O_CREAT | _O_EXCL)) {
        return ox_crt_fail(ERROR_FILE_EXISTS);
    }
    if (writes || ox.blob.nodes[lookup->node].kind == OX_DIR) {
        return ox_crt_fail(writes ? ERROR_WRITE_PROTECT : ERROR_ACCESS_DENIED);
    }
    SECURITY_ATTRIBUTES security = {sizeof security, NULL, (flags & _O_NOINHERIT) == 0};
    HANDLE handle = ox_handle_open(lookup->node, &security);
    if (handle == INVALID_HANDLE_VALUE) {
        return ox_crt_fail(GetLastError());
    }
    if ((flags & (_O_BINARY | _O_TEXT | _O_WTEXT | _O_U8TEXT | _O_U16TEXT)) == 0 && _get_fmode(&mode) == 0) {
        flags |= mode;
    }
    struct ox_file *file = ox_handle_file(handle);
    if (file != NULL) {
        atomic_store(&file->text, (flags & _O_BINARY) == 0);
        ox_file_release(file);
    }
    int fd = _open_osfhandle((intptr_t)handle, (flags & (_O_NOINHERIT | _O_APPEND)) | _O_BINARY);
    if (fd < 0) {
        CloseHandle(handle);
    }
    return fd;
}

static bool is_below(const wchar_t **path, struct ox_lookup *lookup)
{
    return ox_lookup(path, lookup) && lookup->place != OX_SELF;
}

/* A new descriptor of the system's: nothing of ours has its handle. */
static int fresh(int fd)
{
    if (fd >= 0 && atomic_load_explicit(&ox_handles_used, memory_order_relaxed)) {
        ox_handle_forget((HANDLE)_get_osfhandle(fd));
    }
    return fd;
}

int ox__wopen(const wchar_t *path, int flags, int mode)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? ox_crt_open(&lookup, flags) : fresh(OX_REAL(_wopen)(path, flags, mode));
}

int ox__wsopen(const wchar_t *path, int flags, int share, int mode)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? ox_crt_open(&lookup, flags) : fresh(OX_REAL(_wsopen)(path, flags, share, mode));
}

errno_t ox__wsopen_s(int *fd, const wchar_t *path, int flags, int share, int mode)
{
    struct ox_lookup lookup;
    if (fd != NULL && is_below(&path, &lookup)) {
        *fd = ox_crt_open(&lookup, flags);
        return *fd < 0 ? errno : 0;
    }
    errno_t error = OX_REAL(_wsopen_s)(fd, path, flags, share, mode);
    if (error == 0) {
        fresh(*fd);
    }
    return error;
}

/* What _open and _sopen are in C++. */
errno_t ox__wsopen_dispatch(const wchar_t *path, int flags, int share, int mode, int *fd, int secure)
{
    struct ox_lookup lookup;
    if (fd != NULL && is_below(&path, &lookup)) {
        *fd = ox_crt_open(&lookup, flags);
        return *fd < 0 ? errno : 0;
    }
    errno_t error = OX_REAL(_wsopen_dispatch)(path, flags, share, mode, fd, secure);
    if (error == 0) {
        fresh(*fd);
    }
    return error;
}

/* A narrow function is its wide one, as in UCRT. A path that is too long to be ours is left to the real one. */
#define OX_NARROW(name, wide_name, ...)                                                                                \
    wchar_t wide[OX_PATH_MAX];                                                                                         \
    if (ox_vfs_widen(path, ox_crt_page(), wide) == NULL) {                                                             \
        return OX_REAL(name)(__VA_ARGS__);                                                                             \
    }                                                                                                                  \
    return ox_##wide_name

int ox__open(const char *path, int flags, int mode)
{
    OX_NARROW(_open, _wopen, path, flags, mode)(wide, flags, mode);
}

int ox__sopen(const char *path, int flags, int share, int mode)
{
    OX_NARROW(_sopen, _wsopen, path, flags, share, mode)(wide, flags, share, mode);
}

errno_t ox__sopen_s(int *fd, const char *path, int flags, int share, int mode)
{
    OX_NARROW(_sopen_s, _wsopen_s, fd, path, flags, share, mode)(fd, wide, flags, share, mode);
}

errno_t ox__sopen_dispatch(const char *path, int flags, int share, int mode, int *fd, int secure)
{
    OX_NARROW(_sopen_dispatch, _wsopen_dispatch, path, flags, share, mode, fd, secure)(wide, flags, share, mode, fd, secure);
}

/* Bit 2 of the mode asks whether it can be written to; directories can, as far as Windows tells. */
static int access_virtual(const struct ox_lookup *lookup, int mode)
{
    if (lookup->place == OX_MISSING) {
        return ox_crt_fail((DWORD)lookup->error);
    }
    return (mode & 2) != 0 && ox.blob.nodes[lookup->node].kind != OX_DIR ? ox_crt_fail(ERROR_ACCESS_DENIED) : 0;
}

int ox__waccess(const wchar_t *path, int mode)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? access_virtual(&lookup, mode) : OX_REAL(_waccess)(path, mode);
}

errno_t ox__waccess_s(const wchar_t *path, int mode)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? (access_virtual(&lookup, mode) == 0 ? 0 : errno) : OX_REAL(_waccess_s)(path, mode);
}

int ox__access(const char *path, int mode)
{
    OX_NARROW(_access, _waccess, path, mode)(wide, mode);
}

errno_t ox__access_s(const char *path, int mode)
{
    OX_NARROW(_access_s, _waccess_s, path, mode)(wide, mode);
}

/* The two structures differ in the size's type alone. */
#define OX_STAT(kind)                                                                                                  \
    static void fill_##kind(uint32_t node, struct _##kind *out)                                                           \
    {                                                                                                                  \
        struct ox_status status;                                                                                       \
        ox_vfs_status(node, &status);                                                                                  \
        memset(out, 0, sizeof *out);                                                                                   \
        out->st_mode = (unsigned short)status.mode;                                                                    \
        out->st_nlink = 1;                                                                                             \
        out->st_ino = (unsigned short)status.inode;                                                                    \
        out->st_size = (__typeof__(out->st_size))status.size;                                                          \
        out->st_atime = out->st_mtime = out->st_ctime = ox.mount.modified;                                             \
    }                                                                                                                  \
    int ox__w##kind(const wchar_t *path, struct _##kind *out)                                                             \
    {                                                                                                                  \
        struct ox_lookup lookup;                                                                                       \
        if (!is_below(&path, &lookup)) {                                                                               \
            return OX_REAL(_w##kind)(path, out);                                                                       \
        }                                                                                                              \
        if (lookup.place == OX_MISSING) {                                                                              \
            return ox_crt_fail((DWORD)lookup.error);                                                                   \
        }                                                                                                              \
        fill_##kind(lookup.node, out);                                                                                 \
        return 0;                                                                                                      \
    }                                                                                                                  \
    int ox__##kind(const char *path, struct _##kind *out)                                                                 \
    {                                                                                                                  \
        OX_NARROW(_##kind, _w##kind, path, out)(wide, out);                                                            \
    }                                                                                                                  \
    int ox__f##kind(int fd, struct _##kind *out)                                                                          \
    {                                                                                                                  \
        struct ox_file *file = ox_crt_file(fd);                                                                        \
        if (file == NULL) {                                                                                            \
            return OX_REAL(_f##kind)(fd, out);                                                                         \
        }                                                                                                              \
        fill_##kind(file->node, out);                                                                                  \
        ox_file_release(file);                                                                                         \
        return 0;                                                                                                      \
    }

OX_STAT(stat64)
OX_STAT(stat64i32)
