/* probe_file.h: the file that a test program is given. */
#ifndef OX_PROBE_FILE_H
#define OX_PROBE_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* In memory of exactly its size, so that a sanitizer sees each byte read behind it. */
static inline uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size);
    if ((data == NULL && *size != 0) || fread(data, 1, *size, file) != *size) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return data;
}

#endif
