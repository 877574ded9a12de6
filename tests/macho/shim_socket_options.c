/* setsockopt and getsockopt: other numbers, and values that differ (times, lingering, errors, sizes of buffers). */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "darwin.h"
#include "sockets_darwin.h"
#include "system.h"

static const struct pair socket_options[] = {
    {0x0001, SO_DEBUG},    {0x0002, SO_ACCEPTCONN}, {0x0004, SO_REUSEADDR}, {0x0008, SO_KEEPALIVE},
    {0x0010, SO_DONTROUTE}, {0x0020, SO_BROADCAST}, {0x0080, SO_LINGER},    {0x0100, SO_OOBINLINE},
    {0x0200, SO_REUSEPORT}, {0x0400, SO_TIMESTAMP}, {0x1001, SO_SNDBUF},    {0x1002, SO_RCVBUF},
    {0x1003, SO_SNDLOWAT}, {0x1004, SO_RCVLOWAT},   {0x1005, SO_SNDTIMEO},  {0x1006, SO_RCVTIMEO},
    {0x1007, SO_ERROR},    {0x1008, SO_TYPE},       {0x1080, SO_LINGER},
};

static const struct pair ip_options[] = {
    {1, IP_OPTIONS},       {2, IP_HDRINCL},         {3, IP_TOS},            {4, IP_TTL},
    {5, IP_RECVOPTS},      {6, IP_RETOPTS},         {8, IP_RETOPTS},        {9, IP_MULTICAST_IF},
    {10, IP_MULTICAST_TTL}, {11, IP_MULTICAST_LOOP}, {12, IP_ADD_MEMBERSHIP}, {13, IP_DROP_MEMBERSHIP},
    {24, IP_RECVTTL},      {26, IP_PKTINFO},        {27, IP_RECVTOS},       {70, IP_ADD_SOURCE_MEMBERSHIP},
    {71, IP_DROP_SOURCE_MEMBERSHIP},
};

static const struct pair ipv6_options[] = {
    {4, IPV6_UNICAST_HOPS}, {9, IPV6_MULTICAST_IF}, {10, IPV6_MULTICAST_HOPS}, {11, IPV6_MULTICAST_LOOP},
    {12, IPV6_JOIN_GROUP},  {13, IPV6_LEAVE_GROUP}, {26, IPV6_CHECKSUM},       {27, IPV6_V6ONLY},
    {35, IPV6_RECVTCLASS},  {36, IPV6_TCLASS},      {37, IPV6_RECVHOPLIMIT},   {46, IPV6_PKTINFO},
    {47, IPV6_HOPLIMIT},    {61, IPV6_RECVPKTINFO}, {62, IPV6_DONTFRAG},
};

static const struct pair tcp_options[] = {
    {0x01, TCP_NODELAY},   {0x02, TCP_MAXSEG},   {0x04, TCP_CORK},     {0x10, TCP_KEEPIDLE},
    {0x101, TCP_KEEPINTVL}, {0x102, TCP_KEEPCNT}, {0x105, TCP_FASTOPEN}, {0x201, TCP_NOTSENT_LOWAT},
};

static const struct {
    int darwin, native;
    const struct pair *options;
    size_t count;
} option_levels[] = {
    {DARWIN_SOL_SOCKET, SOL_SOCKET, PAIRS(socket_options)},
    {IPPROTO_IP, IPPROTO_IP, PAIRS(ip_options)},
    {IPPROTO_IPV6, IPPROTO_IPV6, PAIRS(ipv6_options)},
    {IPPROTO_TCP, IPPROTO_TCP, PAIRS(tcp_options)},
};

int socket_option_from(int level, int option, int *native_level, int *native_option)
{
    for (size_t i = 0; i < sizeof option_levels / sizeof *option_levels; i++) {
        if (option_levels[i].darwin == level) {
            *native_level = option_levels[i].native;
            *native_option = (int)pair_from(option_levels[i].options, option_levels[i].count, option);
            return *native_option < 0 ? refuse(ENOPROTOOPT) : 0;
        }
    }
    return refuse(EINVAL);
}

