/* Streams. Inline code of macOS (getc_unlocked, putc_unlocked, feof_unlocked …) reads and writes the first fields of
 * FILE, so a stream here is an object with those fields, never with anything in its buffer, and glibc's stream behind. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "darwin.h"
#include "start.h"
#include "system.h"

enum {
    SRW = 0x10,
    SEOF = 0x20,
    SERR = 0x40,
};

struct darwin_file {
    unsigned char *_p;
    int _r, _w;
    short _flags, _file;
    struct {
        unsigned char *base;
        int size;
    } _bf;
    int _lbfsize;
    FILE *native; /* macOS's has a cookie here, and functions, which no inline code reads */
    char rest[96];
};
_Static_assert(sizeof(struct darwin_file) == 152 && offsetof(struct darwin_file, _lbfsize) == 40, "FILE");

static struct darwin_file streams[3];
static struct darwin_file *darwin___stdinp = &streams[0];
static struct darwin_file *darwin___stdoutp = &streams[1];
static struct darwin_file *darwin___stderrp = &streams[2];

/* After a call: nothing is in the buffer, and the flags say what glibc's stream says. */
static void update(struct darwin_file *file)
{
    file->_r = file->_w = 0;
    file->_flags = (short)(SRW | (feof(file->native) ? SEOF : 0) | (ferror(file->native) ? SERR : 0));
}

static struct darwin_file *wrap(FILE *native)
{
    struct darwin_file *file = native ? calloc(1, sizeof *file) : NULL;
    if (!file) {
        if (native) {
            fclose(native);
        }
        return NULL;
    }
    file->native = native;
    int saved = errno;
    file->_file = (short)fileno(native); /* -1 for one in memory */
    errno = saved;
    update(file);
    return file;
}

void start_shims(void)
{
    FILE *const natives[] = {stdin, stdout, stderr};
    for (short i = 0; i < 3; i++) {
        streams[i].native = natives[i];
        streams[i]._file = i;
        update(&streams[i]);
    }
}

/* ---- opening and closing ---- */

/* "x" and "e" are the same; glibc would take ",ccs=". */
static struct darwin_file *darwin_fopen(const char *path, const char *mode)
{
    return wrap(fopen(path_from(path), mode));
}

static struct darwin_file *darwin_fdopen(int fd, const char *mode)
{
    return wrap(fdopen(fd, mode));
}

static struct darwin_file *darwin_freopen(const char *path, const char *mode, struct darwin_file *file)
{
    FILE *native = freopen(path, mode, file->native);
    if (!native) {
        return NULL;
    }
    file->native = native;
    file->_file = (short)fileno(native);
    update(file);
    return file;
}

static struct darwin_file *darwin_tmpfile(void)
{
    return wrap(tmpfile());
}

static struct darwin_file *darwin_fmemopen(void *buffer, size_t size, const char *mode)
{
    return wrap(fmemopen(buffer, size, mode));
}

static struct darwin_file *darwin_open_memstream(char **buffer, size_t *size)
{
    return wrap(open_memstream(buffer, size));
}

static struct darwin_file *darwin_popen(const char *command, const char *mode)
{
    return wrap(popen(command, mode));
}

static int close_wrapped(struct darwin_file *file, int (*close)(FILE *))
{
    int result = close(file->native);
    if (file < streams || file >= streams + 3) {
        free(file);
    }
    return result;
}

static int darwin_fclose(struct darwin_file *file)
{
    if (file->_file >= 0) {
        kqueue_forget(file->_file);
    }
    return close_wrapped(file, fclose);
}

static int darwin_pclose(struct darwin_file *file)
{
    int status = close_wrapped(file, pclose);
    return status < 0 ? status : wait_status_to(status);
}

struct cookie {
    void *data;
    int (*read)(void *data, char *buffer, int size);
    int (*write)(void *data, const char *buffer, int size);
    int64_t (*seek)(void *data, int64_t offset, int whence);
    int (*close)(void *data);
};

static ssize_t cookie_read(void *data, char *buffer, size_t size)
{
    const struct cookie *cookie = data;
    return cookie->read(cookie->data, buffer, (int)size);
}

static ssize_t cookie_write(void *data, const char *buffer, size_t size)
{
    const struct cookie *cookie = data;
    int result = cookie->write(cookie->data, buffer, (int)size);
    return result < 0 ? 0 : result;
}

static int cookie_seek(void *data, off64_t *offset, int whence)
{
    const struct cookie *cookie = data;
    int64_t result = cookie->seek(cookie->data, *offset, whence);
    *offset = result;
    return result < 0 ? -1 : 0;
}

