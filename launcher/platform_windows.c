#include "platform.h"

#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

#include "locate.h"
#include "memory.h"
#include "state.h"
#include "wide_windows.h"

#define FARTHEST 16 /* ancestors that are looked at */

int wmain(int argc, wchar_t **argv)
{
    char **words = ox_alloc(((size_t)argc + 1) * sizeof *words);
    for (int i = 0; i < argc && words != NULL; i++) {
        words[i] = ox_new_narrow(argv[i]);
        if (words[i] == NULL) {
            words = NULL;
        }
    }
    if (words == NULL) {
        ox_damaged("out of memory");
    }
    words[argc] = NULL;
    return ox_main(argc, words);
}

void ox_platform_start(void)
{
    SetErrorMode(SEM_FAILCRITICALERRORS); /* no dialog where a drive or a DLL is missing: an error is returned */
}

const char *ox_last_separator(const char *path)
{
    const char *back = strrchr(path, '\\');
    const char *forward = strrchr(path, '/');
    return back == NULL || (forward != NULL && forward > back) ? forward : back;
}

void ox_separate(char *path)
{
    for (; *path != '\0'; path++) {
        if (*path == '/') {
            *path = OX_SEPARATOR;
        }
    }
}

const void *ox_find_last(const void *memory, int byte, size_t size)
{
    const unsigned char *bytes = memory;
    while (size > 0) {
        if (bytes[--size] == (unsigned char)byte) {
            return bytes + size;
        }
    }
    return NULL;
}

static DWORD attributes_of(const char *path)
{
    wchar_t *wide = ox_new_wide(path);
    DWORD attributes = wide == NULL ? INVALID_FILE_ATTRIBUTES : GetFileAttributesW(wide);
    ox_free(wide);
    return attributes;
}

bool ox_is_directory(const char *path)
{
    DWORD attributes = attributes_of(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

bool ox_exists(const char *path)
{
    return attributes_of(path) != INVALID_FILE_ATTRIBUTES;
}

bool ox_real_path(const char *path, char *resolved)
{
    wchar_t full[OX_PATH_MAX];
    wchar_t *wide = ox_exists(path) ? ox_new_wide(path) : NULL;
    DWORD size = wide == NULL ? 0 : GetFullPathNameW(wide, OX_PATH_MAX, full, NULL);
    ox_free(wide);
    return size != 0 && size < OX_PATH_MAX && ox_from_wide(full, resolved, OX_PATH_MAX) != SIZE_MAX;
}

FILE *ox_open_to_read(const char *path)
{
    wchar_t *wide = ox_new_wide(path);
    FILE *file = wide == NULL ? NULL : _wfopen(wide, L"rbN");
    ox_free(wide);
    return file;
}

bool ox_print(const void *text, size_t size)
{
    DWORD mode;
    UINT page = GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode) ? GetConsoleOutputCP() : 0;
    if (page != 0) {
        SetConsoleOutputCP(CP_UTF8);
    } else {
        _setmode(_fileno(stdout), _O_BINARY);
    }
    bool written = fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0;
    if (page != 0) {
        SetConsoleOutputCP(page); /* it is the console's, which others use after this */
    }
    return written;
}

void ox_set_variable(const char *name, const char *value)
{
    wchar_t *wide_name = ox_new_wide(name);
    wchar_t *wide_value = ox_new_wide(value);
    if (wide_name != NULL && wide_value != NULL) {
        _wputenv_s(wide_name, wide_value); /* of the C library, which os.environ is made of, and of Windows */
    }
    ox_free(wide_name);
    ox_free(wide_value);
}

char *ox_variable(const char *name)
{
    wchar_t *wide = ox_new_wide(name);
    const wchar_t *value = wide == NULL ? NULL : _wgetenv(wide);
    ox_free(wide);
    return value == NULL ? NULL : ox_new_narrow(value);
}

unsigned long ox_process(void)
{
    return GetCurrentProcessId();
}

/* The parent of a process; 0 when it cannot be known. Its number may be another process's by now: whose file is looked at
 * must be older. */
static DWORD parent_of(HANDLE process)
{
    PROCESS_BASIC_INFORMATION basic;
    return NT_SUCCESS(NtQueryInformationProcess(process, ProcessBasicInformation, &basic, sizeof basic, NULL))
        ? (DWORD)basic.InheritedFromUniqueProcessId
        : 0;
}

static uint64_t start_of(HANDLE process)
{
    FILETIME made, ended, kernel, user;
    return GetProcessTimes(process, &made, &ended, &kernel, &user)
        ? (uint64_t)made.dwHighDateTime << 32 | made.dwLowDateTime
        : 0;
}

bool ox_descends_from_own(void)
{
    static wchar_t own[OX_PATH_MAX];
    static wchar_t other[OX_PATH_MAX];
    bool found = false;
    HANDLE process = GetCurrentProcess();
    DWORD size = GetModuleFileNameW(NULL, own, OX_PATH_MAX);
    for (int i = 0; i < FARTHEST && size != 0 && size < OX_PATH_MAX && !found; i++) {
        HANDLE parent = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, parent_of(process));
        bool older = parent != NULL && start_of(parent) <= start_of(process);
        CloseHandle(process);
        process = parent;
        DWORD length = OX_PATH_MAX;
        if (!older) {
            break;
        }
        found = QueryFullProcessImageNameW(process, 0, other, &length) && _wcsicmp(own, other) == 0;
    }
    if (process != NULL) {
        CloseHandle(process);
    }
    return found;
}

void ox_die_interrupted(void)
{
    exit((int)STATUS_CONTROL_C_EXIT); /* as python.exe: cmd.exe then asks whether to end the batch file */
}
