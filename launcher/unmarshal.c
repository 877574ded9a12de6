/* The format is that of Python/marshal.c; what code objects are made of is the same in none but one series. */
#define Py_BUILD_CORE 1
#include "unmarshal.h"

#include <marshal.h>
#include <stdbool.h>
#include <string.h>

#include "memory.h"

#if PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000

#include <internal/pycore_code.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_unicodeobject.h>

enum { DEEPEST = 200 }; /* nested objects; marshal itself goes to 2000 */

struct reader {
    struct ox_words *words;
    const uint8_t *at;
    const uint8_t *end;
    PyObject *path;
    PyInterpreterState *interpreter;
    PyObject **references;
    uint32_t reference_count;
    uint32_t reference_room;
    int depth;
};

static PyObject *read_object(struct reader *reader);

/* Whether `size` more bytes are there. */
static bool has(const struct reader *reader, size_t size)
{
    return (size_t)(reader->end - reader->at) >= size;
}

static bool read_long(struct reader *reader, int32_t *value)
{
    if (!has(reader, 4)) {
        return false;
    }
    memcpy(value, reader->at, sizeof *value); /* little-endian, as all targets are */
    reader->at += 4;
    return true;
}

/* The size of what follows: one byte, or four. */
static bool read_size(struct reader *reader, bool is_short, size_t *size)
{
    int32_t value = 0;
    if (is_short ? !has(reader, 1) : !read_long(reader, &value)) {
        return false;
    }
    *size = is_short ? *reader->at++ : (size_t)value;
    return value >= 0;
}

static PyObject *read_ascii(struct reader *reader, bool is_short, bool interned)
{
    size_t size;
    if (!read_size(reader, is_short, &size) || !has(reader, size)) {
        return NULL;
    }
    const uint8_t *text = reader->at;
    reader->at += size;
    return interned ? ox_word(reader->words, text, size) : ox_ascii(text, size);
}

static PyObject *read_utf8(struct reader *reader, bool interned)
{
    size_t size;
    if (!read_size(reader, false, &size) || !has(reader, size)) {
        return NULL;
    }
    PyObject *text = PyUnicode_DecodeUTF8((const char *)reader->at, (Py_ssize_t)size, "surrogatepass");
    reader->at += size;
    if (text != NULL && interned) {
        _PyUnicode_InternImmortal(reader->interpreter, &text);
    }
    return text;
}

static PyObject *read_bytes(struct reader *reader)
{
    size_t size;
    if (!read_size(reader, false, &size) || !has(reader, size)) {
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)reader->at, (Py_ssize_t)size);
    reader->at += size;
    return bytes;
}

/* An object that marshal reads, because it is rare: one that contains no other. `size`: all of it, its type too. */
static PyObject *read_rare(struct reader *reader, size_t size)
{
    const uint8_t *start = reader->at - 1;
    if (!has(reader, size - 1)) {
        return NULL;
    }
    reader->at = start + size;
    return PyMarshal_ReadObjectFromString((const char *)start, (Py_ssize_t)size);
}

static PyObject *read_integer(struct reader *reader)
{
    int32_t digits; /* of 15 bits; negative for a negative number */
    if (!read_long(reader, &digits)) {
        return NULL;
    }
    reader->at -= 4;
    return read_rare(reader, 5 + 2 * (size_t)(digits < 0 ? -(int64_t)digits : digits));
}

/* Remembers an object that later ones may refer to; `index` is its place. */
static bool remember(struct reader *reader, PyObject *object, uint32_t *index)
{
    if (reader->reference_count == reader->reference_room) {
        uint32_t room = reader->reference_room == 0 ? 512 : 2 * reader->reference_room;
        PyObject **more = ox_realloc(reader->references, room * sizeof *more);
        if (more == NULL) {
            PyErr_NoMemory();
            return false;
        }
        reader->references = more;
        reader->reference_room = room;
    }
    *index = reader->reference_count++;
    reader->references[*index] = Py_XNewRef(object);
    return true;
}

static PyObject *read_reference(struct reader *reader)
{
    int32_t index;
    if (!read_long(reader, &index) || index < 0 || (uint32_t)index >= reader->reference_count) {
        return NULL;
    }
    return Py_XNewRef(reader->references[index]);
}

static PyObject *read_tuple(struct reader *reader, bool is_short, bool flagged)
{
    size_t size;
    uint32_t index;
    if (!read_size(reader, is_short, &size) || !has(reader, size)) {
        return NULL;
    }
    PyObject *tuple = PyTuple_New((Py_ssize_t)size);
    if (tuple == NULL || (flagged && !remember(reader, tuple, &index))) {
        Py_XDECREF(tuple);
        return NULL;
    }
    bool plain = size != 0; /* the empty tuple is not tracked */
    for (size_t i = 0; i < size; i++) {
        PyObject *item = read_object(reader);
        if (item == NULL) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
        plain = plain && !_PyObject_GC_MAY_BE_TRACKED(item);
    }
    if (plain) {
        _PyObject_GC_UNTRACK(tuple);
    }
    return tuple;
}

