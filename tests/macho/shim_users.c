/* The password database: struct passwd has three more members. (struct group is the same.) */
#define _GNU_SOURCE
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

struct darwin_passwd {
    char *pw_name, *pw_passwd;
    uint32_t pw_uid, pw_gid;
    int64_t pw_change;
    char *pw_class, *pw_gecos, *pw_dir, *pw_shell;
    int64_t pw_expire;
};
_Static_assert(sizeof(struct darwin_passwd) == 72, "struct passwd");

static void passwd_to(const struct passwd *native, struct darwin_passwd *darwin)
{
    *darwin = (struct darwin_passwd){
        .pw_name = native->pw_name,
        .pw_passwd = native->pw_passwd,
        .pw_uid = native->pw_uid,
        .pw_gid = native->pw_gid,
        .pw_class = "",
        .pw_gecos = native->pw_gecos,
        .pw_dir = native->pw_dir,
        .pw_shell = native->pw_shell,
    };
}

static struct darwin_passwd *give(const struct passwd *native)
{
    static struct darwin_passwd result;
    if (!native) {
        return NULL;
    }
    passwd_to(native, &result);
    return &result;
}

static struct darwin_passwd *darwin_getpwnam(const char *name)
{
    return give(getpwnam(name));
}

static struct darwin_passwd *darwin_getpwuid(uint32_t user)
{
    return give(getpwuid(user));
}

static struct darwin_passwd *darwin_getpwent(void)
{
    return give(getpwent());
}

static int give_r(int error, struct passwd *native, struct darwin_passwd *entry, struct darwin_passwd **result)
{
    *result = NULL;
    if (!error && native) {
        passwd_to(native, entry);
        *result = entry;
    }
    return errno_to(error);
}

static int darwin_getpwnam_r(const char *name, struct darwin_passwd *entry, char *buffer, size_t size,
                             struct darwin_passwd **result)
{
    struct passwd native;
    struct passwd *found = NULL;
    int error = getpwnam_r(name, &native, buffer, size, &found);
    return give_r(error, found, entry, result);
}

static int darwin_getpwuid_r(uint32_t user, struct darwin_passwd *entry, char *buffer, size_t size,
                             struct darwin_passwd **result)
{
    struct passwd native;
    struct passwd *found = NULL;
    int error = getpwuid_r(user, &native, buffer, size, &found);
    return give_r(error, found, entry, result);
}

static const struct symbol users_symbols[] = {
    SHIM(getpwnam), SHIM(getpwuid), SHIM(getpwent), SHIM(getpwnam_r), SHIM(getpwuid_r),
};

SYMBOL_TABLE(users);
