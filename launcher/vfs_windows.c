#include "vfs_windows.h"

#include <windows.h>

#include "hooks_windows.h"
#include "wide_windows.h"

__typeof__(GetFullPathNameW) ox_GetFullPathNameW;

enum { OX_NAME_MAX = 512 }; /* units of a name: file systems have 255 */

/* The mount point as UTF-16, and the folder that it lies in. */
static struct {
    INIT_ONCE once;
    _Atomic size_t size; /* 0: not known yet */
    wchar_t path[OX_PATH_MAX];
    wchar_t folder[OX_PATH_MAX];
} mount = {.once = INIT_ONCE_STATIC_INIT};

static inline bool is_separator(wchar_t unit)
{
    return unit == L'\\' || unit == L'/';
}

static BOOL CALLBACK note_mount(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    size_t size = ox_to_wide(ox.mount.path, mount.path, OX_PATH_MAX);
    if (size == SIZE_MAX) {
        return FALSE;
    }
    size_t folder = size;
    memcpy(mount.folder, mount.path, (size + 1) * sizeof *mount.path);
    while (folder > 0 && !is_separator(mount.folder[folder - 1])) {
        folder--;
    }
    mount.folder[folder] = L'\0';
    atomic_store(&mount.size, size);
    return TRUE;
}

/* The size of the mount point's path; 0: nothing is mounted. */
static inline size_t mounted(void)
{
    size_t size = atomic_load_explicit(&mount.size, memory_order_acquire);
    if (__builtin_expect(size == 0, 0) && ox.mount.size != 0) {
        InitOnceExecuteOnce(&mount.once, note_mount, NULL, NULL);
        size = atomic_load(&mount.size);
    }
    return size;
}

const wchar_t *ox_vfs_folder(void)
{
    return mounted() == 0 ? L"" : mount.folder;
}

static inline wchar_t folded(wchar_t unit)
{
    return unit >= L'a' && unit <= L'z' ? (wchar_t)(unit - L'a' + L'A') : unit == L'/' ? L'\\' : unit;
}

bool ox_vfs_elsewhere(const wchar_t *path)
{
    size_t size = mounted();
    if (size == 0 || path == NULL || path[0] == L'\0') {
        return true;
    }
    if (path[1] != L':' || !is_separator(path[2])) {
        return false; /* relative, or a device's, or a network's path: with care */
    }
    size_t equal = 0;
    while (equal < size && folded(path[equal]) == folded(mount.path[equal])) {
        equal++;
    }
    /* What Windows drops from the end of a name ("app.exe. \x"), doubled separators, and letters whose case only Windows
     * knows are for a closer look. So is "..", wherever it is. */
    wchar_t next = path[equal];
    if (equal == size || mount.path[equal] >= 0x80) {
        if (next == L'\0' || next == L'.' || next == L' ' || next >= 0x80 || is_separator(next)) {
            return false;
        }
    } else if (next == L'.' || next == L' ' || is_separator(next) || next >= 0x80) {
        return false;
    }
    for (const wchar_t *at = path + equal; *at != L'\0'; at++) {
        if (is_separator(*at) && at[1] == L'.' && at[2] == L'.') {
            return false;
        }
    }
    return true;
}

bool ox_vfs_outside(const char *path)
{
    size_t i = 0;
    if (mounted() == 0 || path == NULL || path[0] == '\0') {
        return true;
    }
    if (path[1] != ':' || (path[2] != '\\' && path[2] != '/')) {
        return false;
    }
    while (i < ox.mount.size && folded((uint8_t)path[i]) == folded((uint8_t)ox.mount.path[i])) {
        i++;
    }
    /* The same as above, with less care: what differs in a letter's case beyond ASCII is taken for one outside. */
    if (i == ox.mount.size && path[i] != '\0' && strchr(". \\/", path[i]) == NULL) {
        return true;
    }
    return i < ox.mount.size && path[i] != '.' && path[i] != ' ' && (path[i] & 0x80) == 0
        && strstr(path + i, "..") == NULL && !is_separator((uint8_t)path[i]);
}

/* "\\?\C:\x", "\\.\C:\x" and "\\?\UNC\server\x" are "C:\x" and "\\server\x"; the latter is written to `out`. */
static const wchar_t *plain(const wchar_t *path, wchar_t *out)
{
    if (!is_separator(path[0]) || !(is_separator(path[1]) || path[1] == L'?') || (path[2] != L'?' && path[2] != L'.')
        || !is_separator(path[3])) {
        return path;
    }
    const wchar_t *rest = path + 4;
    if (rest[0] != L'\0' && rest[1] == L':' && is_separator(rest[2])) {
        return rest;
    }
    size_t size = wcslen(rest);
    if (size < 4 || size >= OX_PATH_MAX || _wcsnicmp(rest, L"UNC", 3) != 0 || !is_separator(rest[3])) {
        return path;
    }
    out[0] = L'\\';
    memcpy(out + 1, rest + 3, (size - 3 + 1) * sizeof *out);
    return out;
}

