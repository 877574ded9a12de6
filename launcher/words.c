#define Py_BUILD_CORE 1
#include "words.h"

#include <internal/pycore_unicodeobject.h>
#include <stdbool.h>
#include <string.h>

#include "memory.h"

static bool is_ascii(const uint8_t *text, size_t size)
{
    uint64_t bits = 0;
    size_t i = 0;
    for (; i + sizeof bits <= size; i += sizeof bits) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        bits |= word;
    }
    for (; i < size; i++) {
        bits |= text[i];
    }
    return (bits & 0x8080808080808080u) == 0;
}

PyObject *ox_ascii(const uint8_t *text, size_t size)
{
    if (size < 2 || !is_ascii(text, size)) {
        return PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, text, (Py_ssize_t)size);
    }
    PyObject *made = PyUnicode_New((Py_ssize_t)size, 127);
    if (made != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(made), text, size);
    }
    return made;
}

void ox_intern(PyObject **text)
{
#if PY_VERSION_HEX >= 0x030D0000
    _PyUnicode_InternImmortal(PyInterpreterState_Get(), text);
#else
    PyUnicode_InternInPlace(text);
#endif
}

static uint64_t hash_of(const uint8_t *text, size_t size)
{
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t hash = size * factor;
    for (; size >= 8; text += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, text, sizeof word);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    uint64_t rest = 0;
    memcpy(&rest, text, size);
    hash = (hash ^ rest) * factor;
    return hash ^ hash >> 32;
}

static bool grow(struct ox_words *words)
{
    size_t count = words->slot_count == 0 ? 4096 : 2 * words->slot_count;
    struct ox_word *slots = ox_alloc(count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0, count * sizeof *slots);
    for (size_t i = 0; i < words->slot_count; i++) {
        if (words->slots[i].text != NULL) {
            size_t at = words->slots[i].hash & (count - 1);
            while (slots[at].text != NULL) {
                at = (at + 1) & (count - 1);
            }
            slots[at] = words->slots[i];
        }
    }
    ox_free(words->slots);
    words->slots = slots;
    words->slot_count = count;
    return true;
}

PyObject *ox_word(struct ox_words *words, const uint8_t *text, size_t size)
{
    if (words == NULL) {
        PyObject *single = ox_ascii(text, size);
        if (single != NULL) {
            ox_intern(&single);
        }
        return single;
    }
    if (2 * words->used >= words->slot_count && !grow(words)) {
        return PyErr_NoMemory();
    }
    uint64_t hash = hash_of(text, size);
    size_t at = hash & (words->slot_count - 1);
    for (; words->slots[at].text != NULL; at = (at + 1) & (words->slot_count - 1)) {
        PyObject *known = words->slots[at].text;
        if (words->slots[at].hash == hash && (size_t)PyUnicode_GET_LENGTH(known) == size
            && PyUnicode_IS_COMPACT_ASCII(known) && memcmp(PyUnicode_1BYTE_DATA(known), text, size) == 0) {
            return Py_NewRef(known);
        }
    }
    PyObject *made = ox_ascii(text, size);
    if (made != NULL) {
        ox_intern(&made);
        words->slots[at] = (struct ox_word){.hash = hash, .text = Py_NewRef(made)};
        words->used++;
    }
    return made;
}

void ox_words_clear(struct ox_words *words)
{
    for (size_t i = 0; i < words->slot_count; i++) {
        Py_XDECREF(words->slots[i].text);
    }
    ox_free(words->slots);
    *words = (struct ox_words){0};
}
