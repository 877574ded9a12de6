#include "cache_windows.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "hooks_windows.h"
#include "memory.h"
#include "modules_windows.h"
#include "sha256.h"

enum { PATH_SIZE = 2048, KEY_BYTES = 16, BUFFER_SIZE = 65536, TRIES = 6, PAUSE = 20 /* milliseconds, and more each time */ };

struct place {
    wchar_t folder[PATH_SIZE];
    wchar_t path[PATH_SIZE];
};

static bool join(wchar_t *path, const wchar_t *more)
{
    size_t length = wcslen(path);
    if (length + wcslen(more) + 1 > PATH_SIZE) {
        return false;
    }
    wcscpy(path + length, more);
    return true;
}

static bool take_root(wchar_t *root)
{
    wchar_t given[PATH_SIZE];
    DWORD length = GetEnvironmentVariableW(L"OXCROSS_CACHE", given, PATH_SIZE);
    if (length != 0 && length < PATH_SIZE) {
        length = GetFullPathNameW(given, PATH_SIZE, root, NULL);
        return length != 0 && length < PATH_SIZE;
    }
    length = GetEnvironmentVariableW(L"LOCALAPPDATA", root, PATH_SIZE);
    if (length == 0 || length >= PATH_SIZE) {
        length = GetTempPathW(PATH_SIZE, root); /* of the same user */
        if (length == 0 || length >= PATH_SIZE) {
            return false;
        }
        root[length - (root[length - 1] == L'\\')] = L'\0';
    }
    return join(root, L"\\oxcross\\cache");
}

static bool take_place(struct place *place, const char *name, const uint8_t *data, size_t size)
{
    struct ox_sha256 hash;
    uint8_t digest[32];
    wchar_t key[2 + 2 * KEY_BYTES] = L"\\";
    wchar_t file[MAX_PATH] = L"\\";
    ox_sha256_start(&hash);
    ox_sha256_add(&hash, data, size);
    ox_sha256_finish(&hash, digest);
    for (unsigned i = 0; i < KEY_BYTES; i++) {
        key[1 + 2 * i] = L"0123456789abcdef"[digest[i] >> 4];
        key[2 + 2 * i] = L"0123456789abcdef"[digest[i] & 15];
    }
    key[1 + 2 * KEY_BYTES] = L'\0';
    if (!take_root(place->folder) || !join(place->folder, key)
        || MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, file + 1, MAX_PATH - 1) == 0) {
        return false;
    }
    wcscpy(place->path, place->folder);
    return join(place->path, file);
}