bool socket_option_to(int native_level, int native_option, int *level, int *option)
{
    for (size_t i = 0; i < sizeof option_levels / sizeof *option_levels; i++) {
        if (option_levels[i].native == native_level) {
            int64_t found = pair_to(option_levels[i].options, option_levels[i].count, native_option);
            *level = option_levels[i].darwin;
            *option = found < 0 ? native_option : (int)found;
            return found >= 0;
        }
    }
    return false;
}

enum {
    DARWIN_SO_LINGER = 0x80, /* in ticks of a hundredth of a second; SO_LINGER_SEC in seconds */
    DARWIN_SO_NREAD = 0x1020,
    DARWIN_SO_NWRITE = 0x1024,
};

static bool is_timeout(int level, int option)
{
    return level == SOL_SOCKET && (option == SO_SNDTIMEO || option == SO_RCVTIMEO);
}

static int darwin_setsockopt(int fd, int level, int option, const void *value, uint32_t length)
{
    int native_level;
    int native_option;
    if (socket_option_from(level, option, &native_level, &native_option)) {
        return -1;
    }
    if (is_timeout(native_level, native_option)) {
        if (length < sizeof(struct darwin_timeval)) {
            return refuse(EINVAL);
        }
        struct timeval native = timeval_from(value);
        return setsockopt(fd, native_level, native_option, &native, sizeof native);
    }
    if (level == DARWIN_SOL_SOCKET && option == DARWIN_SO_LINGER && length >= sizeof(struct linger)) {
        struct linger linger = *(const struct linger *)value;
        linger.l_linger /= 100;
        return setsockopt(fd, native_level, native_option, &linger, sizeof linger);
    }
    return setsockopt(fd, native_level, native_option, value, length);
}

static int give_int(int result, int number, void *value, uint32_t *length)
{
    if (result == 0 && *length >= sizeof number) {
        memcpy(value, &number, sizeof number);
        *length = sizeof number;
    }
    return result;
}

static int darwin_getsockopt(int fd, int level, int option, void *value, uint32_t *length)
{
    int native_level;
    int native_option;
    int number = 0;
    if (level == DARWIN_SOL_SOCKET && option == DARWIN_SO_NREAD) {
        return give_int(ioctl(fd, FIONREAD, &number), number, value, length);
    }
    if (level == DARWIN_SOL_SOCKET && option == DARWIN_SO_NWRITE) {
        return give_int(ioctl(fd, TIOCOUTQ, &number), number, value, length);
    }
    if (level == 0 && option == 1) { /* SOL_LOCAL, LOCAL_PEERCRED has the number of IPPROTO_IP, IP_OPTIONS */
        struct ucred peer;
        socklen_t size = sizeof peer;
        if (*length >= 76 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid) {
            struct {
                uint32_t version, uid;
                int16_t group_count;
                uint32_t groups[16];
            } xucred = {0, peer.uid, 1, {peer.gid}};
            _Static_assert(sizeof xucred == 76, "struct xucred");
            memcpy(value, &xucred, sizeof xucred);
            *length = sizeof xucred;
            return 0;
        }
    }
    if (socket_option_from(level, option, &native_level, &native_option)) {
        return -1;
    }
    if (is_timeout(native_level, native_option)) {
        struct timeval native;
        socklen_t size = sizeof native;
        int result = getsockopt(fd, native_level, native_option, &native, &size);
        if (result == 0 && *length >= sizeof(struct darwin_timeval)) {
            struct darwin_timeval darwin = timeval_to(&native);
            memcpy(value, &darwin, sizeof darwin);
            *length = sizeof darwin;
        }
        return result;
    }
    int result = getsockopt(fd, native_level, native_option, value, length);
    if (result == 0 && level == DARWIN_SOL_SOCKET && *length >= sizeof number) {
        int *answer = value;
        if (option == 0x1007) { /* SO_ERROR is an errno */
            *answer = errno_to(*answer);
        } else if (option == 0x1001 || option == 0x1002) { /* Linux doubles the sizes of buffers */
            *answer /= 2;
        } else if (option == DARWIN_SO_LINGER && *length >= sizeof(struct linger)) {
            ((struct linger *)value)->l_linger *= 100;
        }
    }
    return result;
}

static const struct symbol socket_options_symbols[] = {
    SHIM(setsockopt),
    SHIM(getsockopt),
};

SYMBOL_TABLE(socket_options);
