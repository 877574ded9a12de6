/* macOS 11 on x86_64: layouts and numbers that more than one shim needs, and their translation.
 * A function's name says the direction: "from" is macOS's to Linux's. */
#ifndef MACHO_DARWIN_H
#define MACHO_DARWIN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define DARWIN_RELEASE "20.6.0"
#define DARWIN_PRODUCT "11.7.10"
#define DARWIN_BUILD "20G1427"
#define DARWIN_PRODUCT_VERSION (11u << 16 | 7u << 8 | 10u)

/* A pair of numbers; tables of them are walked in either direction, the first row that fits wins. */
struct pair {
    int64_t darwin, native;
};

#define PAIRS(table) (table), sizeof(table) / sizeof *(table)
/* -1 where the table has none. */
int64_t pair_from(const struct pair *table, size_t count, int64_t darwin);
int64_t pair_to(const struct pair *table, size_t count, int64_t native);
/* Every bit that is set, by rows; bits that no row has are dropped. */
uint64_t bits_from(const struct pair *table, size_t count, uint64_t darwin);
uint64_t bits_to(const struct pair *table, size_t count, uint64_t native);

/* shim_errno.c */
int errno_from(int darwin);
int errno_to(int native);
/* Set errno for what macOS would refuse, too; -1. */
int refuse(int native_errno);

/* shim_files.c */
int folder_from(int fd); /* AT_FDCWD */
int open_flags_from(int darwin);
int at_flags_from(int darwin);
/* The path itself, or that of the file that stands for one of macOS's. */
const char *path_from(const char *darwin);

/* shim_signals.c */
int signal_from(int darwin); /* 0 where there is none */
int signal_to(int native);
uint32_t signal_set_to(const sigset_t *native);
void signal_set_from(uint32_t darwin, sigset_t *native);
/* What wait(2) returns as a status. */
int wait_status_to(int native);

/* shim_kqueue.c */
void kqueue_forget(int fd); /* before it is closed */

/* tv_usec is an int on macOS, with four bytes of anything behind it. */
struct darwin_timeval {
    int64_t tv_sec;
    int32_t tv_usec, padding;
};

static inline struct timeval timeval_from(const struct darwin_timeval *darwin)
{
    return (struct timeval){darwin->tv_sec, darwin->tv_usec};
}

static inline struct darwin_timeval timeval_to(const struct timeval *native)
{
    return (struct darwin_timeval){native->tv_sec, (int32_t)native->tv_usec, 0};
}

/* shim_sockets.c: addresses begin with their length, and AF_INET6 is another number. */
struct darwin_sockaddr {
    uint8_t sa_len, sa_family;
    char sa_data[14];
};

enum {
    DARWIN_AF_UNIX = 1,
    DARWIN_AF_INET = 2,
    DARWIN_AF_INET6 = 30,
    DARWIN_SUN_PATH = 104,
};

int family_from(int darwin);
int family_to(int native);
/* The native length, or 0 with errno set. */
socklen_t address_from(const void *darwin, uint32_t length, struct sockaddr_storage *native);
/* Into at most room bytes; what the whole address needs. */
uint32_t address_to(const struct sockaddr_storage *native, socklen_t length, void *darwin, uint32_t room);

/* shim_terminal.c */
struct darwin_termios {
    uint64_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_cc[20];
    uint64_t c_ispeed, c_ospeed;
};
int terminal_get(int fd, struct darwin_termios *darwin);
int terminal_set(int fd, int action, const struct darwin_termios *darwin);

#endif
