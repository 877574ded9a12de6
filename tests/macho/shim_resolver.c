/* getaddrinfo and its older kin. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "darwin.h"
#include "system.h"

struct darwin_addrinfo {
    int32_t ai_flags, ai_family, ai_socktype, ai_protocol;
    uint32_t ai_addrlen;
    char *ai_canonname; /* before the address: the other way round on Linux */
    void *ai_addr;
    struct darwin_addrinfo *ai_next;
};
_Static_assert(sizeof(struct darwin_addrinfo) == 48, "struct addrinfo");

static const struct pair address_flags[] = {
    {0x1, AI_PASSIVE},      {0x2, AI_CANONNAME},  {0x4, AI_NUMERICHOST}, {0x1000, AI_NUMERICSERV},
    {0x400, AI_ADDRCONFIG}, {0x800, AI_V4MAPPED}, {0x200, AI_V4MAPPED},  {0x100, AI_ALL},
};

static const struct {
    int darwin, native;
    const char *text;
} failures[] = {
    {1, EAI_ADDRFAMILY, "Address family for hostname not supported"},
    {2, EAI_AGAIN, "Temporary failure in name resolution"},
    {3, EAI_BADFLAGS, "Invalid value for ai_flags"},
    {4, EAI_FAIL, "Non-recoverable failure in name resolution"},
    {5, EAI_FAMILY, "ai_family not supported"},
    {6, EAI_MEMORY, "Memory allocation failure"},
    {7, EAI_NODATA, "No address associated with hostname"},
    {8, EAI_NONAME, "nodename nor servname provided, or not known"},
    {9, EAI_SERVICE, "servname not supported for ai_socktype"},
    {10, EAI_SOCKTYPE, "ai_socktype not supported"},
    {11, EAI_SYSTEM, "System error returned in errno"},
    {12, 0, "Invalid value for hints"},
    {13, 0, "Resolved protocol is unknown"},
    {14, EAI_OVERFLOW, "Argument buffer overflow"},
};

enum {
    FAILURE_COUNT = sizeof failures / sizeof *failures,
    DARWIN_EAI_FAIL = 4,
    DARWIN_EAI_FAMILY = 5,
    DARWIN_EAI_MEMORY = 6,
};

static int failure_to(int native)
{
    for (size_t i = 0; native && i < FAILURE_COUNT; i++) {
        if (failures[i].native == native) {
            return failures[i].darwin;
        }
    }
    return native ? DARWIN_EAI_FAIL : 0;
}

static const char *darwin_gai_strerror(int error)
{
    return error > 0 && error <= FAILURE_COUNT ? failures[error - 1].text : error ? "Unknown error" : "Success";
}

static void darwin_freeaddrinfo(struct darwin_addrinfo *list)
{
    while (list) {
        struct darwin_addrinfo *next = list->ai_next;
        free(list->ai_canonname);
        free(list->ai_addr);
        free(list);
        list = next;
    }
}

static struct darwin_addrinfo *address_info_to(const struct addrinfo *native)
{
    struct sockaddr_storage address;
    struct darwin_addrinfo *darwin = calloc(1, sizeof *darwin);
    if (!darwin || native->ai_addrlen > sizeof address) {
        free(darwin);
        return NULL;
    }
    memcpy(&address, native->ai_addr, native->ai_addrlen);
    *darwin = (struct darwin_addrinfo){
        .ai_flags = (int32_t)bits_to(PAIRS(address_flags), (uint32_t)native->ai_flags),
        .ai_family = family_to(native->ai_family),
        .ai_socktype = native->ai_socktype,
        .ai_protocol = native->ai_protocol,
        .ai_addr = malloc(sizeof address),
    };
    if (native->ai_canonname) {
        darwin->ai_canonname = strdup(native->ai_canonname);
    }
    if (!darwin->ai_addr || (native->ai_canonname && !darwin->ai_canonname)) {
        darwin_freeaddrinfo(darwin);
        return NULL;
    }
    darwin->ai_addrlen = address_to(&address, native->ai_addrlen, darwin->ai_addr, sizeof address);
    return darwin;
}

static int darwin_getaddrinfo(const char *node, const char *service, const struct darwin_addrinfo *hints,
                              struct darwin_addrinfo **result)
{
    struct addrinfo native_hints = {0};
    struct addrinfo *found;
    if (hints) {
        native_hints.ai_flags = (int)bits_from(PAIRS(address_flags), (uint32_t)hints->ai_flags);
        native_hints.ai_family = family_from(hints->ai_family);
        native_hints.ai_socktype = hints->ai_socktype;
        native_hints.ai_protocol = hints->ai_protocol;
        if (native_hints.ai_family < 0) {
            return DARWIN_EAI_FAMILY;
        }
    }
    int error = getaddrinfo(node, service, hints ? &native_hints : NULL, &found);
    if (error) {
        return failure_to(error);
    }
    *result = NULL;
    struct darwin_addrinfo **end = result;
    for (const struct addrinfo *one = found; one && !error; one = one->ai_next) {
        *end = address_info_to(one);
        if (!*end) {
            error = DARWIN_EAI_MEMORY;
        } else {
            end = &(*end)->ai_next;
        }
    }
    freeaddrinfo(found);
    if (error) {
        darwin_freeaddrinfo(*result);
    }
    return error;
}

static int darwin_getnameinfo(const void *address, uint32_t length, char *host, uint32_t host_size, char *service,
                              uint32_t service_size, int flags)
{
    static const struct pair name_flags[] = {
        {0x1, NI_NOFQDN}, {0x2, NI_NUMERICHOST}, {0x4, NI_NAMEREQD}, {0x8, NI_NUMERICSERV}, {0x10, NI_DGRAM},
    };
    struct sockaddr_storage native;
    socklen_t size = address_from(address, length, &native);
    if (!size) {
        return DARWIN_EAI_FAMILY;
    }
    return failure_to(getnameinfo((struct sockaddr *)&native, size, host, host_size, service, service_size,
                                  (int)bits_from(PAIRS(name_flags), (uint32_t)flags)));
}

/* ---- gethostbyname: struct hostent is the same but for the family ---- */

static int darwin_h_errno;

static struct hostent *host_to(struct hostent *host)
{
    if (!host) {
        darwin_h_errno = h_errno;
    } else {
        host->h_addrtype = family_to(host->h_addrtype);
    }
    return host;
}

static struct hostent *darwin_gethostbyname(const char *name)
{
    return host_to(gethostbyname(name));
}

static struct hostent *darwin_gethostbyname2(const char *name, int family)
{
    return host_to(gethostbyname2(name, family_from(family)));
}

static struct hostent *darwin_gethostbyaddr(const void *address, uint32_t length, int family)
{
    return host_to(gethostbyaddr(address, length, family_from(family)));
}

/* inet_pton and inet_ntop take a family, too. */
extern int inet_pton(int family, const char *text, void *address);
extern const char *inet_ntop(int family, const void *address, char *text, socklen_t size);

static int darwin_inet_pton(int family, const char *text, void *address)
{
    return inet_pton(family_from(family), text, address);
}

static const char *darwin_inet_ntop(int family, const void *address, char *text, socklen_t size)
{
    return inet_ntop(family_from(family), address, text, size);
}

static const struct symbol resolver_symbols[] = {
    SHIM(getaddrinfo), SHIM(freeaddrinfo),  SHIM(gai_strerror),   SHIM(getnameinfo), SHIM(h_errno),
    SHIM(gethostbyname), SHIM(gethostbyname2), SHIM(gethostbyaddr), SHIM(inet_pton), SHIM(inet_ntop),
};

SYMBOL_TABLE(resolver);
