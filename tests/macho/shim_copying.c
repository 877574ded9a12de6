/* Copies of files, sendfile, extended attributes (of which no file has any). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

enum {
    COPYFILE_STAT = 1 << 1,
    COPYFILE_DATA = 1 << 3,
    COPYFILE_EXCL = 1 << 17,
    COPYFILE_UNLINK = 1 << 21,
    COPYFILE_CLONE_FORCE = 1 << 25,
};

static int copy_data(int from, int to)
{
    char buffer[65536];
    ssize_t size;
    while ((size = read(from, buffer, sizeof buffer)) > 0) {
        for (ssize_t done = 0; done < size;) {
            ssize_t written = write(to, buffer + done, (size_t)(size - done));
            if (written < 0) {
                return -1;
            }
            done += written;
        }
    }
    return size < 0 ? -1 : 0;
}

static int copy_status(int from, int to)
{
    struct stat status;
    if (fstat(from, &status) || fchmod(to, status.st_mode & 07777)) {
        return -1;
    }
    struct timespec times[] = {status.st_atim, status.st_mtim};
    return futimens(to, times);
}

static int darwin_fcopyfile(int from, int to, void *state, unsigned flags)
{
    (void)state;
    if (flags & COPYFILE_DATA && copy_data(from, to)) {
        return -1;
    }
    return flags & COPYFILE_STAT ? copy_status(from, to) : 0;
}

static int darwin_copyfile(const char *from_path, const char *to_path, void *state, unsigned flags)
{
    if (flags & COPYFILE_CLONE_FORCE) {
        return refuse(ENOTSUP);
    }
    if (flags & COPYFILE_UNLINK) {
        unlink(to_path);
    }
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return -1;
    }
    int kind = flags & COPYFILE_EXCL ? O_EXCL : flags & COPYFILE_DATA ? O_TRUNC : 0;
    int to = open(to_path, O_WRONLY | O_CREAT | O_CLOEXEC | kind, 0666);
    int result = to < 0 ? -1 : darwin_fcopyfile(from, to, state, flags);
    int saved = errno;
    close(from);
    if (to >= 0) {
        close(to);
    }
    errno = saved;
    return result;
}

static void *darwin_copyfile_state_alloc(void)
{
    return calloc(1, 16);
}

static int darwin_copyfile_state_free(void *state)
{
    free(state);
    return 0;
}

static int darwin_unsupported(void)
{
    return refuse(ENOTSUP);
}

struct sf_hdtr {
    struct iovec *headers;
    int header_count;
    struct iovec *trailers;
    int trailer_count;
};

static ssize_t send_vectors(int socket, const struct iovec *vectors, int count, int64_t *sent)
{
    ssize_t size = vectors && count ? writev(socket, vectors, count) : 0;
    *sent += size > 0 ? size : 0;
    return size;
}

/* *length: how much of headers and file, 0 for all; afterwards how much was sent, even when it failed. */
static int darwin_sendfile(int file, int socket, int64_t offset, int64_t *length, const struct sf_hdtr *around, int flags)
{
    int64_t wanted = *length;
    int64_t sent = 0;
    struct stat status;
    *length = 0;
    if (flags) {
        return refuse(EINVAL);
    }
    if (fstat(socket, &status) == 0 && !S_ISSOCK(status.st_mode)) {
        return refuse(ENOTSOCK);
    }
    if (fstat(file, &status) || !S_ISREG(status.st_mode)) {
        return refuse(ENOTSUP);
    }
    if (around && send_vectors(socket, around->headers, around->header_count, &sent) < 0) {
        return -1;
    }
    int64_t left = status.st_size > offset ? status.st_size - offset : 0;
    left = wanted && wanted - sent < left ? wanted - sent : left;
    while (left > 0) {
        ssize_t size = sendfile(socket, file, &offset, (size_t)left);
        if (size <= 0) {
            *length = sent;
            return size ? -1 : 0;
        }
        sent += size;
        left -= size;
    }
    ssize_t last = around ? send_vectors(socket, around->trailers, around->trailer_count, &sent) : 0;
    *length = sent;
    return last < 0 ? -1 : 0;
}

static const struct symbol copying_symbols[] = {
    SHIM(fcopyfile),
    SHIM(copyfile),
    SHIM(copyfile_state_alloc),
    SHIM(copyfile_state_free),
    SHIM_AS("_clonefile", unsupported),
    SHIM_AS("_clonefileat", unsupported),
    SHIM_AS("_fclonefileat", unsupported),
    SHIM_AS("_getxattr", unsupported),
    SHIM_AS("_fgetxattr", unsupported),
    SHIM_AS("_setxattr", unsupported),
    SHIM_AS("_fsetxattr", unsupported),
    SHIM_AS("_listxattr", unsupported),
    SHIM_AS("_flistxattr", unsupported),
    SHIM_AS("_removexattr", unsupported),
    SHIM_AS("_fremovexattr", unsupported),
    SHIM(sendfile),
};

SYMBOL_TABLE(copying);
