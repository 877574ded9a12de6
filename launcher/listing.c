/* What modules a folder has, for pkgutil. */
#include <Python.h>

#include <string.h>

#include "importer_internal.h"

/* Adds a module's name (the first component of `rest`) to the dict; a package wins over a module. */
static bool add_module(PyObject *found, const char *rest, size_t size, bool package)
{
    PyObject *key = PyUnicode_DecodeUTF8(rest, (Py_ssize_t)size, "surrogateescape");
    int done = key == NULL ? -1 : 0;
    if (key != NULL && (package || PyDict_Contains(found, key) == 0)) {
        done = PyDict_SetItem(found, key, package ? Py_True : Py_False);
    }
    Py_XDECREF(key);
    return done == 0;
}

/* Modules with code in this folder: "folder/tail.…" and "folder/tail/__init__.…". */
static bool add_rows(const struct ox_text *folder, PyObject *found)
{
    static const char init[] = "__init__.";
    for (uint32_t row = 0; row < ox.blob.module_count; row++) {
        struct ox_text path;
        if (!ox_blob_text(&ox.blob, ox.blob.modules[row].path, &path)) {
            return true;
        }
        size_t skip = folder->size + (folder->size != 0);
        if (path.size <= skip || memcmp(path.data, folder->data, folder->size) != 0
            || (skip != 0 && path.data[skip - 1] != '/') || (ox.blob.modules[row].flags & OX_NAMESPACE) != 0) {
            continue;
        }
        const char *rest = path.data + skip;
        size_t size = path.size - skip;
        const char *slash = memchr(rest, '/', size);
        if (slash != NULL) {
            size_t inner = size - (size_t)(slash + 1 - rest);
            if (inner < sizeof init - 1 || memcmp(slash + 1, init, sizeof init - 1) != 0) {
                continue;
            }
            size = (size_t)(slash - rest);
        } else {
            const char *dot = memchr(rest, '.', size);
            size = dot == NULL ? size : (size_t)(dot - rest);
            if (size == sizeof init - 2 && memcmp(rest, init, size) == 0) {
                continue;
            }
        }
        if (!add_module(found, rest, size, slash != NULL)) {
            return false;
        }
    }
    return true;
}

/* The name of a module as data: "tail.py", "tail.pyc". The size of "tail", or 0. */
static size_t stem_size(const struct ox_text *name)
{
    const char *dot = memchr(name->data, '.', name->size);
    return dot != NULL && (strcmp(dot, ".py") == 0 || strcmp(dot, ".pyc") == 0) ? (size_t)(dot - name->data) : 0;
}

static bool is_init(const struct ox_text *name)
{
    return stem_size(name) == sizeof "__init__" - 1 && memcmp(name->data, "__init__", sizeof "__init__" - 1) == 0;
}

/* Whether a folder is a package by its files alone. */
static bool has_init(uint32_t node)
{
    uint32_t first;
    uint32_t count;
    if (!ox_blob_children(&ox.blob, node, &first, &count)) {
        return false;
    }
    for (uint32_t i = first; i < first + count; i++) {
        struct ox_text name;
        if (ox_vfs_name(i, &name) && is_init(&name)) {
            return true;
        }
    }
    return false;
}

/* Python files without a row of their own: those that were added as data, and bytecode without source. */
static bool add_files(const struct ox_text *folder, PyObject *found)
{
    uint32_t node;
    uint32_t first;
    uint32_t count;
    if (!ox_is_found(ox_blob_find_node(&ox.blob, folder->data, folder->size, &node))
        || !ox_blob_children(&ox.blob, node, &first, &count)) {
        return true;
    }
    for (uint32_t i = first; i < first + count; i++) {
        struct ox_text name;
        if (!ox_vfs_name(i, &name)) {
            continue;
        }
        bool package = ox.blob.nodes[i].kind == OX_DIR;
        size_t size = package ? (memchr(name.data, '.', name.size) == NULL ? name.size : 0) : stem_size(&name);
        if (size != 0 && (package ? has_init(i) : !is_init(&name)) && !add_module(found, name.data, size, package)) {
            return false;
        }
    }
    return true;
}

PyObject *ox_modules_in(const char *folder, size_t folder_size, PyObject *prefix)
{
    const struct ox_text text = {folder, folder_size};
    PyObject *found = PyDict_New();
    PyObject *pairs = NULL;
    if (found == NULL || !add_rows(&text, found) || !add_files(&text, found)) {
        goto done;
    }
    pairs = PyList_New(0);
    PyObject *name;
    PyObject *package;
    for (Py_ssize_t at = 0; pairs != NULL && PyDict_Next(found, &at, &name, &package);) {
        PyObject *full = prefix == NULL ? Py_NewRef(name) : PyUnicode_Concat(prefix, name);
        PyObject *pair = full == NULL ? NULL : PyTuple_Pack(2, full, package);
        if (pair == NULL || PyList_Append(pairs, pair) < 0) {
            Py_CLEAR(pairs);
        }
        Py_XDECREF(pair);
        Py_XDECREF(full);
    }
    if (pairs != NULL && PyList_Sort(pairs) < 0) {
        Py_CLEAR(pairs);
    }
done:
    Py_XDECREF(found);
    return pairs;
}