static bool make_folder(wchar_t *folder)
{
    if (CreateDirectoryW(folder, NULL) || GetLastError() == ERROR_ALREADY_EXISTS) {
        return true;
    }
    wchar_t *slash = wcsrchr(folder, L'\\');
    if (GetLastError() != ERROR_PATH_NOT_FOUND || slash == NULL || slash == folder) {
        return false;
    }
    *slash = L'\0';
    bool made = make_folder(folder);
    *slash = L'\\';
    return made && (CreateDirectoryW(folder, NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
}

static bool is_equal(HANDLE file, const uint8_t *data, size_t size)
{
    LARGE_INTEGER there;
    uint8_t *buffer = ox_alloc(BUFFER_SIZE);
    bool equal = buffer != NULL && GetFileSizeEx(file, &there) && (uint64_t)there.QuadPart == size;
    for (size_t done = 0; equal && done < size;) {
        DWORD got;
        DWORD want = size - done < BUFFER_SIZE ? (DWORD)(size - done) : BUFFER_SIZE;
        equal = ReadFile(file, buffer, want, &got, NULL) && got != 0 && memcmp(buffer, data + done, got) == 0;
        done += got;
    }
    ox_free(buffer);
    return equal;
}

/* The file with the right bytes, which nobody can change while the handle is open; or INVALID_HANDLE_VALUE. */
static HANDLE open_good(const wchar_t *path, const uint8_t *data, size_t size)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    if (file != INVALID_HANDLE_VALUE && !is_equal(file, data, size)) {
        CloseHandle(file);
        SetLastError(ERROR_CRC);
        file = INVALID_HANDLE_VALUE;
    }
    return file;
}

/* A name beside the file's that no other process or thread uses. */
static bool name_beside(const wchar_t *path, const wchar_t *ending, wchar_t *beside)
{
    LARGE_INTEGER ticks;
    wchar_t number[64];
    QueryPerformanceCounter(&ticks);
    _snwprintf(number, sizeof number / sizeof *number, L".%08lx-%08lx-%016llx%ls", GetCurrentProcessId(),
        GetCurrentThreadId(), (unsigned long long)ticks.QuadPart, ending);
    wcscpy(beside, path);
    return join(beside, number);
}

static bool write_all(const wchar_t *path, const uint8_t *data, size_t size)
{
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    bool good = file != INVALID_HANDLE_VALUE;
    for (size_t done = 0; good && done < size;) {
        DWORD written;
        DWORD want = size - done < 1u << 30 ? (DWORD)(size - done) : 1u << 30;
        good = WriteFile(file, data + done, want, &written, NULL) && written != 0;
        done += written;
    }
    good = good && FlushFileBuffers(file);
    DWORD error = GetLastError();
    if (file != INVALID_HANDLE_VALUE) {
        CloseHandle(file);
    }
    SetLastError(error);
    return good;
}

/* Puts the file there: whole, or not at all. `displace`: a damaged file that a process has loaded stays loaded, under
 * another name. */
static bool put(const wchar_t *path, const uint8_t *data, size_t size, bool displace)
{
    wchar_t fresh[PATH_SIZE];
    wchar_t old[PATH_SIZE];
    if (!name_beside(path, L".new", fresh) || !name_beside(path, L".old", old)) {
        SetLastError(ERROR_FILENAME_EXCED_RANGE);
        return false;
    }
    bool good = write_all(fresh, data, size);
    if (good && displace) {
        MoveFileExW(path, old, 0);
    }
    good = good && MoveFileExW(fresh, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
    DWORD error = GetLastError();
    if (!good) {
        DeleteFileW(fresh);
    }
    SetLastError(error);
    return good;
}

/* Another process may do the same at this moment, and programs that look for viruses open what is new. */
static HANDLE provide(struct place *place, const uint8_t *data, size_t size, DWORD *error)
{
    HANDLE file = open_good(place->path, data, size);
    for (DWORD i = 0; file == INVALID_HANDLE_VALUE && i < TRIES; i++) {
        Sleep(i * PAUSE);
        /* At first another process may have loaded a good one at this moment, which cannot be replaced either. */
        bool written = make_folder(place->folder) && put(place->path, data, size, i >= TRIES / 2);
        *error = GetLastError();
        file = open_good(place->path, data, size);
        if (file == INVALID_HANDLE_VALUE && written) {
            *error = GetLastError();
        }
    }
    return file;
}

HMODULE ox_cache_load(const char *name, const uint8_t *data, size_t size, DWORD flags)
{
    struct place place;
    DWORD error = 0;
    if (!take_place(&place, name, data, size)) {
        ox_load_fail(ERROR_PATH_NOT_FOUND, "there is no folder for it (LOCALAPPDATA, OXCROSS_CACHE)");
        return NULL;
    }
    HANDLE file = provide(&place, data, size, &error);
    if (file == INVALID_HANDLE_VALUE) {
        ox_load_fail(error, "it cannot be written to %ls (error %lu); OXCROSS_CACHE can name another folder", place.folder, error);
        return NULL;
    }
    HMODULE module = OX_REAL(LoadLibraryExW)(place.path, NULL, flags);
    error = GetLastError();
    CloseHandle(file);
    if (module == NULL) {
        ox_load_fail(error, "Windows cannot load %ls (error %lu)", place.path, error);
    }
    return module;
}