static int cookie_close(void *data)
{
    struct cookie *cookie = data;
    int result = cookie->close ? cookie->close(cookie->data) : 0;
    free(cookie);
    return result;
}

static struct darwin_file *darwin_funopen(void *data, int (*read)(void *, char *, int),
                                          int (*write)(void *, const char *, int),
                                          int64_t (*seek)(void *, int64_t, int), int (*close)(void *))
{
    struct cookie *cookie = malloc(sizeof *cookie);
    if (!cookie) {
        return NULL;
    }
    *cookie = (struct cookie){data, read, write, seek, close};
    cookie_io_functions_t functions = {
        read ? cookie_read : NULL,
        write ? cookie_write : NULL,
        seek ? cookie_seek : NULL,
        cookie_close,
    };
    return wrap(fopencookie(cookie, read && write ? "r+" : read ? "r" : "w", functions));
}

/* ---- state ---- */

static void darwin_clearerr(struct darwin_file *file)
{
    clearerr(file->native);
    update(file);
}

static int darwin_feof(struct darwin_file *file)
{
    return feof(file->native);
}

static int darwin_ferror(struct darwin_file *file)
{
    return ferror(file->native);
}

static int darwin_fileno(struct darwin_file *file)
{
    return fileno(file->native);
}

static int darwin_fflush(struct darwin_file *file)
{
    int result = fflush(file ? file->native : NULL);
    if (file) {
        update(file);
    }
    return result;
}

static int darwin_setvbuf(struct darwin_file *file, char *buffer, int mode, size_t size)
{
    return setvbuf(file->native, buffer, mode, size);
}

static void darwin_setbuf(struct darwin_file *file, char *buffer)
{
    setbuf(file->native, buffer);
}

static int darwin_setlinebuf(struct darwin_file *file)
{
    setlinebuf(file->native);
    return 0;
}

static void darwin_flockfile(struct darwin_file *file)
{
    flockfile(file->native);
}

static int darwin_ftrylockfile(struct darwin_file *file)
{
    return ftrylockfile(file->native);
}

static void darwin_funlockfile(struct darwin_file *file)
{
    funlockfile(file->native);
}

static int darwin_fwide(struct darwin_file *file, int mode)
{
    return fwide(file->native, mode);
}

/* ---- reading and writing: the result of an expression, with the flags updated after it ---- */

#define AFTER(type, file, expression)                                                                              \
    type result = (expression);                                                                                    \
    update(file);                                                                                                  \
    return result

static int darwin___srget(struct darwin_file *file)
{
    AFTER(int, file, getc_unlocked(file->native));
}

static int darwin___swbuf(int c, struct darwin_file *file)
{
    AFTER(int, file, putc_unlocked(c, file->native));
}

static int darwin_fgetc(struct darwin_file *file)
{
    AFTER(int, file, fgetc(file->native));
}

static char *darwin_fgets(char *buffer, int size, struct darwin_file *file)
{
    AFTER(char *, file, fgets(buffer, size, file->native));
}

static int darwin_fputc(int c, struct darwin_file *file)
{
    AFTER(int, file, fputc(c, file->native));
}

static int darwin_fputs(const char *text, struct darwin_file *file)
{
    AFTER(int, file, fputs(text, file->native));
}

static int darwin_ungetc(int c, struct darwin_file *file)
{
    AFTER(int, file, ungetc(c, file->native));
}

static size_t darwin_fread(void *buffer, size_t size, size_t count, struct darwin_file *file)
{
    AFTER(size_t, file, fread(buffer, size, count, file->native));
}

static size_t darwin_fwrite(const void *buffer, size_t size, size_t count, struct darwin_file *file)
{
    AFTER(size_t, file, fwrite(buffer, size, count, file->native));
}

static ssize_t darwin_getdelim(char **line, size_t *size, int delimiter, struct darwin_file *file)
{
    AFTER(ssize_t, file, getdelim(line, size, delimiter, file->native));
}

static ssize_t darwin_getline(char **line, size_t *size, struct darwin_file *file)
{
    AFTER(ssize_t, file, getline(line, size, file->native));
}

static int darwin_vfprintf(struct darwin_file *file, const char *format, va_list arguments)
{
    AFTER(int, file, vfprintf(file->native, format, arguments));
}

static int darwin_fprintf(struct darwin_file *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = darwin_vfprintf(file, format, arguments);
    va_end(arguments);
    return result;
}

