/* A program for tests: what Windows' functions and UCRT's say of the files in a folder, which may be a virtual one. Usage:
 * probe_windows BLOB MOUNT FOLDER. The blob appears at MOUNT; FOLDER is that, or a folder with the same files on disk. What
 * it prints is to be the same for both. */
#include <direct.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <windows.h>

#include "state.h"
#include "vfs.h"
#include "wide_windows.h"

/* What calls go through without Control Flow Guard. */
__asm__(".globl probe_call\nprobe_call: jmp *%rax");

_Noreturn void ox_damaged(const char *what);
void ox_damaged(const char *what)
{
    fprintf(stderr, "damaged: %s\n", what);
    exit(70);
}

static wchar_t root[1024];

/* FOLDER and what is below it. */
static const wchar_t *at(const wchar_t *below)
{
    static wchar_t paths[4][2048];
    static unsigned turn;
    wchar_t *path = paths[turn++ % 4];
    swprintf(path, 2048, L"%ls%ls", root, below);
    return path;
}

static void mount(const wchar_t *blob, const wchar_t *path)
{
    FILE *stream = _wfopen(blob, L"rb");
    if (stream == NULL) {
        ox_damaged("no blob");
    }
    fseek(stream, 0, SEEK_END);
    size_t size = (size_t)ftell(stream);
    rewind(stream);
    void *memory = _aligned_malloc(size, 64);
    if (memory == NULL || fread(memory, 1, size, stream) != size) {
        ox_damaged("unreadable blob");
    }
    fclose(stream);
    const char *wrong = ox_blob_open(&ox.blob, memory, size);
    if (wrong != NULL) {
        ox_damaged(wrong);
    }
    ox.mount.modified = 1700000000;
    ox.mount.size = ox_from_wide(path, ox.mount.path, OX_PATH_MAX);
}

static unsigned sum(const void *data, size_t size)
{
    unsigned value = 1;
    for (size_t i = 0; i < size; i++) {
        value = value * 31 + ((const unsigned char *)data)[i];
    }
    return value;
}

static const wchar_t *const names[] = {L"", L"\\", L"\\text.txt", L"/text.txt", L"\\TEXT.txt", L"\\empty", L"\\big.bin", L"\\deep", L"\\deep\\",
    L"\\deep\\deeper\\note.txt", L"\\deep\\..\\text.txt", L"\\.\\deep//deeper", L"\\missing", L"\\missing\\more", L"\\text.txt\\below",
    L"\\text.txt\\", L"\\text.txt\\..\\empty", L"\\gr\u00fcn.txt", L"\\GR\u00dcN.TXT", L"\\text.txt.", L"\\text.txt. ", L"\\deep\\.",
    L"\\deep.", L"\\a<b", L"\\\U0001f600.txt"};