bool ox_vfs_join(const wchar_t *path, wchar_t *out)
{
    size_t size = ox_vfs_wide(atomic_load_explicit(&ox.working.node, memory_order_relaxed), out);
    if (path[0] != L'\0' && path[1] == L':') {
        if (folded(path[0]) != folded(out[0]) || is_separator(path[2])) {
            return false;
        }
        path += 2;
    } else if (is_separator(path[0])) {
        if (is_separator(path[1]) || out[1] != L':') {
            return false;
        }
        size = 2; /* from the root of the drive */
    }
    size_t more = wcslen(path);
    if (size == 0 || more >= OX_PATH_MAX - 2 - size) {
        return false;
    }
    if (size > 2) {
        out[size++] = L'\\';
    }
    memcpy(out + size, path, (more + 1) * sizeof *path);
    return true;
}

static bool is_ascii(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((text[i] & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

/* Whether names differ in case only, as Windows' file systems have it: by units of UTF-16, the same in every language. */
static bool same_name(struct ox_text one, const char *other, size_t size, bool ascii)
{
    wchar_t wide[2][OX_NAME_MAX];
    if (ascii) {
        for (size_t i = 0; one.size == size && i < size; i++) {
            if (folded((uint8_t)one.data[i]) != folded((uint8_t)other[i])) {
                return false;
            }
        }
        return one.size == size;
    }
    return !is_ascii(one.data, one.size) && ox_to_wide(one.data, wide[0], OX_NAME_MAX) != SIZE_MAX
        && ox_to_wide(other, wide[1], OX_NAME_MAX) != SIZE_MAX
        && CompareStringOrdinal(wide[0], -1, wide[1], -1, TRUE) == CSTR_EQUAL;
}

/* The child of this name: exactly this one, else one that differs in case. OX_NONE: there is none. */
static uint32_t child(uint32_t folder, const char *name, size_t size)
{
    uint32_t first;
    uint32_t count;
    uint32_t found = OX_NONE;
    bool ascii = is_ascii(name, size);
    if (!ox_blob_children(&ox.blob, folder, &first, &count)) {
        return OX_NONE;
    }
    for (uint32_t node = first; node < first + count; node++) {
        struct ox_text text;
        if (!ox_vfs_name(node, &text)) {
            continue;
        }
        if (text.size == size && memcmp(text.data, name, size) == 0) {
            return node;
        }
        if (found == OX_NONE && same_name(text, name, size, ascii)) {
            found = node;
        }
    }
    return found;
}

/* Walks down name by name: finds what is there in another case, and says what is missing. */
static void walk(char *below, struct ox_lookup *lookup)
{
    uint32_t node = 0;
    lookup->place = OX_MISSING;
    while (below != NULL) {
        char *slash = strchr(below, '/');
        uint32_t next = OX_NONE;
        if (slash != NULL) {
            *slash = '\0';
        }
        if (ox.blob.nodes[node].kind == OX_DIR) {
            next = child(node, below, strlen(below));
            lookup->in_folder = slash == NULL;
        }
        if (slash != NULL) {
            *slash++ = '/';
        }
        if (next == OX_NONE) {
            lookup->error = lookup->in_folder ? ERROR_FILE_NOT_FOUND : ERROR_PATH_NOT_FOUND;
            return;
        }
        lookup->in_folder = false;
        node = next;
        below = slash;
    }
    lookup->place = OX_VIRTUAL;
    lookup->node = node;
}

/* Looks up what is below the mount point; `below` is in lookup->buffer. */
static void lookup_below(char *below, size_t size, bool directory, struct ox_lookup *lookup)
{
    enum ox_found found = ox_blob_find_node(&ox.blob, below, size, &lookup->node);
    lookup->place = found == OX_FOUND ? OX_VIRTUAL : OX_MISSING;
    lookup->error = ERROR_FILE_CORRUPT;
    if (found == OX_ABSENT) {
        struct ox_text path;
        walk(below, lookup);
        if (lookup->place == OX_MISSING && strpbrk(below, "<>:\"|?*") != NULL) {
            lookup->in_folder = false;
            lookup->error = ERROR_INVALID_NAME;
        }
        if (lookup->place == OX_VIRTUAL && ox_vfs_path(lookup->node, &path)
            && path.size < OX_PATH_MAX - 1 - ox.mount.size) {
            memcpy(below, path.data, path.size);
            below[path.size] = '\0';
        }
    }
    if (lookup->place == OX_VIRTUAL && directory && ox.blob.nodes[lookup->node].kind != OX_DIR) {
        lookup->place = OX_MISSING;
        lookup->error = ERROR_INVALID_NAME;
    }
}

/* ox_vfs_find for an absolute path in lookup->wide_buffer that Windows has taken apart. */
static bool find_absolute(size_t size, struct ox_lookup *lookup)
{
    wchar_t *const path = lookup->wide_buffer;
    size_t prefix = mounted();
    bool directory = false;
    while (size > 3 && is_separator(path[size - 1])) {
        path[--size] = L'\0';
        directory = true;
    }
    if (prefix == 0 || size < prefix || (size > prefix && !is_separator(path[prefix]))
        || CompareStringOrdinal(path, (int)prefix, mount.path, (int)prefix, TRUE) != CSTR_EQUAL) {
        return false;
    }
    memcpy(lookup->buffer, ox.mount.path, ox.mount.size + 1);
    lookup->path = lookup->buffer;
    if (size == prefix) {
        lookup->place = directory ? OX_VIRTUAL : OX_SELF;
        return true;
    }
    char *below = lookup->buffer + ox.mount.size;
    *below++ = '/';
    size_t room = OX_PATH_MAX - 1 - ox.mount.size;
    size_t below_size = ox_from_wide(path + prefix + 1, below, room);
    if (below_size == SIZE_MAX) {
        lookup->place = OX_MISSING;
        lookup->error = ERROR_FILENAME_EXCED_RANGE;
        return true;
    }
    for (char *at = below; (at = strchr(at, '\\')) != NULL;) {
        *at = '/';
    }
    lookup_below(below, below_size, directory, lookup);
    return true;
}

bool ox_vfs_find(const wchar_t *path, struct ox_lookup *lookup)
{
    wchar_t other[OX_PATH_MAX];
    DWORD error = GetLastError();
    uint32_t working = atomic_load_explicit(&ox.working.node, memory_order_relaxed);
    lookup->place = OX_OUTSIDE;
    lookup->error = 0;
    lookup->in_folder = false;
    lookup->node = 0;
    lookup->path = NULL;
    lookup->wide = path;
    if (mounted() == 0 || path == NULL || path[0] == L'\0') {
        return false;
    }
    const wchar_t *absolute = plain(path, other);
    bool joined = working != OX_NONE && absolute == path && ox_vfs_join(path, other);
    if (joined) {
        absolute = other;
    }
    DWORD size = OX_REAL(GetFullPathNameW)(absolute, OX_PATH_MAX, lookup->wide_buffer, NULL);
    bool ours = size != 0 && size < OX_PATH_MAX && find_absolute(size, lookup);
    if (!ours && joined && size != 0 && size < OX_PATH_MAX) {
        lookup->wide = lookup->wide_buffer;
    }
    SetLastError(error);
    return ours;
}

void ox_vfs_lookup(const char *path, struct ox_lookup *lookup)
{
    wchar_t wide[OX_PATH_MAX];
    size_t size = ox_to_wide(path, wide, OX_PATH_MAX);
    ox_vfs_find(size == SIZE_MAX ? L"" : wide, lookup);
    if (lookup->place == OX_OUTSIDE) {
        lookup->path = path;
    }
}

void ox_vfs_moved(uint32_t node)
{
    atomic_store(&ox.working.node, node);
}

size_t ox_vfs_write(struct ox_text below, char *out)
{
    size_t size = ox.mount.size;
    memcpy(out, ox.mount.path, size);
    if (below.size != 0) {
        out[size++] = '\\';
        for (size_t i = 0; i < below.size; i++) {
            out[size++] = below.data[i] == '/' ? '\\' : below.data[i];
        }
    }
    out[size] = '\0';
    return size;
}

size_t ox_vfs_wide(uint32_t node, wchar_t *out)
{
    struct ox_text path;
    size_t size = mounted();
    if (!ox_vfs_path(node, &path)) {
        return 0;
    }
    memcpy(out, mount.path, (size + 1) * sizeof *out);
    if (path.size == 0 || size >= OX_PATH_MAX - 1) {
        return size;
    }
    out[size++] = L'\\';
    size_t more = ox_to_wide(path.data, out + size, OX_PATH_MAX - size);
    for (size_t i = size; more != SIZE_MAX && i < size + more; i++) {
        out[i] = out[i] == L'/' ? L'\\' : out[i];
    }
    return more == SIZE_MAX ? 0 : size + more;
}

const wchar_t *ox_vfs_widen(const char *path, unsigned page, wchar_t *out)
{
    DWORD error = GetLastError();
    int size = path == NULL ? 0 : MultiByteToWideChar(page, 0, path, -1, out, OX_PATH_MAX);
    SetLastError(error);
    return size <= 0 ? NULL : out;
}