static int darwin_vfscanf(struct darwin_file *file, const char *format, va_list arguments)
{
    AFTER(int, file, vfscanf(file->native, format, arguments));
}

static int darwin_fscanf(struct darwin_file *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = darwin_vfscanf(file, format, arguments);
    va_end(arguments);
    return result;
}

/* ---- positions ---- */

static int darwin_fseeko(struct darwin_file *file, int64_t offset, int whence)
{
    AFTER(int, file, fseeko(file->native, offset, whence));
}

static int64_t darwin_ftello(struct darwin_file *file)
{
    return ftello(file->native);
}

static void darwin_rewind(struct darwin_file *file)
{
    rewind(file->native);
    update(file);
}

static int darwin_fgetpos(struct darwin_file *file, int64_t *position)
{
    *position = ftello(file->native);
    return *position < 0 ? -1 : 0;
}

static int darwin_fsetpos(struct darwin_file *file, const int64_t *position)
{
    return darwin_fseeko(file, *position, SEEK_SET);
}

/* ---- wide ---- */

static wint_t darwin_fgetwc(struct darwin_file *file)
{
    AFTER(wint_t, file, fgetwc(file->native));
}

static wint_t darwin_fputwc(wchar_t c, struct darwin_file *file)
{
    AFTER(wint_t, file, fputwc(c, file->native));
}

static wint_t darwin_ungetwc(wint_t c, struct darwin_file *file)
{
    AFTER(wint_t, file, ungetwc(c, file->native));
}

static wchar_t *darwin_fgetws(wchar_t *buffer, int size, struct darwin_file *file)
{
    AFTER(wchar_t *, file, fgetws(buffer, size, file->native));
}

static int darwin_fputws(const wchar_t *text, struct darwin_file *file)
{
    AFTER(int, file, fputws(text, file->native));
}

static int darwin_vfwprintf(struct darwin_file *file, const wchar_t *format, va_list arguments)
{
    AFTER(int, file, vfwprintf(file->native, format, arguments));
}

static int darwin_fwprintf(struct darwin_file *file, const wchar_t *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = darwin_vfwprintf(file, format, arguments);
    va_end(arguments);
    return result;
}

static const struct symbol stdio_symbols[] = {
    SHIM(__stdinp),
    SHIM(__stdoutp),
    SHIM(__stderrp),
    SHIM(__srget),
    SHIM(__swbuf),
    SHIM(fopen),
    SHIM(fdopen),
    SHIM(freopen),
    SHIM(tmpfile),
    SHIM(fmemopen),
    SHIM(open_memstream),
    SHIM(popen),
    SHIM(fclose),
    SHIM(pclose),
    SHIM(funopen),
    SHIM(clearerr),
    SHIM_AS("_clearerr_unlocked", clearerr),
    SHIM(feof),
    SHIM_AS("_feof_unlocked", feof),
    SHIM(ferror),
    SHIM_AS("_ferror_unlocked", ferror),
    SHIM(fileno),
    SHIM_AS("_fileno_unlocked", fileno),
    SHIM(fflush),
    SHIM(setvbuf),
    SHIM(setbuf),
    SHIM(setlinebuf),
    SHIM(flockfile),
    SHIM(ftrylockfile),
    SHIM(funlockfile),
    SHIM(fwide),
    SHIM(fgetc),
    SHIM_AS("_getc", fgetc),
    SHIM_AS("_getc_unlocked", __srget),
    SHIM(fgets),
    SHIM(fputc),
    SHIM_AS("_putc", fputc),
    SHIM_AS("_putc_unlocked", __swbuf),
    SHIM(fputs),
    SHIM(ungetc),
    SHIM(fread),
    SHIM(fwrite),
    SHIM(getdelim),
    SHIM(getline),
    SHIM(vfprintf),
    SHIM(fprintf),
    SHIM(vfscanf),
    SHIM(fscanf),
    SHIM(fseeko),
    SHIM_AS("_fseek", fseeko),
    SHIM(ftello),
    SHIM_AS("_ftell", ftello),
    SHIM(rewind),
    SHIM(fgetpos),
    SHIM(fsetpos),
    SHIM(fgetwc),
    SHIM_AS("_getwc", fgetwc),
    SHIM(fputwc),
    SHIM_AS("_putwc", fputwc),
    SHIM(ungetwc),
    SHIM(fgetws),
    SHIM(fputws),
    SHIM(vfwprintf),
    SHIM(fwprintf),
};

SYMBOL_TABLE(stdio);
