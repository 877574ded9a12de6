/* Windows' functions that tell of files, by name and by handle. */
#include <string.h>
#include <windows.h>

#include "handles_windows.h"
#include "hooks_windows.h"
#include "stat_windows.h"
#include "vfs_windows.h"

__typeof__(GetFileAttributesW) ox_GetFileAttributesW;
__typeof__(GetFileAttributesA) ox_GetFileAttributesA;
__typeof__(GetFileAttributesExW) ox_GetFileAttributesExW;
__typeof__(GetFileAttributesExA) ox_GetFileAttributesExA;
__typeof__(GetFileInformationByHandle) ox_GetFileInformationByHandle;
__typeof__(GetFileInformationByHandleEx) ox_GetFileInformationByHandleEx;
__typeof__(GetFileTime) ox_GetFileTime;
__typeof__(GetFinalPathNameByHandleW) ox_GetFinalPathNameByHandleW;
__typeof__(GetLongPathNameW) ox_GetLongPathNameW;
__typeof__(GetShortPathNameW) ox_GetShortPathNameW;
__typeof__(GetVolumePathNameW) ox_GetVolumePathNameW;
__typeof__(GetDiskFreeSpaceExW) ox_GetDiskFreeSpaceExW;
BOOL WINAPI ox_GetFileInformationByName(PCWSTR path, int kind, PVOID out, ULONG size);

static BOOL fails(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

FILETIME ox_stat_time(void)
{
    uint64_t time = ((uint64_t)ox.mount.modified + 11644473600) * 10000000; /* since 1601, see FILETIME */
    return (FILETIME){(DWORD)time, (DWORD)(time >> 32)};
}

DWORD ox_stat_attributes(uint32_t node)
{
    return ox.blob.nodes[node].kind == OX_DIR ? FILE_ATTRIBUTE_DIRECTORY : FILE_ATTRIBUTE_NORMAL;
}

/* The answer to "may this be written to?" (os.access) is no. It is not what the other functions tell, by which files are
 * copied: with it, a copy of a folder could not be removed again. */
static DWORD protected_attributes(uint32_t node)
{
    return ox.blob.nodes[node].kind == OX_DIR ? FILE_ATTRIBUTE_DIRECTORY : FILE_ATTRIBUTE_READONLY;
}

DWORD WINAPI ox_GetFileAttributesW(LPCWSTR path)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup) || lookup.place == OX_SELF) {
        return OX_REAL(GetFileAttributesW)(path);
    }
    if (lookup.place == OX_MISSING) {
        SetLastError((DWORD)lookup.error);
        return INVALID_FILE_ATTRIBUTES;
    }
    return protected_attributes(lookup.node);
}

DWORD WINAPI ox_GetFileAttributesA(LPCSTR path)
{
    wchar_t wide[OX_PATH_MAX];
    return ox_vfs_widen(path, CP_ACP, wide) == NULL ? OX_REAL(GetFileAttributesA)(path) : ox_GetFileAttributesW(wide);
}

BOOL WINAPI ox_GetFileAttributesExW(LPCWSTR path, GET_FILEEX_INFO_LEVELS level, LPVOID out)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup) || lookup.place == OX_SELF || level != GetFileExInfoStandard) {
        return OX_REAL(GetFileAttributesExW)(path, level, out);
    }
    if (lookup.place == OX_MISSING) {
        return fails((DWORD)lookup.error);
    }
    struct ox_status status;
    ox_vfs_status(lookup.node, &status);
    *(WIN32_FILE_ATTRIBUTE_DATA *)out = (WIN32_FILE_ATTRIBUTE_DATA){
        .dwFileAttributes = ox_stat_attributes(lookup.node),
        .ftCreationTime = ox_stat_time(),
        .ftLastAccessTime = ox_stat_time(),
        .ftLastWriteTime = ox_stat_time(),
        .nFileSizeHigh = (DWORD)(status.size >> 32),
        .nFileSizeLow = (DWORD)status.size,
    };
    return TRUE;
}

BOOL WINAPI ox_GetFileAttributesExA(LPCSTR path, GET_FILEEX_INFO_LEVELS level, LPVOID out)
{
    wchar_t wide[OX_PATH_MAX];
    return ox_vfs_widen(path, CP_ACP, wide) == NULL ? OX_REAL(GetFileAttributesExA)(path, level, out)
                                                    : ox_GetFileAttributesExW(wide, level, out);
}

