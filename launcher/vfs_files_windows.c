/* Windows' functions that open files and work with their handles. */
#include <string.h>
#include <windows.h>
#include <winternl.h>
#include <winioctl.h>

#include "handles_windows.h"
#include "hooks_windows.h"
#include "vfs_windows.h"

__typeof__(CreateFileW) ox_CreateFileW;
__typeof__(CreateFileA) ox_CreateFileA;
__typeof__(CloseHandle) ox_CloseHandle;
__typeof__(DuplicateHandle) ox_DuplicateHandle;
__typeof__(ReadFile) ox_ReadFile;
__typeof__(SetFilePointer) ox_SetFilePointer;
__typeof__(SetFilePointerEx) ox_SetFilePointerEx;
__typeof__(GetFileSize) ox_GetFileSize;
__typeof__(GetFileSizeEx) ox_GetFileSizeEx;
__typeof__(GetFileType) ox_GetFileType;
__typeof__(LockFile) ox_LockFile;
__typeof__(LockFileEx) ox_LockFileEx;
__typeof__(UnlockFile) ox_UnlockFile;
__typeof__(UnlockFileEx) ox_UnlockFileEx;
__typeof__(DeviceIoControl) ox_DeviceIoControl;
__typeof__(CreateFileMappingW) ox_CreateFileMappingW;
__typeof__(CreateFileMappingA) ox_CreateFileMappingA;
NTSTATUS NTAPI ox_NtReadFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE routine, PVOID context, PIO_STATUS_BLOCK status,
    PVOID buffer, ULONG size, PLARGE_INTEGER offset, PULONG key);

#define OX_WRITES                                                                                                      \
    (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES          \
        | FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER)

#ifndef STATUS_END_OF_FILE
#define STATUS_END_OF_FILE ((NTSTATUS)0xc0000011)
#endif
#define OX_STATUS_INVALID_DEVICE_REQUEST ((NTSTATUS)0xc0000010)

static BOOL result(DWORD error)
{
    if (error != 0) {
        SetLastError(error);
    }
    return error == 0;
}

/* What is wrong with opening this, on a read-only volume; or 0. */
static DWORD refusal(const struct ox_lookup *lookup, DWORD access, DWORD disposition, DWORD flags)
{
    bool existing = disposition == OPEN_EXISTING || disposition == TRUNCATE_EXISTING;
    if (lookup->place == OX_MISSING) {
        return !existing && lookup->in_folder ? ERROR_WRITE_PROTECT : (DWORD)lookup->error;
    }
    if (disposition == CREATE_NEW) {
        return ERROR_FILE_EXISTS;
    }
    bool rewrites = disposition == CREATE_ALWAYS || disposition == TRUNCATE_EXISTING;
    if (ox.blob.nodes[lookup->node].kind == OX_DIR && ((flags & FILE_FLAG_BACKUP_SEMANTICS) == 0 || rewrites)) {
        return ERROR_ACCESS_DENIED; /* what Windows says of directories that are opened as files */
    }
    return rewrites || (access & OX_WRITES) != 0 || (flags & FILE_FLAG_DELETE_ON_CLOSE) != 0 ? ERROR_WRITE_PROTECT : 0;
}

HANDLE WINAPI ox_CreateFileW(LPCWSTR path, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security, DWORD disposition,
    DWORD flags, HANDLE template)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup) || lookup.place == OX_SELF) {
        HANDLE handle = OX_REAL(CreateFileW)(path, access, share, security, disposition, flags, template);
        ox_handle_forget(handle); /* closed behind our back, and used anew */
        return handle;
    }
    if (!result(refusal(&lookup, access, disposition, flags))) {
        return INVALID_HANDLE_VALUE;
    }
    HANDLE handle = ox_handle_open(lookup.node, security);
    if (handle != INVALID_HANDLE_VALUE && disposition == OPEN_ALWAYS) {
        SetLastError(ERROR_ALREADY_EXISTS);
    }
    return handle;
}

