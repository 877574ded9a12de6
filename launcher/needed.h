/* needed.h: reads what a shared library (ELF, 64 bits, little-endian) needs, from its bytes. Trusts nothing in them. */
#ifndef OX_NEEDED_H
#define OX_NEEDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls `each` with every DT_NEEDED name (NUL-terminated, inside data) until it returns false. Returns false when the
 * bytes are no well-formed shared library or `each` returned false. */
bool ox_elf_needed(
    const uint8_t *data, uint64_t size, bool (*each)(const char *name, size_t length, void *context), void *context);

#endif
