/* Numbers of sockets that several units translate. */
#ifndef MACHO_SOCKETS_DARWIN_H
#define MACHO_SOCKETS_DARWIN_H

#include <stdbool.h>

enum {
    DARWIN_SOL_SOCKET = 0xffff,
};

/* shim_sockets.c */
int message_flags_from(int darwin);
int message_flags_to(int native);

/* shim_socket_options.c: 0, or -1 with errno. */
int socket_option_from(int level, int option, int *native_level, int *native_option);
bool socket_option_to(int native_level, int native_option, int *level, int *option);

#endif
