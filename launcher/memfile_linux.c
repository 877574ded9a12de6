#define _GNU_SOURCE 1
#include "memfile_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bytes_posix.h"
#include "payload.h"
#include "real_posix.h"
#include "vfs.h"

/* include/uapi/linux/memfd.h and fcntl.h, which the oldest libc headers lack. */
#ifndef SYS_memfd_create
#if defined(__x86_64__)
#define SYS_memfd_create 319
#elif defined(__aarch64__)
#define SYS_memfd_create 279
#endif
#endif
#define OX_MFD_CLOEXEC 1u
#define OX_MFD_ALLOW_SEALING 2u
#define OX_MFD_EXEC 16u
#define OX_F_ADD_SEALS 1033
#define OX_ALL_SEALS 15 /* SEAL, SHRINK, GROW, WRITE */

#define FIRST_INHERITED 100 /* shells write numbers of one digit, and use 10 and more for themselves */

/* Where the kernel has no memory files or a sandbox forbids them: a file without a name. */
static int unnamed_file(void)
{
#ifdef O_TMPFILE
    static const char *const folders[] = {"/dev/shm", "/tmp", "/var/tmp"};
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0) {
            return fd;
        }
    }
#endif
    errno = ENOSYS;
    return -1;
}

/* `program`: it will be run, which must be said where the sysctl vm.memfd_noexec is set (Linux 6.3). */
static int memory_file(const char *name, bool program)
{
    unsigned flags = OX_MFD_ALLOW_SEALING | OX_MFD_CLOEXEC;
    int fd = (int)syscall(SYS_memfd_create, name, flags | (program ? OX_MFD_EXEC : 0));
    if (fd < 0 && errno == EINVAL) {
        fd = (int)syscall(SYS_memfd_create, name, flags);
    }
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EACCES)) {
        fd = unnamed_file();
    }
    return fd;
}

/* Puts the payload's bytes into the file. `apart`: without a lock or an allocation. */
static bool fill(struct ox_memfile *file, const struct ox_payload *payload, bool apart)
{
    const uint8_t *stored = ox_payload_open(&ox.blob, payload);
    if (stored == NULL) {
        errno = EIO;
        return false;
    }
    file->size = payload->size;
    if (payload->codec == OX_RAW) {
        file->data = stored;
        return ox_bytes_write(file->fd, stored, payload->size);
    }
    if (payload->size == 0) {
        file->data = stored;
        return true;
    }
    if (ftruncate(file->fd, (off_t)payload->size) != 0) {
        return false;
    }
    void *memory = mmap(NULL, (size_t)payload->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    bool decoded = ox_bytes_decode(payload, stored, memory, apart);
    /* F_SEAL_WRITE is refused while a writable mapping is left, so it is made anew, for reading. */
    munmap(memory, (size_t)payload->size);
    if (!decoded) {
        errno = EIO;
        return false;
    }
    memory = mmap(NULL, (size_t)payload->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    file->data = memory;
    file->mapped = true;
    return true;
}

static int make(uint32_t node, struct ox_memfile *file, bool apart)
{
    struct ox_text name;
    memset(file, 0, sizeof *file);
    file->fd = -1;
    if (!ox_vfs_name(node, &name)) {
        errno = EIO;
        return -1;
    }
    char label[200]; /* memfd_create takes 249 bytes */
    size_t size = name.size < sizeof label ? name.size : sizeof label - 1;
    memcpy(label, name.data, size);
    label[size] = '\0';
    file->fd = memory_file(label, (ox.blob.nodes[node].flags & OX_EXECUTABLE) != 0);
    if (file->fd < 0) {
        return -1;
    }
    const struct ox_node *row = &ox.blob.nodes[node];
    if (row->kind == OX_FILE && !fill(file, &row->data, apart)) {
        int error = errno;
        close(file->fd);
        errno = error;
        return file->fd = -1;
    }
    return file->fd;
}

int ox_memfile_seal(int fd, uint32_t node)
{
    const struct ox_node *row = &ox.blob.nodes[node];
    /* What tells fstat which node this is (vfs_stat_posix.c). */
    const struct timespec time = {.tv_sec = ox.mount.modified, .tv_nsec = (long)node};
    const struct timespec times[2] = {time, time};
    syscall(SYS_fchmod, fd, OX_MARK | (row->flags & OX_EXECUTABLE ? 0755 : 0644));
    syscall(SYS_utimensat, fd, NULL, times, 0);
    atomic_store(&ox.opened, true);
    if (row->kind == OX_DIR) {
        atomic_store(&ox.directory_opened, true);
    }
    fcntl(fd, OX_F_ADD_SEALS, OX_ALL_SEALS);
    return fd;
}

int ox_memfile_make_unsealed(uint32_t node, struct ox_memfile *file)
{
    return make(node, file, false);
}

static int make_sealed(uint32_t node, bool apart)
{
    struct ox_memfile file;
    int fd = make(node, &file, apart);
    ox_memfile_unmap(&file);
    return fd < 0 ? fd : ox_memfile_seal(fd, node);
}

/* Gives a file a number that programs to come find it under, and closes fd. -1 with errno. */
static int renumber(int fd)
{
    int inherited = fcntl(fd, F_DUPFD, FIRST_INHERITED);
    if (inherited < 0) {
        inherited = fcntl(fd, F_DUPFD, 3); /* no such numbers are allowed */
    }
    int error = errno;
    close(fd);
    errno = error;
    return inherited;
}

int ox_memfile_inherit(uint32_t node)
{
    int fd = make_sealed(node, true);
    return fd < 0 ? fd : renumber(fd);
}

int ox_memfile_program(uint32_t node, char link[OX_MEMFILE_LINK])
{
    int fd = make_sealed(node, true);
    char start[2];
    if (fd >= 0 && pread(fd, start, sizeof start, 0) == sizeof start && memcmp(start, "#!", sizeof start) == 0) {
        fd = renumber(fd);
    }
    snprintf(link, OX_MEMFILE_LINK, OX_DESCRIPTOR_PATH "%d", fd);
    return fd;
}

void ox_memfile_unmap(struct ox_memfile *file)
{
    if (file->mapped) {
        munmap((void *)(uintptr_t)file->data, (size_t)file->size);
    }
    file->data = NULL;
    file->mapped = false;
}

int ox_memfile_open(uint32_t node, int flags)
{
    int sealed = make_sealed(node, false);
    if (sealed < 0) {
        return -1;
    }
    /* Opened again, the descriptor is for reading only (mmap with MAP_SHARED asks for that). Without /proc the
     * sealed one must do. */
    char path[32];
    snprintf(path, sizeof path, OX_DESCRIPTOR_PATH "%d", sealed);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK)));
    if (fd >= 0) {
        close(sealed);
        return fd;
    }
    if ((flags & O_CLOEXEC) == 0) {
        fcntl(sealed, F_SETFD, 0);
    }
    return sealed;
}