HANDLE WINAPI ox_CreateFileA(LPCSTR path, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security, DWORD disposition,
    DWORD flags, HANDLE template)
{
    wchar_t wide[OX_PATH_MAX];
    if (ox_vfs_widen(path, CP_ACP, wide) == NULL) {
        return OX_REAL(CreateFileA)(path, access, share, security, disposition, flags, template);
    }
    return ox_CreateFileW(wide, access, share, security, disposition, flags, template);
}

BOOL WINAPI ox_CloseHandle(HANDLE handle)
{
    ox_handle_forget(handle); /* before another thread can be given the same handle */
    return OX_REAL(CloseHandle)(handle);
}

static bool is_own(HANDLE process)
{
    return process == GetCurrentProcess() || GetProcessId(process) == GetCurrentProcessId();
}

/* In another process a duplicate is a handle of the null device. */
BOOL WINAPI ox_DuplicateHandle(HANDLE from, HANDLE handle, HANDLE to, LPHANDLE made, DWORD access, BOOL inherited,
    DWORD options)
{
    struct ox_file *file = ox_handle_file(handle);
    if (file != NULL && !is_own(from)) {
        ox_file_release(file);
        file = NULL;
    }
    if (file != NULL && (options & DUPLICATE_CLOSE_SOURCE) != 0) {
        ox_handle_forget(handle);
    }
    BOOL done = OX_REAL(DuplicateHandle)(from, handle, to, made, access, inherited, options);
    if (done && made != NULL && is_own(to)) {
        ox_handle_forget(*made);
    }
    if (file != NULL) {
        if (done && made != NULL && is_own(to) && !ox_handle_adopt(*made, file)) {
            CloseHandle(*made);
            done = result(ERROR_NOT_ENOUGH_MEMORY);
        }
        ox_file_release(file);
    }
    return done;
}

/* Reading is done when the function returns, also with an OVERLAPPED, as with a handle that was opened without its flag. */
BOOL WINAPI ox_ReadFile(HANDLE handle, LPVOID buffer, DWORD size, LPDWORD copied, LPOVERLAPPED overlapped)
{
    struct ox_file *file = ox_handle_file(handle);
    if (file == NULL) {
        return OX_REAL(ReadFile)(handle, buffer, size, copied, overlapped);
    }
    uint64_t offset = overlapped == NULL ? 0 : (uint64_t)overlapped->OffsetHigh << 32 | overlapped->Offset;
    size_t read = 0;
    DWORD error = ox_file_read(file, overlapped == NULL ? NULL : &offset, buffer, size, &read);
    ox_file_release(file);
    if (copied != NULL) {
        *copied = (DWORD)read;
    }
    if (overlapped != NULL) {
        error = error == 0 && read == 0 && size != 0 ? ERROR_HANDLE_EOF : error;
        overlapped->Internal = error == 0 ? 0 : (ULONG_PTR)(ULONG)STATUS_END_OF_FILE;
        overlapped->InternalHigh = read;
        if (overlapped->hEvent != NULL) {
            SetEvent((HANDLE)((uintptr_t)overlapped->hEvent & ~(uintptr_t)1));
        }
    }
    return result(error);
}

/* What Rust's standard library reads with. */
NTSTATUS NTAPI ox_NtReadFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE routine, PVOID context, PIO_STATUS_BLOCK status,
    PVOID buffer, ULONG size, PLARGE_INTEGER offset, PULONG key)
{
    struct ox_file *file = ox_handle_file(handle);
    if (file == NULL) {
        return OX_REAL(NtReadFile)(handle, event, routine, context, status, buffer, size, offset, key);
    }
    size_t read = 0;
    uint64_t at = offset == NULL ? 0 : (uint64_t)offset->QuadPart;
    bool positioned = offset != NULL && offset->HighPart >= 0; /* below 0: FILE_USE_FILE_POINTER_POSITION */
    DWORD error = ox_file_read(file, positioned ? &at : NULL, buffer, size, &read);
    ox_file_release(file);
    status->Information = read;
    status->Status = error != 0 ? OX_STATUS_INVALID_DEVICE_REQUEST : read == 0 && size != 0 ? STATUS_END_OF_FILE : 0;
    if (event != NULL) {
        SetEvent(event);
    }
    return status->Status;
}

