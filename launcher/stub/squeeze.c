/* squeeze.c: a build tool: makes the compressed image of a launcher (image.h).
 *
 *     squeeze LAUNCHER FRAME HEADER
 *
 * writes the zstd frame to FRAME and, to HEADER, the numbers that stub_linux.c is compiled with.
 */
#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "../resources.h"

enum { LEVEL = 19 };

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("squeeze: ", stderr);
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
    unsigned char *data = end > 0 ? malloc((size_t)end) : NULL;
    if (!data || fread(data, 1, (size_t)end, file) != (size_t)end)
        fail("%s cannot be read", path);
    fclose(file);
    *size = (size_t)end;
    return data;
}

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file))
        fail("%s cannot be written", path);
}

/* The launcher's memory image: its loaded segments, each at its address. `span` is how much memory it takes:
 * the image and the zero-initialised data behind it. */
static unsigned char *flatten(const unsigned char *file, size_t file_size, size_t *size, size_t *span)
{
    Elf64_Ehdr header;
    if (file_size < sizeof header)
        fail("the launcher is no ELF file");
    memcpy(&header, file, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > file_size ||
        header.e_phnum > (file_size - header.e_phoff) / sizeof(Elf64_Phdr))
        fail("the launcher is no 64-bit ELF file");
    Elf64_Phdr *segments = malloc(header.e_phnum * sizeof *segments);
    if (!segments)
        fail("no memory");
    memcpy(segments, file + header.e_phoff, header.e_phnum * sizeof *segments);
    size_t end = 0;
    *span = 0;
    for (unsigned n = 0; n < header.e_phnum; n++) {
        const Elf64_Phdr *s = &segments[n];
        if (s->p_type != PT_LOAD)
            continue;
        if (s->p_offset > file_size || s->p_filesz > file_size - s->p_offset || s->p_vaddr > (1u << 30) ||
            s->p_memsz > (1u << 30) || s->p_filesz > s->p_memsz)
            fail("segment %u lies outside of the launcher", n);
        if (s->p_vaddr + s->p_filesz > end)
            end = s->p_vaddr + s->p_filesz;
        if (s->p_vaddr + s->p_memsz > *span)
            *span = s->p_vaddr + s->p_memsz;
    }
    unsigned char *image = calloc(1, end ? end : 1);
    if (!image || end < header.e_phoff + header.e_phnum * sizeof *segments)
        fail("the launcher's headers are not loaded");
    for (unsigned n = 0; n < header.e_phnum; n++)
        if (segments[n].p_type == PT_LOAD)
            memcpy(image + segments[n].p_vaddr, file + segments[n].p_offset, segments[n].p_filesz);
    /* In the image, a byte's offset is its address; section headers are not loaded. */
    for (unsigned n = 0; n < header.e_phnum; n++)
        segments[n].p_offset = segments[n].p_vaddr;
    memcpy(image + header.e_phoff, segments, header.e_phnum * sizeof *segments);
    header.e_shoff = 0;
    header.e_shnum = header.e_shstrndx = 0;
    memcpy(image, &header, sizeof header);
    free(segments);
    *size = end;
    return image;
}

/* Where the one struct ox_locator lies. */
static size_t find_locator(const unsigned char *image, size_t size)
{
    size_t found = 0, count = 0;
    for (size_t at = 0; at + sizeof(struct ox_locator) <= size; at += 8)
        if (!memcmp(image + at, OX_LOCATOR_MAGIC, 16)) {
            found = at;
            count++;
        }
    if (count != 1)
        fail("the launcher has %zu locators, not one", count);
    return found;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("usage: squeeze LAUNCHER FRAME HEADER");
    size_t file_size, size, span;
    unsigned char *file = read_file(argv[1], &file_size);
    unsigned char *image = flatten(file, file_size, &size, &span);
    size_t locator = find_locator(image, size);
    size_t bound = ZSTD_compressBound(size);
    unsigned char *frame = malloc(bound);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!frame || !context)
        fail("no memory");
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 24);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t stored = ZSTD_compress2(context, frame, bound, image, size);
    if (ZSTD_isError(stored))
        fail("%s", ZSTD_getErrorName(stored));
    write_file(argv[2], frame, stored);
    char text[256];
    int length = snprintf(text, sizeof text,
                          "#define OX_IMAGE_STORED %zu\n#define OX_IMAGE_SIZE %zu\n"
                          "#define OX_IMAGE_SPAN %zu\n#define OX_IMAGE_LOCATOR %zu\n",
                          stored, size, span, locator);
    write_file(argv[3], text, (size_t)length);
    ZSTD_freeCCtx(context);
    free(frame);
    free(image);
    free(file);
    return 0;
}
