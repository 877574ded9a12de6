/* Sockets: addresses, options, messages, name resolution, select and poll. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

static void inet(int family, const void *address, socklen_t length)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int on = 1;
    int listener = socket(family, SOCK_STREAM, 0);
    CHECK(listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    CHECK(bind(listener, address, length) == 0 && listen(listener, 5) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
    CHECK(name.ss_family == family && name.ss_len == size && size == length);
    int client = socket(family, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&name, size) == 0);
    struct sockaddr_storage peer;
    size = sizeof peer;
    int server = accept(listener, (struct sockaddr *)&peer, &size);
    CHECK(server >= 0 && peer.ss_family == family && peer.ss_len == length);
    CHECK(send(client, "hello", 5, 0) == 5);
    struct pollfd polled = {.fd = server, .events = POLLIN | POLLWRNORM | POLLRDNORM};
    CHECK(poll(&polled, 1, 1000) == 1 && polled.revents == (POLLIN | POLLRDNORM | POLLOUT));
    char buffer[16];
    int waiting;
    CHECK(ioctl(server, FIONREAD, &waiting) == 0 && waiting == 5);
    CHECK(recv(server, buffer, 2, MSG_WAITALL) == 2 && recv(server, buffer, 16, MSG_DONTWAIT) == 3);
    CHECK(recv(server, buffer, 16, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(server, &set);
    struct timeval wait = {0, 1000};
    CHECK(select(server + 1, &set, NULL, NULL, &wait) == 0);
    CHECK(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    CHECK(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0);
    CHECK(setsockopt(client, IPPROTO_TCP, TCP_KEEPALIVE, &(int){30}, sizeof on) == 0);
    struct timeval timeout = {1, 500000};
    socklen_t timeout_size = sizeof timeout;
    CHECK(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
    memset(&timeout, 0, sizeof timeout);
    CHECK(getsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &timeout, &timeout_size) == 0 && timeout.tv_sec == 1);
    CHECK(getsockopt(client, SOL_SOCKET, 0x7777, &on, &timeout_size) == -1 && errno == ENOPROTOOPT);
    CHECK(shutdown(client, SHUT_WR) == 0 && recv(server, buffer, 16, 0) == 0);
    close(client);
    close(server);
    close(listener);
}

static void refused(void)
{
    struct sockaddr_in name = {.sin_len = sizeof name, .sin_family = AF_INET};
    socklen_t size = sizeof name;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int bound = socket(AF_INET, SOCK_STREAM, 0); /* not listening: nobody can connect */
    CHECK(bind(bound, (struct sockaddr *)&name, size) == 0);
    CHECK(getsockname(bound, (struct sockaddr *)&name, &size) == 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&name, size) == -1 && errno == ECONNREFUSED); /* 61 */
    close(client);
    client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fcntl(client, F_SETFL, O_NONBLOCK) == 0);
    int result = connect(client, (struct sockaddr *)&name, size);
    CHECK(result == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED));
    if (errno == EINPROGRESS) {
        struct pollfd polled = {.fd = client, .events = POLLOUT};
        int error = 0;
        socklen_t length = sizeof error;
        CHECK(poll(&polled, 1, 1000) == 1);
        CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ECONNREFUSED);
    }
    CHECK(socket(AF_SYSTEM, SOCK_DGRAM, 2) == -1 && errno == EAFNOSUPPORT);
    close(client);
    close(bound);
}

static void local(void)
{
    struct sockaddr_un name = {.sun_len = sizeof name, .sun_family = AF_UNIX, .sun_path = "socket"};
    struct sockaddr_un got;
    socklen_t size = sizeof got;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&got, &size) == 0 && strcmp(got.sun_path, "socket") == 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
    int server = accept(listener, NULL, NULL);
    CHECK(server >= 0);
    uid_t user;
    gid_t group;
    CHECK(getpeereid(server, &user, &group) == 0 && user == getuid());
    close(client);
    close(server);
    close(listener);
}

static void messages(void)
{
    int pair[2];
    int pipes[2];
    char control[CMSG_SPACE(sizeof(int))];
    char byte = 'x';
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(pipes) == 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_len = CMSG_LEN(sizeof(int));
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(header), &pipes[1], sizeof(int));
    CHECK(sendmsg(pair[0], &message, 0) == 1);
    memset(control, 0, sizeof control);
    message.msg_controllen = sizeof control;
    CHECK(recvmsg(pair[1], &message, 0) == 1 && message.msg_flags == 0);
    header = CMSG_FIRSTHDR(&message);
    CHECK(header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS);
    CHECK(header->cmsg_len == CMSG_LEN(sizeof(int)) && !CMSG_NXTHDR(&message, header));
    int received;
    memcpy(&received, CMSG_DATA(header), sizeof received);
    CHECK(received > pipes[1] && write(received, "y", 1) == 1 && read(pipes[0], &byte, 1) == 1 && byte == 'y');
}

static void names(void)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    CHECK(getaddrinfo("::1", "80", &hints, &found) == 0);
    CHECK(found->ai_family == AF_INET6 && found->ai_addrlen == sizeof(struct sockaddr_in6) && !found->ai_next);
    CHECK(found->ai_addr->sa_len == sizeof(struct sockaddr_in6) && found->ai_addr->sa_family == AF_INET6);
    char host[64];
    char service[16];
    CHECK(getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, service, sizeof service,
                      NI_NUMERICHOST | NI_NUMERICSERV) == 0);
    CHECK(strcmp(host, "::1") == 0 && strcmp(service, "80") == 0);
    freeaddrinfo(found);
    CHECK(getaddrinfo("not a number", "80", &hints, &found) == EAI_NONAME);
    CHECK(strcmp(gai_strerror(EAI_NONAME), "nodename nor servname provided, or not known") == 0);
    struct in6_addr address;
    CHECK(inet_pton(AF_INET6, "::1", &address) == 1 && inet_ntop(AF_INET6, &address, host, sizeof host));
    CHECK(memcmp(&address, &in6addr_loopback, sizeof address) == 0);
    CHECK(gethostbyname("127.0.0.1")->h_addrtype == AF_INET);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2 && chdir(argv[1]) == 0);
    struct sockaddr_in four = {.sin_len = sizeof four, .sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_len = sizeof six, .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    inet(AF_INET, &four, sizeof four);
    int probe = socket(AF_INET6, SOCK_STREAM, 0); /* a machine may have no IPv6 */
    if (probe >= 0 && bind(probe, (struct sockaddr *)&six, sizeof six) == 0) {
        inet(AF_INET6, &six, sizeof six);
    }
    refused();
    local();
    messages();
    names();
    puts("ok");
    return 0;
}
