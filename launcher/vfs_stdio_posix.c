/* fopen and freopen of virtual files. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "memfile.h"
#include "vfs_libc.h"

OX_INTERPOSE(FILE *, freopen, const char *path, const char *mode, FILE *stream);

/* A descriptor for a virtual file opened in this mode, or -1 with errno. */
static int open_in_mode(const struct ox_lookup *lookup, const char *mode)
{
    bool writes = mode[0] != 'r' || strchr(mode, '+') != NULL;
    if (lookup->place == OX_MISSING) {
        return ox_fail(lookup->in_folder && mode[0] != 'r' ? EROFS : lookup->error);
    }
    if (writes) {
        return ox_fail(ox.blob.nodes[lookup->node].kind == OX_DIR ? EISDIR : EROFS);
    }
    return ox_memfile_open(lookup->node, strchr(mode, 'e') != NULL ? O_CLOEXEC : 0);
}

FILE *ox_fopen(const char *path, const char *mode)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup) || lookup.place == OX_SELF) {
        return OX_REAL(fopen)(path, mode);
    }
    int fd = open_in_mode(&lookup, mode);
    if (fd < 0) {
        return NULL;
    }
    FILE *stream = fdopen(fd, mode);
    if (stream == NULL) {
        close(fd);
    }
    return stream;
}
OX_ALIAS(fopen, fopen64);

FILE *ox_freopen(const char *path, const char *mode, FILE *stream)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup) || lookup.place == OX_SELF) {
        return OX_REAL(freopen)(path, mode, stream);
    }
    int fd = open_in_mode(&lookup, mode);
    if (fd < 0) {
        fclose(stream);
        return NULL;
    }
    char name[32];
    snprintf(name, sizeof name, OX_DESCRIPTOR_PATH "%d", fd);
    stream = OX_REAL(freopen)(name, mode, stream);
    close(fd);
    return stream;
}
OX_ALIAS(freopen, freopen64);