static PyObject *read_frozenset(struct reader *reader, bool flagged)
{
    size_t size;
    uint32_t index = 0;
    if (!read_size(reader, false, &size) || !has(reader, size) || (flagged && !remember(reader, NULL, &index))) {
        return NULL;
    }
    PyObject *set = PyFrozenSet_New(NULL);
    for (size_t i = 0; set != NULL && i < size; i++) {
        PyObject *item = read_object(reader);
        if (item == NULL || PySet_Add(set, item) < 0) {
            Py_CLEAR(set);
        }
        Py_XDECREF(item);
    }
    if (set != NULL && flagged) {
        reader->references[index] = Py_NewRef(set);
    }
    return set;
}

static PyObject *read_code(struct reader *reader, bool flagged)
{
    struct _PyCodeConstructor code = {.filename = reader->path};
    PyObject *filename = NULL;
    PyObject *result = NULL;
    uint32_t index = 0;
    PyObject **const first[] = {&code.code, &code.consts, &code.names, &code.localsplusnames, &code.localspluskinds,
        &filename, &code.name, &code.qualname};
    PyObject **const last[] = {&code.linetable, &code.exceptiontable};
    bool good = (!flagged || remember(reader, NULL, &index)) && read_long(reader, &code.argcount)
        && read_long(reader, &code.posonlyargcount) && read_long(reader, &code.kwonlyargcount)
        && read_long(reader, &code.stacksize) && read_long(reader, &code.flags);
    for (size_t i = 0; good && i < sizeof first / sizeof *first; i++) {
        good = (*first[i] = read_object(reader)) != NULL;
    }
    good = good && read_long(reader, &code.firstlineno);
    for (size_t i = 0; good && i < sizeof last / sizeof *last; i++) {
        good = (*last[i] = read_object(reader)) != NULL;
    }
    if (good && _PyCode_Validate(&code) == 0) {
        struct _PyCodeConstructor given = code; /* without debug ranges it gets another line table */
        result = (PyObject *)_PyCode_New(&given);
    }
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        Py_XDECREF(*first[i]);
    }
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        Py_XDECREF(*last[i]);
    }
    if (result != NULL && flagged) {
        reader->references[index] = Py_NewRef(result);
    }
    return result;
}

static PyObject *read_int(struct reader *reader)
{
    int32_t number;
    return read_long(reader, &number) ? PyLong_FromLong(number) : NULL;
}

/* Objects that contain others see to being remembered themselves: their place comes before those of their parts. */
static PyObject *read_simple(struct reader *reader, uint8_t type)
{
    switch (type) {
    case 'N':
        return Py_NewRef(Py_None);
    case 'T':
        return Py_NewRef(Py_True);
    case 'F':
        return Py_NewRef(Py_False);
    case '.':
        return Py_NewRef(Py_Ellipsis);
    case 'r':
        return read_reference(reader);
    case 'Z':
        return read_ascii(reader, true, true);
    case 'z':
        return read_ascii(reader, true, false);
    case 'A':
        return read_ascii(reader, false, true);
    case 'a':
        return read_ascii(reader, false, false);
    case 't':
        return read_utf8(reader, true);
    case 'u':
        return read_utf8(reader, false);
    case 's':
        return read_bytes(reader);
    case 'i':
        return read_int(reader);
    case 'l':
        return read_integer(reader);
    case 'g':
        return read_rare(reader, 1 + 8);
    case 'y':
        return read_rare(reader, 1 + 16);
    default:
        return NULL;
    }
}

static PyObject *read_object(struct reader *reader)
{
    PyObject *object;
    uint32_t index;
    if (!has(reader, 1) || reader->depth == DEEPEST) {
        return NULL;
    }
    uint8_t type = *reader->at & 0x7f;
    bool flagged = (*reader->at++ & 0x80) != 0; /* FLAG_REF */
    reader->depth++;
    switch (type) {
    case ')':
    case '(':
        object = read_tuple(reader, type == ')', flagged);
        break;
    case '>':
        object = read_frozenset(reader, flagged);
        break;
    case 'c':
        object = read_code(reader, flagged);
        break;
    default:
        object = read_simple(reader, type);
        if (object != NULL && flagged && !remember(reader, object, &index)) {
            Py_CLEAR(object);
        }
    }
    reader->depth--;
    return object;
}

PyObject *ox_unmarshal(struct ox_words *words, const uint8_t *data, size_t size, PyObject *path)
{
    struct reader reader = {
        .words = words, .at = data, .end = data + size, .path = path, .interpreter = PyInterpreterState_Get()};
    PyObject *object = read_object(&reader);
    for (uint32_t i = 0; i < reader.reference_count; i++) {
        Py_XDECREF(reader.references[i]);
    }
    ox_free(reader.references);
    if (object == NULL && PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
    }
    return object;
}

#else

PyObject *ox_unmarshal(struct ox_words *words, const uint8_t *data, size_t size, PyObject *path)
{
    (void)words;
    (void)data;
    (void)size;
    (void)path;
    return NULL;
}

#endif
