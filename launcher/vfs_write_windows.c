/* Windows' functions that change the file system: below the executable they fail as on a read-only volume. */
#include <string.h>
#include <windows.h>

#include "handles_windows.h"
#include "hooks_windows.h"
#include "stat_windows.h"
#include "vfs_windows.h"

__typeof__(DeleteFileW) ox_DeleteFileW;
__typeof__(RemoveDirectoryW) ox_RemoveDirectoryW;
__typeof__(CreateDirectoryW) ox_CreateDirectoryW;
__typeof__(SetFileAttributesW) ox_SetFileAttributesW;
__typeof__(MoveFileW) ox_MoveFileW;
__typeof__(MoveFileExW) ox_MoveFileExW;
__typeof__(CreateSymbolicLinkW) ox_CreateSymbolicLinkW;
__typeof__(CreateHardLinkW) ox_CreateHardLinkW;
__typeof__(CopyFileW) ox_CopyFileW;
__typeof__(CopyFileExW) ox_CopyFileExW;
__typeof__(CopyFile2) ox_CopyFile2;
__typeof__(SetFileTime) ox_SetFileTime;
__typeof__(SetFileInformationByHandle) ox_SetFileInformationByHandle;
__typeof__(CreateFileW) ox_CreateFileW;

static BOOL fails(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

/* Whether the path is ours. The executable's own file may be changed (an update replaces it): it is the system's. */
static bool is_below(const wchar_t **path, struct ox_lookup *lookup)
{
    return ox_lookup(path, lookup) && lookup->place != OX_SELF;
}

static bool is_folder(const struct ox_lookup *lookup)
{
    return lookup->place == OX_VIRTUAL && ox.blob.nodes[lookup->node].kind == OX_DIR;
}

/* Why what is there cannot be changed. `other`: what Windows says when it is of the wrong kind, or 0. */
static DWORD refusal(const struct ox_lookup *lookup, DWORD other)
{
    return lookup->place == OX_MISSING ? (DWORD)lookup->error : other != 0 ? other : ERROR_WRITE_PROTECT;
}

/* Why nothing can be made there. */
static DWORD creation(const struct ox_lookup *lookup)
{
    return lookup->place == OX_MISSING ? (lookup->in_folder ? ERROR_WRITE_PROTECT : (DWORD)lookup->error)
                                       : ERROR_ALREADY_EXISTS;
}

BOOL WINAPI ox_DeleteFileW(LPCWSTR path)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? fails(refusal(&lookup, is_folder(&lookup) ? ERROR_ACCESS_DENIED : 0))
                                    : OX_REAL(DeleteFileW)(path);
}

BOOL WINAPI ox_RemoveDirectoryW(LPCWSTR path)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? fails(refusal(&lookup, is_folder(&lookup) ? 0 : ERROR_DIRECTORY))
                                    : OX_REAL(RemoveDirectoryW)(path);
}

BOOL WINAPI ox_CreateDirectoryW(LPCWSTR path, LPSECURITY_ATTRIBUTES security)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? fails(creation(&lookup)) : OX_REAL(CreateDirectoryW)(path, security);
}

BOOL WINAPI ox_SetFileAttributesW(LPCWSTR path, DWORD attributes)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? fails(refusal(&lookup, 0)) : OX_REAL(SetFileAttributesW)(path, attributes);
}

BOOLEAN WINAPI ox_CreateSymbolicLinkW(LPCWSTR path, LPCWSTR target, DWORD flags)
{
    struct ox_lookup lookup;
    return is_below(&path, &lookup) ? (BOOLEAN)fails(creation(&lookup))
                                    : OX_REAL(CreateSymbolicLinkW)(path, target, flags);
}

/* Moving or linking between the virtual tree and elsewhere is between two volumes (shutil.move then copies). */
static DWORD refusal_of_two(
    const struct ox_lookup *from, bool from_below, const struct ox_lookup *to, bool to_below, bool replaces)
{
    if (from_below && from->place == OX_MISSING) {
        return (DWORD)from->error;
    }
    if (to_below && (to->place != OX_MISSING ? !replaces : !to->in_folder)) {
        return creation(to);
    }
    return from_below != to_below ? ERROR_NOT_SAME_DEVICE : ERROR_WRITE_PROTECT;
}

BOOL WINAPI ox_MoveFileExW(LPCWSTR from, LPCWSTR to, DWORD flags)
{
    struct ox_lookup source;
    struct ox_lookup goal;
    bool source_below = is_below(&from, &source);
    bool goal_below = is_below(&to, &goal);
    return source_below || goal_below
        ? fails(refusal_of_two(&source, source_below, &goal, goal_below, (flags & MOVEFILE_REPLACE_EXISTING) != 0))
        : OX_REAL(MoveFileExW)(from, to, flags);
}

BOOL WINAPI ox_MoveFileW(LPCWSTR from, LPCWSTR to)
{
    return ox_MoveFileExW(from, to, MOVEFILE_COPY_ALLOWED);
}

BOOL WINAPI ox_CreateHardLinkW(LPCWSTR path, LPCWSTR existing, LPSECURITY_ATTRIBUTES security)
{
    struct ox_lookup source;
    struct ox_lookup goal;
    bool source_below = is_below(&existing, &source);
    bool goal_below = is_below(&path, &goal);
    return source_below || goal_below ? fails(refusal_of_two(&source, source_below, &goal, goal_below, false))
                                      : OX_REAL(CreateHardLinkW)(path, existing, security);
}