BOOL WINAPI ox_GetFileInformationByHandle(HANDLE handle, LPBY_HANDLE_FILE_INFORMATION out)
{
    struct ox_file *file = ox_handle_file(handle);
    struct ox_status status;
    if (file == NULL) {
        return OX_REAL(GetFileInformationByHandle)(handle, out);
    }
    ox_vfs_status(file->node, &status);
    *out = (BY_HANDLE_FILE_INFORMATION){
        .dwFileAttributes = ox_stat_attributes(file->node),
        .ftCreationTime = ox_stat_time(),
        .ftLastAccessTime = ox_stat_time(),
        .ftLastWriteTime = ox_stat_time(),
        .dwVolumeSerialNumber = (DWORD)OX_VOLUME,
        .nFileSizeHigh = (DWORD)(status.size >> 32),
        .nFileSizeLow = (DWORD)status.size,
        .nNumberOfLinks = 1,
        .nFileIndexHigh = (DWORD)(status.inode >> 32),
        .nFileIndexLow = (DWORD)status.inode,
    };
    ox_file_release(file);
    return TRUE;
}

/* FileNameInfo: the path without its volume. */
static BOOL name_information(uint32_t node, FILE_NAME_INFO *out, DWORD size)
{
    wchar_t path[OX_PATH_MAX];
    size_t length = ox_vfs_wide(node, path);
    size_t skipped = length > 2 && path[1] == L':' ? 2 : 1;
    if (length <= skipped) {
        return fails(ERROR_FILE_CORRUPT);
    }
    size_t bytes = (length - skipped) * sizeof *path;
    size_t room = size - offsetof(FILE_NAME_INFO, FileName);
    out->FileNameLength = (DWORD)bytes;
    memcpy(out->FileName, path + skipped, bytes < room ? bytes : room);
    return bytes <= room ? TRUE : fails(ERROR_MORE_DATA);
}

BOOL WINAPI ox_GetFileInformationByHandleEx(HANDLE handle, FILE_INFO_BY_HANDLE_CLASS kind, LPVOID out, DWORD size)
{
    struct ox_file *file = ox_handle_file(handle);
    struct ox_status status;
    if (file == NULL) {
        return OX_REAL(GetFileInformationByHandleEx)(handle, kind, out, size);
    }
    uint32_t node = file->node;
    ox_file_release(file);
    ox_vfs_status(node, &status);
    FILETIME time = ox_stat_time();
    LARGE_INTEGER when = {.LowPart = time.dwLowDateTime, .HighPart = (LONG)time.dwHighDateTime};
    const FILE_BASIC_INFO basic = {when, when, when, when, ox_stat_attributes(node)};
    const FILE_STANDARD_INFO standard = {
        .AllocationSize.QuadPart = (LONGLONG)status.size,
        .EndOfFile.QuadPart = (LONGLONG)status.size,
        .NumberOfLinks = 1,
        .Directory = ox.blob.nodes[node].kind == OX_DIR,
    };
    const FILE_ATTRIBUTE_TAG_INFO tag = {.FileAttributes = ox_stat_attributes(node)};
    FILE_ID_INFO id = {.VolumeSerialNumber = OX_VOLUME};
    memcpy(&id.FileId, &status.inode, sizeof status.inode);
    const void *answer;
    DWORD needed;
    switch (kind) {
    case FileBasicInfo:
        answer = &basic;
        needed = sizeof basic;
        break;
    case FileStandardInfo:
        answer = &standard;
        needed = sizeof standard;
        break;
    case FileAttributeTagInfo:
        answer = &tag;
        needed = sizeof tag;
        break;
    case FileIdInfo:
        answer = &id;
        needed = sizeof id;
        break;
    case FileNameInfo:
        return size < sizeof(FILE_NAME_INFO) ? fails(ERROR_BAD_LENGTH) : name_information(node, out, size);
    default:
        return fails(ERROR_INVALID_PARAMETER); /* what file systems say that do not know it */
    }
    if (size < needed) {
        return fails(ERROR_BAD_LENGTH);
    }
    memcpy(out, answer, needed);
    return TRUE;
}

/* New in Windows 11; CPython asks for it by name, and has another way when it is not supported. Its other errors would be
 * believed: to Windows, there is nothing below a file. */
