#include "cache_macos.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payload.h"
#include "sha256.h"
#include "vfs.h"

enum { BUFFER_SIZE = 65536, TRIES = 3 };

static bool has_suffix(struct ox_text text, const char *suffix)
{
    size_t size = strlen(suffix);
    return text.size >= size && memcmp(text.data + text.size - size, suffix, size) == 0;
}

static void add_file(struct ox_sha256 *hash, struct ox_text path, const struct ox_payload *data)
{
    const uint64_t facts[] = {data->size, data->stored, data->codec, data->check};
    ox_sha256_add(hash, path.data, path.size + 1);
    ox_sha256_add(hash, facts, sizeof facts);
}

static bool is_native(const struct ox_node *row, struct ox_text path)
{
    uint32_t module = row->module;
    return (row->flags & OX_EXECUTABLE) != 0 || has_suffix(path, ".so") || has_suffix(path, ".dylib")
        || (module < ox.blob.module_count && (ox.blob.modules[module].flags & OX_EXTENSION) != 0);
}

static void write_digits(struct ox_sha256 *hash, char digits[OX_CACHE_KEY + 1])
{
    uint8_t digest[32];
    ox_sha256_finish(hash, digest);
    for (unsigned i = 0; i < OX_CACHE_KEY; i++) {
        digits[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
    }
    digits[OX_CACHE_KEY] = '\0';
}

/* The digits of the digest of which native files there are. Sums of what is in them will do: what a file is must be told
 * apart, and each is compared anyway. */
static const char *key(void)
{
    static _Atomic bool known;
    static char digits[OX_CACHE_KEY + 1];
    if (!atomic_load(&known)) {
        struct ox_sha256 hash;
        struct ox_text path;
        ox_sha256_start(&hash);
        for (uint32_t i = 0; i < ox.blob.node_count; i++) {
            const struct ox_node *row = &ox.blob.nodes[i];
            if (row->kind == OX_FILE && ox_blob_text(&ox.blob, row->path, &path) && is_native(row, path)) {
                add_file(&hash, path, &row->data);
            }
        }
        for (uint32_t i = 0; i < ox.blob.library_count; i++) {
            uint32_t node = ox.blob.libraries[i].node;
            if (node < ox.blob.node_count && ox_blob_text(&ox.blob, ox.blob.nodes[node].path, &path)) {
                add_file(&hash, path, &ox.blob.nodes[node].data);
            }
        }
        write_digits(&hash, digits); /* the same in every thread */
        atomic_store(&known, true);
    }
    return digits;
}

static bool is_library(uint32_t node)
{
    uint32_t i = 0;
    while (i < ox.blob.library_count && ox.blob.libraries[i].node != node) {
        i++;
    }
    return i < ox.blob.library_count;
}

/* The key that is for this node. False with errno. */
static bool take_key(uint32_t node, char digits[OX_CACHE_KEY + 1])
{
    struct ox_sha256 hash;
    struct ox_text path;
    bool native = node == OX_NONE || is_library(node);
    errno = EIO;
    if (!native && !ox_vfs_path(node, &path)) {
        return false;
    }
    if (native || is_native(&ox.blob.nodes[node], path)) {
        memcpy(digits, key(), OX_CACHE_KEY + 1);
        return true;
    }
    const struct ox_payload *data = &ox.blob.nodes[node].data;
    const uint8_t *stored = ox_payload_open(&ox.blob, data);
    if (stored == NULL) {
        return false;
    }
    ox_sha256_start(&hash);
    add_file(&hash, path, data);
    ox_sha256_add(&hash, stored, data->stored);
    write_digits(&hash, digits);
    return true;
}

bool ox_cache_has(const char *path)
{
    const char *found = strstr(path, key());
    return found != NULL && found != path && found[-1] == '/' && found[OX_CACHE_KEY] == '/';
}

static bool join(char *path, const char *more)
{
    size_t size = strlen(path);
    size_t length = strlen(more);
    if (length >= OX_PATH_MAX - size) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path + size, more, length + 1);
    return true;
}

static bool is_own(const struct stat *status)
{
    return status->st_uid == geteuid() || status->st_uid == 0;
}

/* Whether nobody but this user and root can put something else in its place, or into it. */
static bool is_private(const char *folder)
{
    struct stat status;
    if (lstat(folder, &status) != 0) {
        return false;
    }
    bool good = S_ISDIR(status.st_mode) && is_own(&status)
        && ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (status.st_mode & S_ISVTX) != 0);
    errno = good ? errno : EPERM;
    return good;
}

/* Makes the folder, and those above it that are missing. */
static bool make_folder(char *folder)
{
    if (mkdir(folder, 0700) == 0 || errno == EEXIST) {
        return true;
    }
    char *slash = strrchr(folder, '/');
    if (errno != ENOENT || slash == NULL || slash == folder) {
        return false;
    }
    *slash = '\0';
    bool made = make_folder(folder);
    *slash = '/';
    return made && (mkdir(folder, 0700) == 0 || errno == EEXIST);
}

