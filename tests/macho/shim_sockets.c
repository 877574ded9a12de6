/* Sockets: addresses with a length, other numbers for families and flags. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "darwin.h"
#include "sockets_darwin.h"
#include "system.h"

static const struct pair families[] = {
    {0, AF_UNSPEC}, {DARWIN_AF_UNIX, AF_UNIX}, {DARWIN_AF_INET, AF_INET}, {DARWIN_AF_INET6, AF_INET6},
};

int family_from(int darwin)
{
    return (int)pair_from(PAIRS(families), darwin);
}

int family_to(int native)
{
    return (int)pair_to(PAIRS(families), native);
}

socklen_t address_from(const void *darwin, uint32_t length, struct sockaddr_storage *native)
{
    const struct darwin_sockaddr *address = darwin;
    memset(native, 0, sizeof *native);
    if (length < 2 || length > sizeof *native) {
        refuse(EINVAL);
        return 0;
    }
    int family = family_from(address->sa_family);
    if (family < 0) {
        refuse(EAFNOSUPPORT);
        return 0;
    }
    memcpy(native, darwin, length);
    native->ss_family = (sa_family_t)family;
    if (family == AF_UNIX) {
        size_t room = length - 2;
        if (room > DARWIN_SUN_PATH) {
            refuse(EINVAL);
            return 0;
        }
        /* A path ends with the address or with its first zero; Linux would take a leading zero for an abstract name. */
        size_t used = strnlen(address->sa_data, room);
        if (!used) {
            refuse(ENOENT);
            return 0;
        }
        return (socklen_t)(2 + used + 1);
    }
    return length;
}

uint32_t address_to(const struct sockaddr_storage *native, socklen_t length, void *darwin, uint32_t room)
{
    struct sockaddr_storage copy = *native;
    struct darwin_sockaddr *address = (struct darwin_sockaddr *)&copy;
    int family = length >= 2 ? family_to(native->ss_family) : -1;
    if (family < 0) { /* no address: a stream of recvmsg, or an unnamed one */
        return 0;
    }
    if (family == DARWIN_AF_UNIX) {
        size_t used = length > 2 ? strnlen(((const struct sockaddr_un *)native)->sun_path, length - 2) : 0;
        memset(address->sa_data + used, 0, sizeof copy - 2 - used);
        length = used ? (socklen_t)(2 + used + 1) : 16;
    }
    address->sa_family = (uint8_t)family;
    address->sa_len = (uint8_t)length;
    if (darwin) {
        memcpy(darwin, &copy, length < room ? length : room);
    }
    return length;
}

/* The result of accept and its kin. */
static void give_address(const struct sockaddr_storage *native, socklen_t length, void *darwin, uint32_t *room)
{
    if (darwin && room) {
        *room = address_to(native, length, darwin, *room);
    }
}

static const struct pair message_flags[] = {
    {0x1, MSG_OOB},   {0x2, MSG_PEEK},   {0x4, MSG_DONTROUTE}, {0x8, MSG_EOR},          {0x10, MSG_TRUNC},
    {0x20, MSG_CTRUNC}, {0x40, MSG_WAITALL}, {0x80, MSG_DONTWAIT}, {0x80000, MSG_NOSIGNAL},
};

int message_flags_from(int darwin)
{
    return (int)bits_from(PAIRS(message_flags), (uint32_t)darwin);
}

int message_flags_to(int native)
{
    return (int)bits_to(PAIRS(message_flags), (uint32_t)native);
}

static int darwin_socket(int family, int type, int protocol)
{
    int native = family_from(family);
    return native < 0 ? refuse(EAFNOSUPPORT) : socket(native, type, protocol);
}

static int darwin_socketpair(int family, int type, int protocol, int fds[2])
{
    int native = family_from(family);
    return native < 0 ? refuse(EAFNOSUPPORT) : socketpair(native, type, protocol, fds);
}

static int darwin_bind(int fd, const void *address, uint32_t length)
{
    struct sockaddr_storage native;
    socklen_t size = address_from(address, length, &native);
    return size ? bind(fd, (struct sockaddr *)&native, size) : -1;
}

static int darwin_connect(int fd, const void *address, uint32_t length)
{
    struct sockaddr_storage native;
    socklen_t size = address_from(address, length, &native);
    if (!size) {
        return -1;
    }
    int result = connect(fd, (struct sockaddr *)&native, size);
    if (result && errno == EAGAIN && native.ss_family == AF_UNIX) {
        return refuse(ECONNREFUSED); /* a full backlog */
    }
    return result;
}

static int darwin_accept(int fd, void *address, uint32_t *length)
{
    struct sockaddr_storage native;
    socklen_t size = sizeof native;
    int flags = fcntl(fd, F_GETFL);
    int result = accept(fd, (struct sockaddr *)&native, &size);
    if (result >= 0) {
        give_address(&native, size, address, length);
        if (flags >= 0 && flags & O_NONBLOCK) { /* BSD's accept inherits it */
            fcntl(result, F_SETFL, O_NONBLOCK);
        }
    }
    return result;
}

static int darwin_getsockname(int fd, void *address, uint32_t *length)
{
    struct sockaddr_storage native;
    socklen_t size = sizeof native;
    int result = getsockname(fd, (struct sockaddr *)&native, &size);
    if (result == 0) {
        give_address(&native, size, address, length);
    }
    return result;
}

static int darwin_getpeername(int fd, void *address, uint32_t *length)
{
    struct sockaddr_storage native;
    socklen_t size = sizeof native;
    int result = getpeername(fd, (struct sockaddr *)&native, &size);
    if (result == 0) {
        give_address(&native, size, address, length);
    }
    return result;
}

static ssize_t darwin_send(int fd, const void *data, size_t size, int flags)
{
    return send(fd, data, size, message_flags_from(flags));
}

static ssize_t darwin_recv(int fd, void *data, size_t size, int flags)
{
    return recv(fd, data, size, message_flags_from(flags));
}

static ssize_t darwin_sendto(int fd, const void *data, size_t size, int flags, const void *address, uint32_t length)
{
    struct sockaddr_storage native;
    if (!address) {
        return darwin_send(fd, data, size, flags);
    }
    socklen_t native_size = address_from(address, length, &native);
    if (!native_size) {
        return -1;
    }
    return sendto(fd, data, size, message_flags_from(flags), (struct sockaddr *)&native, native_size);
}

static ssize_t darwin_recvfrom(int fd, void *data, size_t size, int flags, void *address, uint32_t *length)
{
    struct sockaddr_storage native;
    socklen_t native_size = sizeof native;
    ssize_t result = recvfrom(fd, data, size, message_flags_from(flags), (struct sockaddr *)&native, &native_size);
    if (result >= 0) {
        give_address(&native, native_size, address, length);
    }
    return result;
}

static int darwin_getpeereid(int fd, uint32_t *user, uint32_t *group)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    if (result == 0) {
        *user = peer.uid;
        *group = peer.gid;
    }
    return result;
}

static const struct symbol sockets_symbols[] = {
    SHIM(socket), SHIM(socketpair), SHIM(bind),   SHIM(connect),  SHIM(accept),     SHIM(getsockname), SHIM(getpeername),
    SHIM(send),   SHIM(recv),       SHIM(sendto), SHIM(recvfrom), SHIM(getpeereid),
};

SYMBOL_TABLE(sockets);
