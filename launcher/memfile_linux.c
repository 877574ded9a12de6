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

#include "payload.h"
#include "real_linux.h"
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
#define OX_F_ADD_SEALS 1033
#define OX_ALL_SEALS 15 /* SEAL, SHRINK, GROW, WRITE */

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

static int memory_file(const char *name)
{
    int fd = (int)syscall(SYS_memfd_create, name, OX_MFD_ALLOW_SEALING | OX_MFD_CLOEXEC);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EACCES)) {
        fd = unnamed_file();
    }
    return fd;
}

static bool write_all(int fd, const uint8_t *data, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        ssize_t written = pwrite(fd, data + done, (size_t)(size - done), (off_t)done);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        done += written > 0 ? (uint64_t)written : 0;
    }
    return true;
}

/* Puts the payload's bytes into the file. */
static bool fill(struct ox_memfile *file, const struct ox_payload *payload)
{
    const uint8_t *stored = ox_payload_open(&ox.blob, payload);
    if (stored == NULL) {
        errno = EIO;
        return false;
    }
    file->size = payload->size;
    if (payload->codec == OX_RAW) {
        file->data = stored;
        return write_all(file->fd, stored, payload->size);
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
    bool decoded = ox_payload_decode(&ox.blob, payload, stored, memory);
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

int ox_memfile_make(uint32_t node, struct ox_memfile *file)
{
    struct ox_text name;
    memset(file, 0, sizeof *file);
    file->fd = -1;
    if (!ox_vfs_name(node, &name)) {
        errno = EIO;
        return -1;
    }
    char label[200]; /* memfd_create takes 249 bytes */
    snprintf(label, sizeof label, "%s", name.data);
    file->fd = memory_file(label);
    if (file->fd < 0) {
        return -1;
    }
    const struct ox_node *row = &ox.blob.nodes[node];
    if (row->kind == OX_FILE && !fill(file, &row->data)) {
        int error = errno;
        close(file->fd);
        errno = error;
        return file->fd = -1;
    }
    /* What tells fstat which node this is (vfs_stat_linux.c). */
    const struct timespec time = {.tv_sec = ox.mount.modified, .tv_nsec = (long)node};
    const struct timespec times[2] = {time, time};
    syscall(SYS_fchmod, file->fd, S_ISVTX | (row->flags & OX_EXECUTABLE ? 0755 : 0644));
    syscall(SYS_utimensat, file->fd, NULL, times, 0);
    atomic_store(&ox.opened, true);
    fcntl(file->fd, OX_F_ADD_SEALS, OX_ALL_SEALS);
    return file->fd;
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
    struct ox_memfile file;
    if (ox_memfile_make(node, &file) < 0) {
        return -1;
    }
    ox_memfile_unmap(&file);
    /* Opened again, the descriptor is for reading only (mmap with MAP_SHARED asks for that). Without /proc the
     * sealed one must do. */
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file.fd);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK)));
    if (fd >= 0) {
        close(file.fd);
        return fd;
    }
    if ((flags & O_CLOEXEC) == 0) {
        fcntl(file.fd, F_SETFD, 0);
    }
    return file.fd;
}
