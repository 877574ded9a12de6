/* The format is that of Python/marshal.c; what code objects are made of is the same in none but one series.
 *
 * marshal trusts its input. Here, what is damaged must end in an exception, so each thing that is read is bounded by
 * the bytes that are left, and nothing refers to what is not whole. */
#define Py_BUILD_CORE 1
#include "unmarshal.h"

#include <marshal.h>
#include <stdbool.h>
#include <string.h>

#include "memory.h"

#if PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000

#include "code.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pystate.h>

enum {
    DEEPEST = 2000,    /* nested objects, as in marshal */
    SHARED = 1 << 26,  /* objects, counted once for each way that leads to them: hashing a tuple takes all ways */
};

struct reference {
    PyObject *object; /* NULL: not whole yet */
    size_t weight;    /* objects in it, itself too, counted as above */
};

struct reader {
    struct ox_words *words;
    const uint8_t *at;
    const uint8_t *end;
    PyObject *path;
    struct reference *references;
    size_t reference_count;
    size_t reference_room;
    size_t owed;   /* objects that the containers around still wait for: as many bytes at least */
    size_t budget; /* objects that may still be counted */
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
        ox_intern(&text);
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

/* A place for an object that later ones may refer to. */
static bool reserve(struct reader *reader, size_t *index)
{
    if (reader->reference_count == reader->reference_room) {
        size_t room = reader->reference_room == 0 ? 512 : 2 * reader->reference_room;
        struct reference *more = ox_realloc(reader->references, room * sizeof *more);
        if (more == NULL) {
            PyErr_NoMemory();
            return false;
        }
        reader->references = more;
        reader->reference_room = room;
    }
    *index = reader->reference_count++;
    reader->references[*index] = (struct reference){0};
    return true;
}

static PyObject *read_reference(struct reader *reader)
{
    int32_t index;
    if (!read_long(reader, &index) || index < 0 || (size_t)index >= reader->reference_count) {
        return NULL;
    }
    const struct reference *reference = &reader->references[index];
    if (reference->weight > reader->budget) {
        return NULL;
    }
    reader->budget -= reference->weight;
    return Py_XNewRef(reference->object);
}

static PyObject *read_tuple(struct reader *reader, bool is_short)
{
    size_t size;
    if (!read_size(reader, is_short, &size) || !has(reader, reader->owed + size)) {
        return NULL;
    }
    PyObject *tuple = PyTuple_New((Py_ssize_t)size);
    if (tuple == NULL) {
        return NULL;
    }
    bool plain = size != 0; /* the empty tuple is not tracked */
    reader->owed += size;
    for (size_t i = 0; i < size; i++) {
        reader->owed--;
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

/* What is made of a tuple of its items. */
static PyObject *read_container(struct reader *reader, PyObject *(*make)(PyObject *))
{
    PyObject *items = read_tuple(reader, false);
    PyObject *container = items == NULL ? NULL : make(items);
    Py_XDECREF(items);
    return container;
}

static PyObject *read_dict(struct reader *reader)
{
    PyObject *dict = PyDict_New();
    while (dict != NULL && has(reader, 1) && *reader->at != '0') { /* TYPE_NULL, where a key might be */
        PyObject *key = read_object(reader);
        PyObject *value = key == NULL ? NULL : read_object(reader);
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    if (dict != NULL && has(reader, 1)) {
        reader->at++;
        return dict;
    }
    Py_XDECREF(dict);
    return NULL;
}

static PyObject *read_code(struct reader *reader)
{
    struct _PyCodeConstructor code = {.filename = reader->path};
    PyObject *filename = NULL;
    PyObject **const parts[] = {&code.code, &code.consts, &code.names, &code.localsplusnames, &code.localspluskinds,
        &filename, &code.name, &code.qualname, &code.linetable, &code.exceptiontable};
    enum { COUNT = sizeof parts / sizeof *parts, BEFORE_LINE = 8 };
    bool good = read_long(reader, &code.argcount) && read_long(reader, &code.posonlyargcount)
        && read_long(reader, &code.kwonlyargcount) && read_long(reader, &code.stacksize) && read_long(reader, &code.flags);
    for (size_t i = 0; good && i < COUNT; i++) {
        good = (i != BEFORE_LINE || read_long(reader, &code.firstlineno)) && (*parts[i] = read_object(reader)) != NULL;
    }
    PyObject *result = good && PyUnicode_Check(filename) ? ox_code(&code) : NULL;
    for (size_t i = 0; i < COUNT; i++) {
        Py_XDECREF(*parts[i]);
    }
    return result;
}

static PyObject *read_int(struct reader *reader)
{
    int32_t number;
    return read_long(reader, &number) ? PyLong_FromLong(number) : NULL;
}

static PyObject *read_typed(struct reader *reader, uint8_t type)
{
    switch (type) {
    case ')':
    case '(':
        return read_tuple(reader, type == ')');
    case '>':
        return read_container(reader, PyFrozenSet_New);
    case '<':
        return read_container(reader, PySet_New);
    case '[':
        return read_container(reader, PySequence_List);
    case '{':
        return read_dict(reader);
    case 'c':
        return read_code(reader);
    case 'N':
        return Py_NewRef(Py_None);
    case 'T':
        return Py_NewRef(Py_True);
    case 'F':
        return Py_NewRef(Py_False);
    case '.':
        return Py_NewRef(Py_Ellipsis);
    case 'S':
        return Py_NewRef(PyExc_StopIteration);
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
    static const bool unshared[0x80] = {['N'] = true, ['T'] = true, ['F'] = true, ['.'] = true, ['S'] = true};
    if (!has(reader, 1) || reader->depth == DEEPEST || reader->budget == 0) {
        return NULL;
    }
    uint8_t type = *reader->at & 0x7f;
    bool shared = (*reader->at++ & 0x80) != 0 && !unshared[type]; /* FLAG_REF */
    if (type == 'r') { /* the most frequent */
        return read_reference(reader);
    }
    size_t budget = reader->budget--;
    size_t index = 0;
    if (shared && !reserve(reader, &index)) { /* its place comes before those of its parts */
        return NULL;
    }
    reader->depth++;
    PyObject *object = read_typed(reader, type);
    reader->depth--;
    if (shared && object != NULL) {
        reader->references[index] = (struct reference){Py_NewRef(object), budget - reader->budget};
    }
    return object;
}

PyObject *ox_unmarshal(struct ox_words *words, const uint8_t *data, size_t size, PyObject *path)
{
    struct reader reader = {.words = words,
        .at = data,
        .end = data + size,
        .path = path,
        .budget = size + SHARED};
    PyObject *object = read_object(&reader);
    for (size_t i = 0; i < reader.reference_count; i++) {
        Py_XDECREF(reader.references[i].object);
    }
    ox_free(reader.references);
    if (object == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ValueError, "bad marshal data");
    }
    return object;
}

#else

/* The code's file name is the path in the blob; put the executable's path before it, in all that it contains.
 * CPython does the same to bytecode that was moved (Python/import.c, update_code_filenames). */
static void set_file_name(PyCodeObject *code, PyObject *path)
{
    Py_XSETREF(code->co_filename, Py_NewRef(path));
    PyObject *constants = code->co_consts;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(constants); i++) {
        PyObject *constant = PyTuple_GET_ITEM(constants, i);
        if (PyCode_Check(constant)) {
            set_file_name((PyCodeObject *)constant, path);
        }
    }
}

PyObject *ox_unmarshal(struct ox_words *words, const uint8_t *data, size_t size, PyObject *path)
{
    (void)words;
    PyObject *object = PyMarshal_ReadObjectFromString((const char *)data, (Py_ssize_t)size);
    if (object != NULL && PyCode_Check(object)) {
        set_file_name((PyCodeObject *)object, path);
    }
    return object;
}

#endif