BOOL WINAPI ox_SetFilePointerEx(HANDLE handle, LARGE_INTEGER distance, PLARGE_INTEGER position, DWORD method)
{
    struct ox_file *file = ox_handle_file(handle);
    uint64_t now = 0;
    if (file == NULL) {
        return OX_REAL(SetFilePointerEx)(handle, distance, position, method);
    }
    DWORD error = ox_file_seek(file, distance.QuadPart, method, &now);
    ox_file_release(file);
    if (error == 0 && position != NULL) {
        position->QuadPart = (LONGLONG)now;
    }
    return result(error);
}

DWORD WINAPI ox_SetFilePointer(HANDLE handle, LONG low, PLONG high, DWORD method)
{
    struct ox_file *file = ox_handle_file(handle);
    uint64_t now = 0;
    if (file == NULL) {
        return OX_REAL(SetFilePointer)(handle, low, high, method);
    }
    int64_t distance = high == NULL ? low : (int64_t)((uint64_t)(uint32_t)*high << 32 | (uint32_t)low);
    DWORD error = ox_file_seek(file, distance, method, &now);
    ox_file_release(file);
    if (error == 0 && high == NULL && now > UINT32_MAX - 1) {
        error = ERROR_INVALID_PARAMETER;
    }
    SetLastError(error); /* NO_ERROR, too: the size alone may look like a failure */
    if (error != 0) {
        return INVALID_SET_FILE_POINTER;
    }
    if (high != NULL) {
        *high = (LONG)(now >> 32);
    }
    return (DWORD)now;
}

BOOL WINAPI ox_GetFileSizeEx(HANDLE handle, PLARGE_INTEGER size)
{
    struct ox_file *file = ox_handle_file(handle);
    if (file == NULL) {
        return OX_REAL(GetFileSizeEx)(handle, size);
    }
    size->QuadPart = (LONGLONG)ox_file_size(file);
    ox_file_release(file);
    return TRUE;
}

DWORD WINAPI ox_GetFileSize(HANDLE handle, LPDWORD high)
{
    LARGE_INTEGER size;
    struct ox_file *file = ox_handle_file(handle);
    if (file == NULL) {
        return OX_REAL(GetFileSize)(handle, high);
    }
    size.QuadPart = (LONGLONG)ox_file_size(file);
    ox_file_release(file);
    if (high != NULL) {
        *high = (DWORD)size.HighPart;
    }
    SetLastError(NO_ERROR);
    return size.LowPart;
}

/* Whether the handle is ours. */
static bool is_virtual(HANDLE handle)
{
    struct ox_file *file = ox_handle_file(handle);
    if (file != NULL) {
        ox_file_release(file);
    }
    return file != NULL;
}

DWORD WINAPI ox_GetFileType(HANDLE handle)
{
    return is_virtual(handle) ? FILE_TYPE_DISK : OX_REAL(GetFileType)(handle);
}

/* Nobody writes to virtual files: every lock is granted. */
BOOL WINAPI ox_LockFile(HANDLE handle, DWORD low, DWORD high, DWORD size_low, DWORD size_high)
{
    return is_virtual(handle) || OX_REAL(LockFile)(handle, low, high, size_low, size_high);
}

BOOL WINAPI ox_LockFileEx(HANDLE handle, DWORD flags, DWORD reserved, DWORD low, DWORD high, LPOVERLAPPED overlapped)
{
    return is_virtual(handle) || OX_REAL(LockFileEx)(handle, flags, reserved, low, high, overlapped);
}

