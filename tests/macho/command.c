/* Command lines of other programs: a Mach-O file, or a script whose interpreter is one, is started through the loader. */
#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "format.h"

/* The first bytes of a file that may be executed; 0 when it cannot be read. */
static size_t read_head(const char *path, char *head, size_t size)
{
    int saved = errno;
    ssize_t length = -1;
    if (access(path, X_OK) == 0) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            length = read(fd, head, size);
            close(fd);
        }
    }
    errno = saved;
    return length < 0 ? 0 : (size_t)length;
}

static bool is_macho(const char *head, size_t length)
{
    uint32_t magic;
    if (length < sizeof magic) {
        return false;
    }
    memcpy(&magic, head, sizeof magic);
    return magic == MH_MAGIC_64 || magic == __builtin_bswap32(FAT_MAGIC) || magic == __builtin_bswap32(FAT_MAGIC_64);
}

static size_t add_loader(const struct loader *loader, char **argv, const char *argv0, const char *program)
{
    size_t count = 0;
    argv[count++] = (char *)loader->path;
    if (loader->trace) {
        argv[count++] = "--trace";
    }
    argv[count++] = "--argv0";
    argv[count++] = (char *)argv0;
    argv[count++] = (char *)program;
    return count;
}

/* "#!interpreter argument": the words, or false. Like macOS, and unlike Linux, several words are several arguments. */
static bool script_words(char *line, size_t length, char *words[3])
{
    size_t count = 0;
    size_t at = 2;
    while (at < length && count < 3) {
        while (at < length && (line[at] == ' ' || line[at] == '\t')) {
            at++;
        }
        if (at >= length || line[at] == '\n') {
            break;
        }
        words[count++] = line + at;
        while (at < length && !strchr(" \t\n", line[at])) {
            at++;
        }
        bool last = at >= length || line[at] == '\n';
        if (at < length) {
            line[at++] = '\0';
        }
        if (last) {
            break;
        }
    }
    return count > 0;
}

void command_for(const struct loader *loader, const char *path, char *const *argv, char head[COMMAND_HEAD],
                 struct command *command)
{
    size_t count = 0;
    size_t length = read_head(path, head, COMMAND_HEAD - 1);
    head[length] = '\0';
    command->path = path;
    command->macho = false;
    if (is_macho(head, length)) {
        count = add_loader(loader, command->argv, argv[0] ? argv[0] : path, path);
        command->path = loader->path;
        command->macho = true;
    } else if (length > 2 && head[0] == '#' && head[1] == '!' && strchr(head, '\n')) {
        char *words[3] = {0};
        char magic[4];
        if (script_words(head, length, words) && is_macho(magic, read_head(words[0], magic, sizeof magic))) {
            count = add_loader(loader, command->argv, words[0], words[0]);
            for (size_t i = 1; i < 3 && words[i]; i++) {
                command->argv[count++] = words[i];
            }
            command->argv[count++] = (char *)path;
            command->path = loader->path;
            command->macho = true;
        }
    }
    if (!command->macho) {
        command->argv[count++] = argv[0];
    }
    for (size_t i = 1; argv[0] && argv[i]; i++) {
        command->argv[count++] = argv[i];
    }
    command->argv[count] = NULL;
}

size_t command_words(char *const *words)
{
    size_t count = 0;
    while (words[count]) {
        count++;
    }
    return count;
}