/* Writes a file's bytes to a new file. Windows' error, or 0. */
static DWORD write_all(struct ox_file *file, HANDLE out)
{
    const uint8_t *data = ox_file_data(file);
    uint64_t size = ox_file_size(file);
    const FILETIME time = ox_stat_time();
    if (data == NULL) {
        return GetLastError();
    }
    while (size > 0) {
        DWORD written = 0;
        if (!WriteFile(out, data, size < (1u << 30) ? (DWORD)size : 1u << 30, &written, NULL) || written == 0) {
            return GetLastError();
        }
        data += written;
        size -= written;
    }
    return SetFileTime(out, NULL, NULL, &time) ? 0 : GetLastError();
}

/* Copies a virtual file to a path elsewhere, with its time, as Windows copies. Windows' error, or 0. */
static DWORD copy_out(const struct ox_lookup *source, LPCWSTR to, bool new_only)
{
    if (source->place == OX_MISSING) {
        return (DWORD)source->error;
    }
    if (is_folder(source)) {
        return ERROR_ACCESS_DENIED;
    }
    HANDLE in = ox_handle_open(source->node, NULL);
    if (in == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    struct ox_file *file = ox_handle_file(in);
    HANDLE out = OX_REAL(CreateFileW)(
        to, GENERIC_WRITE, 0, NULL, new_only ? CREATE_NEW : CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD error = out == INVALID_HANDLE_VALUE ? GetLastError() : file == NULL ? ERROR_INVALID_HANDLE : write_all(file, out);
    if (out != INVALID_HANDLE_VALUE) {
        CloseHandle(out);
        if (error != 0) {
            OX_REAL(DeleteFileW)(to);
        }
    }
    if (file != NULL) {
        ox_file_release(file);
    }
    CloseHandle(in);
    return error;
}

/* True: one of the paths is below the executable, and *error is what came of the copy. Progress is not told of. */
static bool copy(LPCWSTR *from, LPCWSTR *to, bool new_only, DWORD *error, struct ox_lookup *source, struct ox_lookup *goal)
{
    bool source_below = is_below(from, source);
    if (is_below(to, goal)) {
        *error = source_below && source->place == OX_MISSING ? (DWORD)source->error
            : goal->place == OX_MISSING                      ? creation(goal)
            : new_only                                       ? ERROR_FILE_EXISTS
            : is_folder(goal)                                ? ERROR_ACCESS_DENIED
                                                             : ERROR_WRITE_PROTECT;
        return true;
    }
    if (source_below) {
        *error = copy_out(source, *to, new_only);
    }
    return source_below;
}

BOOL WINAPI ox_CopyFileExW(
    LPCWSTR from, LPCWSTR to, LPPROGRESS_ROUTINE progress, LPVOID data, LPBOOL cancel, DWORD flags)
{
    struct ox_lookup source;
    struct ox_lookup goal;
    DWORD error;
    if (!copy(&from, &to, (flags & COPY_FILE_FAIL_IF_EXISTS) != 0, &error, &source, &goal)) {
        return OX_REAL(CopyFileExW)(from, to, progress, data, cancel, flags);
    }
    return error == 0 ? TRUE : fails(error);
}

BOOL WINAPI ox_CopyFileW(LPCWSTR from, LPCWSTR to, BOOL new_only)
{
    return ox_CopyFileExW(from, to, NULL, NULL, NULL, new_only ? COPY_FILE_FAIL_IF_EXISTS : 0);
}

HRESULT WINAPI ox_CopyFile2(PCWSTR from, PCWSTR to, COPYFILE2_EXTENDED_PARAMETERS *parameters)
{
    struct ox_lookup source;
    struct ox_lookup goal;
    DWORD error;
    bool new_only = parameters != NULL && (parameters->dwCopyFlags & COPY_FILE_FAIL_IF_EXISTS) != 0;
    if (copy(&from, &to, new_only, &error, &source, &goal)) {
        SetLastError(error);
        return HRESULT_FROM_WIN32(error);
    }
    if (GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "CopyFile2") != NULL) {
        return OX_REAL(CopyFile2)(from, to, parameters);
    }
    /* Wine has it from 9.0 on; it has the same as this. */
    error = CopyFileExW(from, to, NULL, NULL, NULL, new_only ? COPY_FILE_FAIL_IF_EXISTS : 0) ? 0 : GetLastError();
    SetLastError(error);
    return HRESULT_FROM_WIN32(error);
}

/* Whether the handle is a virtual file's; then the last error says that it is open for reading alone. */
static bool refuses(HANDLE handle)
{
    struct ox_file *file = ox_handle_file(handle);
    if (file != NULL) {
        ox_file_release(file);
        SetLastError(ERROR_ACCESS_DENIED);
    }
    return file != NULL;
}

BOOL WINAPI ox_SetFileTime(HANDLE handle, const FILETIME *created, const FILETIME *accessed, const FILETIME *written)
{
    return !refuses(handle) && OX_REAL(SetFileTime)(handle, created, accessed, written);
}

BOOL WINAPI ox_SetFileInformationByHandle(HANDLE handle, FILE_INFO_BY_HANDLE_CLASS kind, LPVOID information, DWORD size)
{
    return !refuses(handle) && OX_REAL(SetFileInformationByHandle)(handle, kind, information, size);
}