BOOL WINAPI ox_UnlockFile(HANDLE handle, DWORD low, DWORD high, DWORD size_low, DWORD size_high)
{
    return is_virtual(handle) || OX_REAL(UnlockFile)(handle, low, high, size_low, size_high);
}

BOOL WINAPI ox_UnlockFileEx(HANDLE handle, DWORD reserved, DWORD low, DWORD high, LPOVERLAPPED overlapped)
{
    return is_virtual(handle) || OX_REAL(UnlockFileEx)(handle, reserved, low, high, overlapped);
}

/* No virtual file is a link (os.readlink asks), and none has a device's controls. */
BOOL WINAPI ox_DeviceIoControl(HANDLE handle, DWORD code, LPVOID in, DWORD in_size, LPVOID out, DWORD out_size,
    LPDWORD returned, LPOVERLAPPED overlapped)
{
    if (!is_virtual(handle)) {
        return OX_REAL(DeviceIoControl)(handle, code, in, in_size, out, out_size, returned, overlapped);
    }
    return result(code == FSCTL_GET_REPARSE_POINT ? ERROR_NOT_A_REPARSE_POINT : ERROR_INVALID_FUNCTION);
}

/* A section of memory with the file's bytes, which the caller may only read, or change a copy of. */
static HANDLE section(struct ox_file *file, LPSECURITY_ATTRIBUTES security, DWORD protection, uint64_t size, LPCWSTR name)
{
    DWORD kind = protection & 0xff;
    uint64_t all = ox_file_size(file);
    const uint8_t *data = ox_file_data(file);
    HANDLE made;
    HANDLE whole;
    if (data == NULL) {
        return NULL;
    }
    size = size == 0 ? all : size;
    if (!result(size == 0                                       ? ERROR_FILE_INVALID
                : kind != PAGE_READONLY && kind != PAGE_WRITECOPY ? ERROR_ACCESS_DENIED
                : size > all                                    ? ERROR_NOT_ENOUGH_MEMORY
                                                                : 0)) {
        return NULL;
    }
    whole = OX_REAL(CreateFileMappingW)(
        INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, (DWORD)(size >> 32), (DWORD)size, name);
    DWORD existing = GetLastError();
    void *memory = whole == NULL ? NULL : MapViewOfFile(whole, FILE_MAP_WRITE, 0, 0, (size_t)size);
    BOOL done = memory != NULL;
    if (done) {
        memcpy(memory, data, (size_t)size);
        UnmapViewOfFile(memory);
        done = OX_REAL(DuplicateHandle)(GetCurrentProcess(), whole, GetCurrentProcess(), &made, FILE_MAP_READ | SECTION_QUERY,
            security != NULL && security->bInheritHandle, 0);
    }
    if (whole != NULL) {
        DWORD error = done ? existing : GetLastError();
        OX_REAL(CloseHandle)(whole);
        SetLastError(error);
    }
    return done ? made : NULL;
}

HANDLE WINAPI ox_CreateFileMappingW(HANDLE handle, LPSECURITY_ATTRIBUTES security, DWORD protection, DWORD high, DWORD low,
    LPCWSTR name)
{
    struct ox_file *file = ox_handle_file(handle);
    if (file == NULL) {
        return OX_REAL(CreateFileMappingW)(handle, security, protection, high, low, name);
    }
    HANDLE made = section(file, security, protection, (uint64_t)high << 32 | low, name);
    ox_file_release(file);
    return made;
}

HANDLE WINAPI ox_CreateFileMappingA(HANDLE handle, LPSECURITY_ATTRIBUTES security, DWORD protection, DWORD high, DWORD low,
    LPCSTR name)
{
    wchar_t wide[OX_PATH_MAX];
    if (!is_virtual(handle)) {
        return OX_REAL(CreateFileMappingA)(handle, security, protection, high, low, name);
    }
    return ox_CreateFileMappingW(handle, security, protection, high, low, ox_vfs_widen(name, CP_ACP, wide));
}
