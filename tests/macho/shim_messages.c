/* sendmsg and recvmsg: another struct msghdr, control data with other headers and numbers. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "darwin.h"
#include "sockets_darwin.h"
#include "system.h"

struct darwin_msghdr {
    void *msg_name;
    uint32_t msg_namelen;
    struct iovec *msg_iov;
    int32_t msg_iovlen;
    void *msg_control;
    uint32_t msg_controllen;
    int32_t msg_flags;
};
_Static_assert(sizeof(struct darwin_msghdr) == 48, "struct msghdr");

/* Followed by its data, and padding to four bytes. */
struct darwin_cmsghdr {
    uint32_t cmsg_len;
    int32_t cmsg_level, cmsg_type;
};

enum {
    CONTROL_MAX = 16384,
};

static size_t align4(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

static const struct pair control_types[] = {{1, SCM_RIGHTS}, {2, SCM_TIMESTAMP}};

/* Control data of macOS into Linux's; false with errno when it does not fit or is damaged. */
static bool control_from(const struct darwin_msghdr *message, char *control, size_t *size)
{
    size_t at = 0;
    *size = 0;
    while (message->msg_control && at + sizeof(struct darwin_cmsghdr) <= message->msg_controllen) {
        struct darwin_cmsghdr header;
        memcpy(&header, (char *)message->msg_control + at, sizeof header);
        if (header.cmsg_len < sizeof header || header.cmsg_len > message->msg_controllen - at) {
            refuse(EINVAL);
            return false;
        }
        size_t data = header.cmsg_len - sizeof header;
        struct cmsghdr *native = (struct cmsghdr *)(control + *size);
        if (*size + CMSG_SPACE(data) > CONTROL_MAX) {
            refuse(ENOBUFS);
            return false;
        }
        memset(native, 0, CMSG_SPACE(data));
        native->cmsg_len = CMSG_LEN(data);
        if (header.cmsg_level == DARWIN_SOL_SOCKET) {
            native->cmsg_level = SOL_SOCKET;
            native->cmsg_type = (int)pair_from(PAIRS(control_types), header.cmsg_type);
        } else if (socket_option_from(header.cmsg_level, header.cmsg_type, &native->cmsg_level, &native->cmsg_type)) {
            return false;
        }
        memcpy(CMSG_DATA(native), (char *)message->msg_control + at + sizeof header, data);
        *size += CMSG_SPACE(data);
        at += align4(header.cmsg_len);
    }
    return true;
}

/* What the call received, into the caller's room; what does not fit is cut, descriptors of it are closed. */
static void control_to(const struct msghdr *native, struct darwin_msghdr *message)
{
    size_t room = message->msg_control ? message->msg_controllen : 0;
    size_t at = 0;
    for (struct cmsghdr *one = CMSG_FIRSTHDR(native); one; one = CMSG_NXTHDR((struct msghdr *)native, one)) {
        size_t data = one->cmsg_len - CMSG_LEN(0);
        struct darwin_cmsghdr header = {0, one->cmsg_level, one->cmsg_type};
        if (one->cmsg_level == SOL_SOCKET) {
            header.cmsg_level = DARWIN_SOL_SOCKET;
            header.cmsg_type = (int)pair_to(PAIRS(control_types), one->cmsg_type);
        } else {
            socket_option_to(one->cmsg_level, one->cmsg_type, &header.cmsg_level, &header.cmsg_type);
        }
        size_t fits = room > at + sizeof header ? room - at - sizeof header : 0;
        bool rights = one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_RIGHTS;
        size_t kept = data <= fits ? data : rights ? fits & ~(size_t)3 : 0;
        for (size_t i = kept; rights && i + sizeof(int) <= data; i += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(one) + i, sizeof fd);
            close(fd);
        }
        if (kept < data) {
            message->msg_flags |= 0x20; /* MSG_CTRUNC */
        }
        if (!kept && data) {
            continue;
        }
        header.cmsg_len = (uint32_t)(sizeof header + kept);
        memcpy((char *)message->msg_control + at, &header, sizeof header);
        memcpy((char *)message->msg_control + at + sizeof header, CMSG_DATA(one), kept);
        at += align4(header.cmsg_len);
    }
    message->msg_controllen = (uint32_t)(at < room ? at : room);
}

static ssize_t darwin_sendmsg(int fd, const struct darwin_msghdr *message, int flags)
{
    struct sockaddr_storage address;
    _Alignas(struct cmsghdr) char control[CONTROL_MAX];
    struct msghdr native = {.msg_iov = message->msg_iov, .msg_iovlen = (size_t)message->msg_iovlen};
    if (message->msg_name && message->msg_namelen) {
        native.msg_name = &address;
        native.msg_namelen = address_from(message->msg_name, message->msg_namelen, &address);
        if (!native.msg_namelen) {
            return -1;
        }
    }
    if (!control_from(message, control, &native.msg_controllen)) {
        return -1;
    }
    native.msg_control = native.msg_controllen ? control : NULL;
    return sendmsg(fd, &native, message_flags_from(flags));
}

static ssize_t darwin_recvmsg(int fd, struct darwin_msghdr *message, int flags)
{
    struct sockaddr_storage address;
    _Alignas(struct cmsghdr) char control[CONTROL_MAX];
    struct msghdr native = {
        .msg_name = &address,
        .msg_namelen = sizeof address,
        .msg_iov = message->msg_iov,
        .msg_iovlen = (size_t)message->msg_iovlen,
        .msg_control = message->msg_control && message->msg_controllen ? control : NULL,
        .msg_controllen = message->msg_control && message->msg_controllen ? sizeof control : 0,
    };
    ssize_t result = recvmsg(fd, &native, message_flags_from(flags));
    if (result < 0) {
        return result;
    }
    if (message->msg_name) {
        message->msg_namelen = address_to(&address, native.msg_namelen, message->msg_name, message->msg_namelen);
    } else {
        message->msg_namelen = 0;
    }
    message->msg_flags = message_flags_to(native.msg_flags);
    control_to(&native, message);
    return result;
}

static const struct symbol messages_symbols[] = {
    SHIM(sendmsg),
    SHIM(recvmsg),
};

SYMBOL_TABLE(messages);
