/* vfs_windows.h: the virtual file system for Windows' own functions and for those of its C library (UCRT).
 *
 * Paths come as UTF-16 in every form that Windows takes: '/' or '\', relative to the working directory or to a drive,
 * with "." and "..", behind "\\?\" or "\\.\". Case does not matter, as on NTFS. Windows takes paths apart by their text
 * alone (GetFullPathNameW), and so does this.
 *
 * Error codes are those of a read-only volume: ERROR_WRITE_PROTECT, which is EACCES and PermissionError.
 */
#ifndef OX_VFS_WINDOWS_H
#define OX_VFS_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include "vfs.h"

/* Whether the path lies at or below the executable: then lookup->place is OX_SELF, OX_MISSING (lookup->error is for
 * SetLastError) or OX_VIRTUAL. Else lookup->wide is what to hand on: the path itself, or, when it is relative to a virtual
 * working directory, what that comes to. Takes no lock; the thread's last error stays. */
bool ox_vfs_find(const wchar_t *path, struct ox_lookup *lookup);

/* Whether the path is certainly elsewhere: one comparison, for nearly every absolute path. */
bool ox_vfs_elsewhere(const wchar_t *path);

/* The same for functions: *path becomes what to hand on. */
static inline bool ox_lookup(const wchar_t **path, struct ox_lookup *lookup)
{
    if (__builtin_expect(ox_vfs_elsewhere(*path), 1)) {
        return false;
    }
    bool ours = ox_vfs_find(*path, lookup);
    *path = lookup->wide;
    return ours;
}

/* The absolute path of a node as UTF-16, in `out` of OX_PATH_MAX; its size without the NUL, or 0 when it is damaged. */
size_t ox_vfs_wide(uint32_t node, wchar_t *out);

/* Puts a path behind the virtual working directory, into `out` of OX_PATH_MAX. False: it does not fit, or is not relative to it. */
bool ox_vfs_join(const wchar_t *path, wchar_t *out);

/* The path of a narrow function as UTF-16, in `out` of OX_PATH_MAX, or NULL when it is too long to be ours. `page`: its code
 * page. */
const wchar_t *ox_vfs_widen(const char *path, unsigned page, wchar_t *out);

/* The folder that the executable lies in, for what is asked of volumes. */
const wchar_t *ox_vfs_folder(void);

/* The functions of Windows that have the virtual file system behind them: X(name, the DLL with the real one). A name without a DLL
 * of its own is mingw-w64's for another one. */
#define OX_FILE_HOOKS(X)                                                                                               \
    X(CreateFileW, kernel32.dll)                                                                                       \
    X(CreateFileA, kernel32.dll)                                                                                       \
    X(CloseHandle, kernel32.dll)                                                                                       \
    X(DuplicateHandle, kernel32.dll)                                                                                   \
    X(ReadFile, kernel32.dll)                                                                                          \
    X(NtReadFile, ntdll.dll)                                                                                           \
    X(SetFilePointer, kernel32.dll)                                                                                    \
    X(SetFilePointerEx, kernel32.dll)                                                                                  \
    X(GetFileSize, kernel32.dll)                                                                                       \
    X(GetFileSizeEx, kernel32.dll)                                                                                     \
    X(GetFileType, kernel32.dll)                                                                                       \
    X(LockFile, kernel32.dll)                                                                                          \
    X(LockFileEx, kernel32.dll)                                                                                        \
    X(UnlockFile, kernel32.dll)                                                                                        \
    X(UnlockFileEx, kernel32.dll)                                                                                      \
    X(DeviceIoControl, kernel32.dll)                                                                                   \
    X(CreateFileMappingW, kernel32.dll)                                                                                \
    X(CreateFileMappingA, kernel32.dll)                                                                                \
    X(GetFileAttributesW, kernel32.dll)                                                                                \
    X(GetFileAttributesA, kernel32.dll)                                                                                \
    X(GetFileAttributesExW, kernel32.dll)                                                                              \
    X(GetFileAttributesExA, kernel32.dll)                                                                              \
    X(GetFileInformationByHandle, kernel32.dll)                                                                        \
    X(GetFileInformationByHandleEx, kernel32.dll)                                                                      \
    X(GetFileInformationByName, kernelbase.dll)                                                                        \
    X(GetFileTime, kernel32.dll)                                                                                       \
    X(SetFileTime, kernel32.dll)                                                                                       \
    X(SetFileInformationByHandle, kernel32.dll)                                                                        \
    X(GetFinalPathNameByHandleW, kernel32.dll)                                                                         \
    X(GetLongPathNameW, kernel32.dll)                                                                                  \
    X(GetShortPathNameW, kernel32.dll)                                                                                 \
    X(GetVolumePathNameW, kernel32.dll)                                                                                \
    X(GetDiskFreeSpaceExW, kernel32.dll)                                                                               \
    X(FindFirstFileW, kernel32.dll)                                                                                    \
    X(FindFirstFileExW, kernel32.dll)                                                                                  \
    X(FindFirstFileA, kernel32.dll)                                                                                    \
    X(FindNextFileW, kernel32.dll)                                                                                     \
    X(FindNextFileA, kernel32.dll)                                                                                     \
    X(FindClose, kernel32.dll)                                                                                         \
    X(DeleteFileW, kernel32.dll)                                                                                       \
    X(RemoveDirectoryW, kernel32.dll)                                                                                  \
    X(CreateDirectoryW, kernel32.dll)                                                                                  \
    X(SetFileAttributesW, kernel32.dll)                                                                                \
    X(MoveFileW, kernel32.dll)                                                                                         \
    X(MoveFileExW, kernel32.dll)                                                                                       \
    X(CreateSymbolicLinkW, kernel32.dll)                                                                               \
    X(CreateHardLinkW, kernel32.dll)                                                                                   \
    X(CopyFileW, kernel32.dll)                                                                                         \
    X(CopyFileExW, kernel32.dll)                                                                                       \
    X(CopyFile2, kernel32.dll)                                                                                         \
    X(SetCurrentDirectoryW, kernel32.dll)                                                                              \
    X(GetCurrentDirectoryW, kernel32.dll)                                                                              \
    X(GetFullPathNameW, kernel32.dll)                                                                                  \
    OX_CRT_HOOKS(X)

