/* frame.c: a build tool: `frame IN OUT` writes the zstd frame, with a check sum, that holds IN. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { LEVEL = 19 };

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("frame: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail("%s cannot be read", path);
    long end = ftell(file);
    rewind(file);
    unsigned char *data = end >= 0 ? malloc((size_t)end + 1) : NULL;
    if (!data || fread(data, 1, (size_t)end, file) != (size_t)end)
        fail("%s cannot be read", path);
    fclose(file);
    *size = (size_t)end;
    return data;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: frame IN OUT");
    size_t size;
    unsigned char *data = read_file(argv[1], &size);
    size_t bound = ZSTD_compressBound(size);
    unsigned char *frame = malloc(bound);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!frame || !context)
        fail("no memory");
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t stored = ZSTD_compress2(context, frame, bound, data, size);
    if (ZSTD_isError(stored))
        fail("%s", ZSTD_getErrorName(stored));
    FILE *out = fopen(argv[2], "wb");
    if (!out || fwrite(frame, 1, stored, out) != stored || fclose(out))
        fail("%s cannot be written", argv[2]);
    ZSTD_freeCCtx(context);
    free(frame);
    free(data);
    return 0;
}