static void by_name(void)
{
    for (unsigned i = 2; i < sizeof names / sizeof *names; i++) {
        const wchar_t *path = at(names[i]);
        WIN32_FILE_ATTRIBUTE_DATA data = {0};
        WIN32_FIND_DATAW entry = {0};
        struct _stat64 status = {0};
        printf("%ls: ", names[i]);
        SetLastError(0);
        DWORD attributes = GetFileAttributesW(path);
        if (attributes == INVALID_FILE_ATTRIBUTES) {
            printf("attributes %lu; ", GetLastError());
        } else {
            printf("attributes %s; ", attributes & FILE_ATTRIBUTE_DIRECTORY ? "directory" : "file");
        }
        if (GetFileAttributesExW(path, GetFileExInfoStandard, &data)) {
            printf("size %lu; ", data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? 0 : data.nFileSizeLow);
        } else {
            printf("size %lu?; ", GetLastError());
        }
        if (_wstat64(path, &status) == 0) {
            printf("stat %o %lld; ", status.st_mode & S_IFMT, status.st_mode & S_IFDIR ? 0 : status.st_size);
        } else {
            printf("stat errno %d; ", errno);
        }
        printf("access %d; ", _waccess(path, 0) == 0 ? 0 : errno);
        HANDLE found = FindFirstFileW(path, &entry);
        if (found != INVALID_HANDLE_VALUE) {
            printf("find %ls; ", entry.cFileName);
            FindClose(found);
        } else {
            printf("find %lu; ", GetLastError());
        }
        HANDLE handle = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
        printf("open %lu; ", handle == INVALID_HANDLE_VALUE ? GetLastError() : 0);
        CloseHandle(handle);
        handle = CreateFileW(path, FILE_READ_ATTRIBUTES, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        printf("look %lu; ", handle == INVALID_HANDLE_VALUE ? GetLastError() : 0);
        if (handle != INVALID_HANDLE_VALUE) {
            wchar_t final[2048];
            BY_HANDLE_FILE_INFORMATION information;
            DWORD size = GetFinalPathNameByHandleW(handle, final, 2048, 0);
            GetFileInformationByHandle(handle, &information);
            printf("type %lu links %lu final %ls; ", GetFileType(handle), information.nNumberOfLinks,
                size < 4 + wcslen(root) ? L"?" : final + 4 + wcslen(root));
            CloseHandle(handle);
        }
        int fd = _wopen(path, _O_RDONLY | _O_BINARY);
        printf("_wopen %d\n", fd < 0 ? errno : 0);
        if (fd >= 0) {
            _close(fd);
        }
    }
}

static void by_handle(const wchar_t *name)
{
    HANDLE handle = CreateFileW(at(name), GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    LARGE_INTEGER size;
    LARGE_INTEGER distance = {.QuadPart = -4};
    char buffer[64] = {0};
    DWORD copied = 0;
    printf("handle %ls: size %d %llu %lu; ", name, GetFileSizeEx(handle, &size), size.QuadPart, GetFileSize(handle, NULL));
    printf("read %d %lu ", ReadFile(handle, buffer, 5, &copied, NULL), copied);
    printf("%.5s; ", buffer);
    printf("seek %d ", SetFilePointerEx(handle, distance, &size, FILE_END));
    printf("%llu; ", size.QuadPart);
    printf("read %d %lu; ", ReadFile(handle, buffer, 50, &copied, NULL), copied);
    printf("read %d %lu; ", ReadFile(handle, buffer, 50, &copied, NULL), copied);
    printf("before %d %lu; ", SetFilePointerEx(handle, distance, NULL, FILE_BEGIN), GetLastError());
    printf("old %lu %lu; ", SetFilePointer(handle, 3, NULL, FILE_BEGIN), SetFilePointer(handle, 1, NULL, FILE_CURRENT));
    OVERLAPPED overlapped = {.Offset = 6};
    printf("overlapped %d %lu; ", ReadFile(handle, buffer, 4, &copied, &overlapped), copied);
    overlapped.Offset = 100000000;
    SetLastError(0);
    printf("behind %d %lu %lu; ", ReadFile(handle, buffer, 4, &copied, &overlapped), GetLastError(), copied);
    HANDLE copy;
    printf("duplicate %d; ",
        DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    SetFilePointer(handle, 6, NULL, FILE_BEGIN);
    CloseHandle(handle);
    printf("shared %d %.4s; ", ReadFile(copy, buffer, 4, &copied, NULL), buffer);
    HANDLE section = CreateFileMappingW(copy, NULL, PAGE_READONLY, 0, 0, NULL);
    const char *view = section == NULL ? NULL : MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    GetFileSizeEx(copy, &size);
    printf("mapped %u; ", view == NULL ? 0 : sum(view, (size_t)size.QuadPart));
    UnmapViewOfFile(view);
    CloseHandle(section);
    section = CreateFileMappingW(copy, NULL, PAGE_WRITECOPY, 0, 0, NULL);
    char *own = section == NULL ? NULL : MapViewOfFile(section, FILE_MAP_COPY, 0, 0, 0);
    if (own != NULL) {
        own[0] = 'X';
        printf("own %u; ", sum(own, (size_t)size.QuadPart));
    }
    UnmapViewOfFile(own);
    CloseHandle(section);
    section = CreateFileMappingW(copy, NULL, PAGE_READWRITE, 0, 0, NULL);
    printf("writable %d %lu; ", section != NULL, GetLastError());
    printf("write %d %lu; ", WriteFile(copy, "x", 1, &copied, NULL), GetLastError());
    printf("lock %d; ", LockFile(copy, 0, 0, 1, 0));
    printf("unlock %d; ", UnlockFile(copy, 0, 0, 1, 0));
    printf("link %d %lu; ", DeviceIoControl(copy, 0x900a8, NULL, 0, buffer, 64, &copied, NULL), GetLastError());
    printf("closed %d\n", CloseHandle(copy));
    printf("again %d %lu\n", CloseHandle(copy), GetLastError());
}

static void by_descriptor(const wchar_t *name)
{
    char buffer[64] = {0};
    struct _stat64 status;
    int fd = _wopen(at(name), _O_RDONLY | _O_BINARY);
    printf("descriptor %ls: %d; length %lld; tty %d; ", name, fd >= 3, _filelengthi64(fd), _isatty(fd));
    printf("fstat %d %o %lld; ", _fstat64(fd, &status), status.st_mode & S_IFMT, status.st_size);
    printf("read %d %.5s; ", _read(fd, buffer, 5), buffer);
    printf("seek %lld %ld %lld; ", _lseeki64(fd, -4, SEEK_END), lseek(fd, 0, SEEK_CUR), _telli64(fd));
    printf("read %d ", read(fd, buffer, 50));
    printf("%d; eof %d; ", read(fd, buffer, 50), _eof(fd));
    printf("before %lld %d; ", _lseeki64(fd, -400000000, SEEK_CUR), errno);
    int copy = dup(fd);
    int other = _dup2(fd, 40);
    lseek(fd, 6, SEEK_SET);
    close(fd);
    printf("dup %d %d ", copy >= 0, _read(copy, buffer, 2));
    printf("dup2 %d %d %.2s; ", other, _read(40, buffer, 2), buffer);
    printf("write %d %d; ", _write(copy, "x", 1), errno);
    printf("chsize %d; ", _chsize_s(copy, 0) != 0);
    close(copy);
    printf("left %d; closed %d\n", _read(40, buffer, 2), _close(40));
    fd = _wopen(at(L"\\lines.txt"), _O_RDONLY | _O_TEXT);
    for (int size; (size = _read(fd, buffer, 3)) > 0;) {
        printf("%d:%u ", size, sum(buffer, (size_t)size));
    }
    printf("\nmode %x ", _setmode(fd, _O_BINARY));
    lseek(fd, 0, SEEK_SET);
    printf("%x %d\n", _setmode(fd, _O_TEXT), _read(fd, buffer, 50));
    _close(fd);
    for (unsigned i = 0; i < 6; i++) {
        static const int flags[] = {_O_RDWR, _O_CREAT | _O_EXCL | _O_RDONLY, _O_CREAT | _O_RDONLY};
        fd = i < 1 ? _wopen(at(L"\\deep"), flags[i]) : -2;
        printf("%d ", fd == -2 ? 0 : errno);
    }
    fd = _wopen(at(L"\\text.txt"), _O_CREAT | _O_EXCL | _O_RDONLY, 0600);
    printf("exclusive %d %d\n", fd, errno);
}

static void by_stream(void)
{
    char line[64] = {0};
    FILE *stream = _wfopen(at(L"\\lines.txt"), L"r");
    printf("stream %d ", stream != NULL);
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        printf("%u ", sum(line, strlen(line)));
    }
    printf("%d; ", feof(stream));
    stream = _wfreopen(at(L"\\text.txt"), L"rb", stream);
    fseek(stream, -5, SEEK_END);
    printf("again %zu %.5s; ", fread(line, 1, 64, stream), line);
    fclose(stream);
    stream = _wfopen(at(L"\\missing"), L"r");
    printf("missing %d %d; ", stream == NULL, errno);
    stream = _wfopen(at(L"\\deep"), L"r");
    printf("folder %d %d; ", stream == NULL, errno);
    int fd = _wopen(at(L"\\text.txt"), _O_RDONLY | _O_BINARY);
    _lseek(fd, 6, SEEK_SET);
    stream = _wfdopen(fd, L"rb");
    printf("fdopen %d %s", stream != NULL, fgets(line, sizeof line, stream));
    fclose(stream);
}

static int compare(const void *one, const void *other)
{
    return wcscmp(one, other);
}

static void listing(const wchar_t *pattern)
{
    WIN32_FIND_DATAW entry;
    static wchar_t found[64][MAX_PATH];
    unsigned count = 0;
    HANDLE search = FindFirstFileExW(at(pattern), FindExInfoBasic, &entry, FindExSearchNameMatch, NULL, 0);
    printf("list %ls: ", pattern);
    if (search == INVALID_HANDLE_VALUE) {
        printf("error %lu\n", GetLastError());
        return;
    }
    do {
        wcscpy(found[count++], entry.cFileName);
    } while (count < 64 && FindNextFileW(search, &entry));
    printf("%lu %d: ", GetLastError(), FindClose(search));
    qsort(found, count, sizeof *found, compare);
    for (unsigned i = 0; i < count; i++) {
        printf("%ls ", found[i]);
    }
    printf("\n");
}

static void working(void)
{
    wchar_t before[1024];
    wchar_t path[2048];
    char buffer[8] = {0};
    GetCurrentDirectoryW(1024, before);
    printf("go %d ", SetCurrentDirectoryW(at(L"\\deep")));
    GetCurrentDirectoryW(2048, path);
    printf("%ls; ", path + wcslen(root));
    int fd = _wopen(L"deeper/note.txt", _O_RDONLY);
    printf("open %d %.4s; ", _read(fd, buffer, 8), buffer);
    _close(fd);
    printf("up %lx; ", GetFileAttributesW(L"..\\text.txt") & FILE_ATTRIBUTE_DIRECTORY);
    GetFullPathNameW(L"..\\empty", 2048, path, NULL);
    printf("full %ls; ", path + wcslen(root));
    printf("cwd %ls; ", _wgetcwd(path, 2048) + wcslen(root));
    printf("missing %d %lu; ", SetCurrentDirectoryW(L"missing"), GetLastError());
    printf("file %d %lu; ", SetCurrentDirectoryW(at(L"\\text.txt")), GetLastError());
    printf("back %d %d\n", SetCurrentDirectoryW(before), GetFileAttributesW(L"deeper") == INVALID_FILE_ATTRIBUTES);
}

static void copying(void)
{
    wchar_t goal[MAX_PATH];
    WIN32_FILE_ATTRIBUTE_DATA data = {0};
    GetTempPathW(MAX_PATH - 20, goal);
    wcscat(goal, L"ox-copied.bin");
    DeleteFileW(goal);
    printf("copy %lx ", CopyFile2(at(L"\\big.bin"), goal, NULL));
    GetFileAttributesExW(goal, GetFileExInfoStandard, &data);
    printf("%lu %lx; ", data.nFileSizeLow, data.dwFileAttributes & FILE_ATTRIBUTE_READONLY);
    printf("new only %d %lu; ", CopyFileW(at(L"\\text.txt"), goal, TRUE), GetLastError());
    printf("over %d; ", CopyFileExW(at(L"\\text.txt"), goal, NULL, NULL, NULL, 0));
    printf("missing %lx; ", CopyFile2(at(L"\\missing"), goal, NULL));
    printf("delete %d\n", DeleteFileW(goal));
}

/* What only a read-only volume says. */
static void refusals(void)
{
    static const DWORD dispositions[] = {CREATE_NEW, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING};
    static const wchar_t *const paths[] = {L"\\text.txt", L"\\new", L"\\missing\\new", L"\\deep", L"\\text.txt\\new"};
    for (unsigned i = 0; i < 5; i++) {
        const wchar_t *path = at(paths[i]);
        printf("refuse %ls:", paths[i]);
        for (unsigned k = 0; k < 5; k++) {
            HANDLE handle = CreateFileW(path, GENERIC_WRITE, 0, NULL, dispositions[k], 0, NULL);
            printf(" %lu", handle == INVALID_HANDLE_VALUE ? GetLastError() : 0);
        }
        printf(" delete %lu", DeleteFileW(path) ? 0 : GetLastError());
        printf(" rmdir %lu", RemoveDirectoryW(path) ? 0 : GetLastError());
        printf(" mkdir %lu", CreateDirectoryW(path, NULL) ? 0 : GetLastError());
        printf(" attributes %lu", SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL) ? 0 : GetLastError());
        printf(" move out %lu", MoveFileExW(path, L"C:\\ox-moved", 0) ? 0 : GetLastError());
        printf(" move in %lu", MoveFileExW(L"C:\\windows", path, 0) ? 0 : GetLastError());
        printf(" move %lu", MoveFileExW(at(L"\\empty"), path, MOVEFILE_REPLACE_EXISTING) ? 0 : GetLastError());
        printf(" copy in %lu", CopyFileW(L"C:\\windows\\win.ini", path, FALSE) ? 0 : GetLastError());
        FILE *stream = _wfopen(path, L"w");
        printf(" stream %d\n", stream == NULL ? errno : 0);
    }
}

int wmain(int argc, wchar_t **argv);
int wmain(int argc, wchar_t **argv)
{
    if (argc < 4) {
        return 64;
    }
    SetConsoleOutputCP(CP_UTF8);
    _setmode(1, _O_BINARY);
    mount(argv[1], argv[2]);
    wcscpy(root, argv[3]);
    by_name();
    by_handle(L"\\text.txt");
    by_handle(L"\\big.bin");
    by_descriptor(L"\\text.txt");
    by_stream();
    static const wchar_t *const patterns[] = {L"\\*", L"\\*.*", L"\\*.txt", L"\\DEEP\\*", L"\\t?xt.*", L"\\none*", L"\\text.txt\\*",
        L"\\missing\\*", L"\\deep\\deeper\\..\\*", L"/deep/*.*"};
    for (unsigned i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        listing(patterns[i]);
    }
    working();
    copying();
    if (argc > 4) {
        refusals();
    }
    return 0;
}
