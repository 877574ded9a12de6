/* words.h: the names that an interpreter has read from bytecode, each made and interned once. */
#ifndef OX_WORDS_H
#define OX_WORDS_H

#include <Python.h>
#include <stddef.h>
#include <stdint.h>

struct ox_word {
    uint64_t hash;
    PyObject *text; /* NULL: free */
};

/* Names, by their text: open addressing, at most half full. */
struct ox_words {
    struct ox_word *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t used;
};

/* The interned string of a text in ASCII (or, as in marshal, Latin-1). NULL with an exception. Without a table (NULL) it is
 * made each time. */
PyObject *ox_word(struct ox_words *words, const uint8_t *text, size_t size);

/* As marshal does it: for good. */
void ox_intern(PyObject **text);

/* A string of its own. */
PyObject *ox_ascii(const uint8_t *text, size_t size);

void ox_words_clear(struct ox_words *words);

#endif
