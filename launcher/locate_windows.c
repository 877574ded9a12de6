#include "locate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "hooks_windows.h"
#include "state.h"
#include "wide_windows.h"

/* The image's first byte, from the linker. */
extern const uint8_t __ImageBase[];

static wchar_t own_path[OX_PATH_MAX];

char *ox_started_file(void)
{
    static char unknown[] = ""; /* Windows starts a program by its path, whatever the command line says */
    return unknown;
}

/* Without the prefix of long paths, which most programs do not expect (\\?\C:\… and \\?\UNC\server\…). */
static const wchar_t *plain(wchar_t *path)
{
    static const wchar_t prefix[] = L"\\\\?\\";
    static const wchar_t share[] = L"UNC\\";
    const size_t size = sizeof prefix / sizeof *prefix - 1;
    if (wcsncmp(path, prefix, size) != 0) {
        return path;
    }
    if (wcsncmp(path + size, share, sizeof share / sizeof *share - 1) == 0) {
        path[size + 2] = L'\\';
        return path + size + 2; /* \\server\… */
    }
    return path[size] != L'\0' && path[size + 1] == L':' ? path + size : path;
}

const char *ox_locate(const char *argv0)
{
    struct ox_mount *mount = &ox.mount;
    WIN32_FILE_ATTRIBUTE_DATA status;
    (void)argv0;
    DWORD size = GetModuleFileNameW(NULL, own_path, OX_PATH_MAX);
    if (size == 0 || size >= OX_PATH_MAX || ox_from_wide(plain(own_path), mount->path, OX_PATH_MAX) == SIZE_MAX) {
        memcpy(mount->path, "oxcross", sizeof "oxcross");
        return "cannot find out the path of this executable";
    }
    if (!GetFileAttributesExW(own_path, GetFileExInfoStandard, &status)) {
        return "cannot look at the executable file";
    }
    uint64_t file_size = (uint64_t)status.nFileSizeHigh << 32 | status.nFileSizeLow;
    const char *wrong = ox_open_blob(__ImageBase, file_size);
    if (wrong != NULL) {
        return wrong;
    }
    /* Hundreds of nanoseconds since 1601, to seconds since 1970. */
    uint64_t written = (uint64_t)status.ftLastWriteTime.dwHighDateTime << 32 | status.ftLastWriteTime.dwLowDateTime;
    mount->modified = (int64_t)(written / 10000000) - 11644473600;
    mount->size = strlen(mount->path);
    return NULL;
}