/* The system's folder for the user's caches, with a slash behind it; empty: none. */
static char user_folder[OX_PATH_MAX];

void ox_cache_ready(void)
{
    static _Atomic bool known;
    if (!atomic_load(&known)) {
        char folder[OX_PATH_MAX];
        size_t size = confstr(_CS_DARWIN_USER_CACHE_DIR, folder, sizeof folder);
        if (size > 1 && size <= sizeof folder) {
            memcpy(user_folder, folder, size); /* the same in every thread */
        }
        atomic_store(&known, true);
    }
}

/* Candidates for the folder above KEY, the best first. False when there is none of this number. What the user's home is has
 * to be his own: of another one's, whose name stayed in the environment, nothing should be root's. */
static bool take_root(unsigned number, char root[OX_PATH_MAX])
{
    const char *given = getenv("OXCROSS_CACHE");
    const char *home = getenv("HOME");
    struct stat status;
    root[0] = '\0';
    if (given != NULL && given[0] != '\0') {
        return number == 0 && join(root, given);
    }
    if (number == 0) {
        return home != NULL && home[0] == '/' && stat(home, &status) == 0 && status.st_uid == geteuid()
            && join(root, home) && join(root, "/Library/Caches/oxcross");
    }
    if (atomic_load(&ox.working.process) == getpid()) { /* else its parent did it */
        ox_cache_ready();
    }
    return user_folder[0] != '\0' && join(root, user_folder) && join(root, "oxcross");
}

bool ox_cache_open(struct ox_cache *cache, uint32_t node)
{
    char root[OX_PATH_MAX];
    char digits[OX_CACHE_KEY + 1];
    cache->path[0] = '\0';
    if (!take_key(node, digits)) {
        return false;
    }
    errno = ENOENT;
    for (unsigned number = 0; number < 2; number++) {
        if (!take_root(number, root)) {
            continue;
        }
        memcpy(cache->path, root, strlen(root) + 1);
        if (make_folder(root) && realpath(root, cache->path) != NULL && is_private(cache->path) && join(cache->path, "/")
            && join(cache->path, digits) && make_folder(cache->path) && is_private(cache->path)) {
            cache->size = strlen(cache->path);
            return true;
        }
    }
    return false;
}

bool ox_cache_name(struct ox_cache *cache, uint32_t node)
{
    struct ox_text path;
    cache->path[cache->size] = '\0';
    if (!ox_vfs_path(node, &path)) {
        errno = EIO;
        return false;
    }
    return join(cache->path, "/") && join(cache->path, path.data);
}

static bool is_equal(int fd, const struct ox_bytes *bytes)
{
    uint8_t buffer[BUFFER_SIZE];
    for (uint64_t done = 0; done < bytes->size;) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || (uint64_t)got > bytes->size - done || memcmp(buffer, bytes->data + done, (size_t)got) != 0) {
            return false;
        }
        done += (uint64_t)got;
    }
    return true;
}

/* Whether the file is there, has these bytes, and can be changed by this user only. */
static bool is_good(const char *path, mode_t mode, const struct ox_bytes *bytes)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool good = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 07777) == mode
        && is_own(&status) && (uint64_t)status.st_size == bytes->size && is_equal(fd, bytes);
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Puts the file there: whole, or not at all. One that a process has loaded stays what it was, without a name. */
static bool write_beside(const char *path, mode_t mode, const struct ox_bytes *bytes)
{
    static _Atomic unsigned last;
    char fresh[OX_PATH_MAX];
    char number[32];
    snprintf(number, sizeof number, ".%x-%x.new", (unsigned)getpid(), (unsigned)atomic_fetch_add(&last, 1));
    fresh[0] = '\0';
    if (!join(fresh, path) || !join(fresh, number)) {
        return false;
    }
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        unlink(fresh); /* of a process that was killed, and had the same number */
        fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (fd < 0) {
        return false;
    }
    bool good = ox_bytes_write(fd, bytes->data, bytes->size) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good && rename(fresh, path) == 0) {
        return true;
    }
    error = good ? errno : error;
    unlink(fresh);
    errno = error;
    return false;
}

bool ox_cache_put(const struct ox_cache *cache, uint32_t node, const struct ox_bytes *bytes)
{
    const mode_t mode = ox.blob.nodes[node].flags & OX_EXECUTABLE ? 0755 : 0644;
    char folder[OX_PATH_MAX];
    memcpy(folder, cache->path, sizeof folder);
    *strrchr(folder, '/') = '\0';
    errno = EIO;
    /* Another process may do the same at this moment. */
    for (unsigned i = 0; i < TRIES; i++) {
        if (is_good(cache->path, mode, bytes)) {
            return true;
        }
        if (!make_folder(folder) || !write_beside(cache->path, mode, bytes)) {
            break;
        }
    }
    int error = errno;
    bool good = is_good(cache->path, mode, bytes);
    errno = error;
    return good;
}