#define OX_CRT_HOOKS(X)                                                                                                \
    X(_open, ucrtbase.dll)                                                                                             \
    X(open, ucrtbase.dll)                                                                                              \
    X(open64, ucrtbase.dll)                                                                                            \
    X(_wopen, ucrtbase.dll)                                                                                            \
    X(_sopen, ucrtbase.dll)                                                                                            \
    X(sopen, ucrtbase.dll)                                                                                             \
    X(_wsopen, ucrtbase.dll)                                                                                           \
    X(_sopen_s, ucrtbase.dll)                                                                                          \
    X(_wsopen_s, ucrtbase.dll)                                                                                         \
    X(_sopen_dispatch, ucrtbase.dll)                                                                                   \
    X(_wsopen_dispatch, ucrtbase.dll)                                                                                  \
    X(_close, ucrtbase.dll)                                                                                            \
    X(close, ucrtbase.dll)                                                                                             \
    X(_read, ucrtbase.dll)                                                                                             \
    X(read, ucrtbase.dll)                                                                                              \
    X(_lseek, ucrtbase.dll)                                                                                            \
    X(lseek, ucrtbase.dll)                                                                                             \
    X(_lseeki64, ucrtbase.dll)                                                                                         \
    X(lseek64, ucrtbase.dll)                                                                                           \
    X(_tell, ucrtbase.dll)                                                                                             \
    X(tell, ucrtbase.dll)                                                                                              \
    X(_telli64, ucrtbase.dll)                                                                                          \
    X(_eof, ucrtbase.dll)                                                                                              \
    X(eof, ucrtbase.dll)                                                                                               \
    X(_filelength, ucrtbase.dll)                                                                                       \
    X(filelength, ucrtbase.dll)                                                                                        \
    X(_filelengthi64, ucrtbase.dll)                                                                                    \
    X(_isatty, ucrtbase.dll)                                                                                           \
    X(isatty, ucrtbase.dll)                                                                                            \
    X(_dup, ucrtbase.dll)                                                                                              \
    X(dup, ucrtbase.dll)                                                                                               \
    X(_dup2, ucrtbase.dll)                                                                                             \
    X(dup2, ucrtbase.dll)                                                                                              \
    X(_setmode, ucrtbase.dll)                                                                                          \
    X(setmode, ucrtbase.dll)                                                                                           \
    X(_chsize, ucrtbase.dll)                                                                                           \
    X(chsize, ucrtbase.dll)                                                                                            \
    X(_chsize_s, ucrtbase.dll)                                                                                         \
    X(_locking, ucrtbase.dll)                                                                                          \
    X(_fstat64, ucrtbase.dll)                                                                                          \
    X(fstat64, ucrtbase.dll)                                                                                           \
    X(_fstat64i32, ucrtbase.dll)                                                                                       \
    X(fstat64i32, ucrtbase.dll)                                                                                        \
    X(_stat64, ucrtbase.dll)                                                                                           \
    X(stat64, ucrtbase.dll)                                                                                            \
    X(_stat64i32, ucrtbase.dll)                                                                                        \
    X(stat64i32, ucrtbase.dll)                                                                                         \
    X(_wstat64, ucrtbase.dll)                                                                                          \
    X(wstat64, ucrtbase.dll)                                                                                           \
    X(_wstat64i32, ucrtbase.dll)                                                                                       \
    X(wstat64i32, ucrtbase.dll)                                                                                        \
    X(_access, ucrtbase.dll)                                                                                           \
    X(access, ucrtbase.dll)                                                                                            \
    X(_waccess, ucrtbase.dll)                                                                                          \
    X(_access_s, ucrtbase.dll)                                                                                         \
    X(_waccess_s, ucrtbase.dll)                                                                                        \
    X(_wgetcwd, ucrtbase.dll)                                                                                          \
    X(_getcwd, ucrtbase.dll)                                                                                           \
    X(getcwd, ucrtbase.dll)                                                                                            \
    X(_wchdir, ucrtbase.dll)                                                                                           \
    X(_chdir, ucrtbase.dll)                                                                                            \
    X(chdir, ucrtbase.dll)                                                                                             \
    X(_fdopen, ucrtbase.dll)                                                                                           \
    X(fdopen, ucrtbase.dll)                                                                                            \
    X(_wfdopen, ucrtbase.dll)                                                                                          \
    X(fopen, ucrtbase.dll)                                                                                             \
    X(fopen64, ucrtbase.dll)                                                                                           \
    X(_wfopen, ucrtbase.dll)                                                                                           \
    X(fopen_s, ucrtbase.dll)                                                                                           \
    X(_wfopen_s, ucrtbase.dll)                                                                                         \
    X(_fsopen, ucrtbase.dll)                                                                                           \
    X(_wfsopen, ucrtbase.dll)                                                                                          \
    X(freopen, ucrtbase.dll)                                                                                           \
    X(freopen64, ucrtbase.dll)                                                                                         \
    X(_wfreopen, ucrtbase.dll)

#endif