BOOL WINAPI ox_GetFileInformationByName(PCWSTR path, int kind, PVOID out, ULONG size)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup) && lookup.place != OX_SELF) {
        return fails(lookup.place == OX_MISSING ? (DWORD)lookup.error : ERROR_NOT_SUPPORTED);
    }
    return OX_REAL(GetFileInformationByName)(path, kind, out, size);
}

BOOL WINAPI ox_GetFileTime(HANDLE handle, LPFILETIME created, LPFILETIME accessed, LPFILETIME written)
{
    FILETIME *const times[] = {created, accessed, written};
    struct ox_file *file = ox_handle_file(handle);
    if (file == NULL) {
        return OX_REAL(GetFileTime)(handle, created, accessed, written);
    }
    ox_file_release(file);
    for (unsigned i = 0; i < 3; i++) {
        if (times[i] != NULL) {
            *times[i] = ox_stat_time();
        }
    }
    return TRUE;
}

/* Gives a path as Windows' functions do: its size, or, when there is no room, that with the NUL. */
static DWORD give(const wchar_t *prefix, const wchar_t *path, LPWSTR out, DWORD room)
{
    size_t before = wcslen(prefix);
    size_t size = wcslen(path);
    if (before + size >= room) {
        return (DWORD)(before + size + 1);
    }
    memcpy(out, prefix, before * sizeof *out);
    memmove(out + before, path, (size + 1) * sizeof *out);
    return (DWORD)(before + size);
}

DWORD WINAPI ox_GetFinalPathNameByHandleW(HANDLE handle, LPWSTR out, DWORD room, DWORD flags)
{
    wchar_t path[OX_PATH_MAX];
    struct ox_file *file = ox_handle_file(handle);
    if (file == NULL) {
        return OX_REAL(GetFinalPathNameByHandleW)(handle, out, room, flags);
    }
    size_t size = ox_vfs_wide(file->node, path);
    ox_file_release(file);
    bool drive = size > 2 && path[1] == L':';
    if (size == 0) {
        SetLastError(ERROR_FILE_CORRUPT);
        return 0;
    }
    switch (flags & 7) {
    case VOLUME_NAME_DOS:
        return give(drive ? L"\\\\?\\" : L"\\\\?\\UNC", drive ? path : path + 1, out, room);
    case VOLUME_NAME_NONE:
        return give(L"", drive ? path + 2 : path + 1, out, room);
    default:
        SetLastError(ERROR_PATH_NOT_FOUND); /* it has no such name */
        return 0;
    }
}

/* No name has a shorter form: what was given is both. */
static DWORD spelling(const struct ox_lookup *lookup, LPCWSTR path, LPWSTR out, DWORD room)
{
    if (lookup->place == OX_MISSING) {
        SetLastError((DWORD)lookup->error);
        return 0;
    }
    return give(L"", path, out, room);
}

DWORD WINAPI ox_GetLongPathNameW(LPCWSTR path, LPWSTR out, DWORD room)
{
    struct ox_lookup lookup;
    return ox_lookup(&path, &lookup) && lookup.place != OX_SELF ? spelling(&lookup, path, out, room)
                                                                : OX_REAL(GetLongPathNameW)(path, out, room);
}

DWORD WINAPI ox_GetShortPathNameW(LPCWSTR path, LPWSTR out, DWORD room)
{
    struct ox_lookup lookup;
    return ox_lookup(&path, &lookup) && lookup.place != OX_SELF ? spelling(&lookup, path, out, room)
                                                                : OX_REAL(GetShortPathNameW)(path, out, room);
}

/* The volume is that of the executable. */
BOOL WINAPI ox_GetVolumePathNameW(LPCWSTR path, LPWSTR out, DWORD room)
{
    const wchar_t *asked = path;
    struct ox_lookup lookup;
    bool ours = ox_lookup(&path, &lookup);
    if (ours) {
        path = lookup.place == OX_SELF ? asked : ox_vfs_folder(); /* the answer begins as the path does */
    }
    return OX_REAL(GetVolumePathNameW)(path, out, room);
}

BOOL WINAPI ox_GetDiskFreeSpaceExW(LPCWSTR path, PULARGE_INTEGER available, PULARGE_INTEGER total, PULARGE_INTEGER free)
{
    struct ox_lookup lookup;
    if (ox_lookup(&path, &lookup)) {
        if (lookup.place == OX_MISSING) {
            return fails((DWORD)lookup.error);
        }
        path = ox_vfs_folder();
    }
    return OX_REAL(GetDiskFreeSpaceExW)(path, available, total, free);
}
