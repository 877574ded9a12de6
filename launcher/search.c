/* Which embedded module an import means: by its name, and along sys.path or a package's __path__ as PathFinder goes. */
#include <Python.h>

#include <string.h>

#include "importer_internal.h"
#include "fsname.h"
#include "locate.h"
#include "platform.h"

bool ox_is_found(enum ox_found found)
{
    if (found == OX_DAMAGED) {
        ox_damaged("an index points outside its section");
    }
    return found == OX_FOUND;
}

/* Whether the row lies in this folder: "folder/tail.py", "folder/tail/__init__.py", "folder/tail" … */
static bool lies_in(uint32_t row, const char *folder, size_t folder_size, const char *tail, size_t tail_size)
{
    struct ox_text path;
    if (!ox_blob_text(&ox.blob, ox.blob.modules[row].path, &path)) {
        ox_damaged("a path lies outside the blob");
    }
    if (folder_size != 0) {
        if (path.size <= folder_size || memcmp(path.data, folder, folder_size) != 0 || path.data[folder_size] != '/') {
            return false;
        }
        path.data += folder_size + 1;
        path.size -= folder_size + 1;
    }
    return path.size >= tail_size && memcmp(path.data, tail, tail_size) == 0
        && (path.size == tail_size || path.data[tail_size] == '.' || path.data[tail_size] == '/');
}

enum ox_found ox_find_in_folder(
    const char *folder, size_t folder_size, const char *tail, size_t tail_size, uint32_t *row)
{
    static const char stdlib[] = "lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION);
    const size_t stdlib_size = sizeof stdlib - 1;
    char name[OX_PATH_MAX];
    const char *rest = folder;
    size_t rest_size = folder_size;
    if (rest_size >= stdlib_size && memcmp(rest, stdlib, stdlib_size) == 0
        && (rest_size == stdlib_size || rest[stdlib_size] == '/')) {
        size_t skip = rest_size == stdlib_size ? stdlib_size : stdlib_size + 1;
        rest += skip;
        rest_size -= skip;
    }
    size_t size = 0;
    if (rest_size + tail_size + 2 > sizeof name) {
        return OX_ABSENT;
    }
    for (size_t i = 0; i < rest_size; i++) {
        name[size++] = rest[i] == '/' ? '.' : rest[i];
    }
    if (size != 0) {
        name[size++] = '.';
    }
    memcpy(name + size, tail, tail_size);
    size += tail_size;
    enum ox_found found = ox_blob_find_module(&ox.blob, name, size, row);
    return found == OX_FOUND && !lies_in(*row, folder, folder_size, tail, tail_size) ? OX_ABSENT : found;
}

bool ox_has_child(const char *folder, size_t folder_size, const char *tail, size_t tail_size)
{
    uint32_t node;
    uint32_t first;
    uint32_t count;
    if (!ox_is_found(ox_blob_find_node(&ox.blob, folder, folder_size, &node))
        || !ox_blob_children(&ox.blob, node, &first, &count)) {
        return false;
    }
    while (count > 0) {
        struct ox_text name;
        uint32_t middle = first + count / 2;
        if (!ox_vfs_name(middle, &name)) {
            return false;
        }
        int order = memcmp(name.data, tail, name.size < tail_size ? name.size : tail_size);
        if (order == 0 && name.size >= tail_size) {
            return true;
        }
        if (order < 0 || (order == 0 && name.size < tail_size)) {
            first = middle + 1;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return false;
}

bool ox_folder(PyObject *entry, struct ox_folder *folder)
{
    PyObject *bytes = NULL;
    const char *text = NULL;
    if (PyUnicode_Check(entry) && PyUnicode_IS_ASCII(entry)) {
        text = PyUnicode_AsUTF8(entry);
    } else if (PyUnicode_Check(entry)) {
        /* The executable's folder may not be UTF-8: AsUTF8 would look for a codec's error handler, before there is one. */
        bytes = ox_encode_path(entry);
        text = bytes == NULL ? NULL : PyBytes_AS_STRING(bytes);
    } else if (PyBytes_Check(entry)) {
        text = PyBytes_AS_STRING(entry);
    }
    PyErr_Clear();
    bool ours = false;
    if (text != NULL && !ox_vfs_outside(text)) {
        struct ox_lookup lookup;
        ox_vfs_lookup(text, &lookup);
        struct ox_text below = {"", 0};
        ours = lookup.place == OX_SELF
            || (lookup.place == OX_VIRTUAL && ox.blob.nodes[lookup.node].kind == OX_DIR
                && ox_vfs_path(lookup.node, &below));
        folder->data = below.data;
        folder->size = below.size;
    }
    Py_XDECREF(bytes);
    return ours;
}

/* Whether the finder that PathFinder uses for this entry has nothing of the name. What has never been looked through, and
 * what has something, is for PathFinder itself. */
static bool has_nothing(struct ox_importer *importer, PyObject *entry, PyObject *fullname)
{
    PyObject *cache = PySys_GetObject("path_importer_cache");
    PyObject *finder = cache == NULL || !PyDict_Check(cache) ? NULL : PyDict_GetItemWithError(cache, entry);
    if (finder == NULL || finder == Py_None) {
        return finder != NULL;
    }
    Py_INCREF(finder);
    PyObject *spec = PyObject_CallMethodOneArg(finder, importer->names[OX_NAME_find_spec], fullname);
    Py_DECREF(finder);
    Py_XDECREF(spec);
    return spec == Py_None;
}

/* The name that is looked for: whole, its last part, and the row that has it, wherever that lies. */
struct wanted {
    PyObject *fullname;
    const char *tail;
    size_t tail_size;
    bool known;
    uint32_t row;
};

enum step { FOUND, NOT_HERE, NOT_OURS };

/* Looks at one entry of a path. */
static enum step look_at(struct ox_importer *importer, PyObject *entry, struct wanted *wanted)
{
    struct ox_folder folder;
    uint32_t other;
    if (!PyUnicode_Check(entry)) {
        return NOT_HERE; /* PathFinder heeds str only */
    }
    if (!ox_folder(entry, &folder)) {
        return has_nothing(importer, entry, wanted->fullname) ? NOT_HERE : NOT_OURS;
    }
    if (wanted->known && lies_in(wanted->row, folder.data, folder.size, wanted->tail, wanted->tail_size)) {
        return FOUND;
    }
    if (ox_is_found(ox_find_in_folder(folder.data, folder.size, wanted->tail, wanted->tail_size, &other))) {
        wanted->row = other;
        return FOUND;
    }
    return ox_has_child(folder.data, folder.size, wanted->tail, wanted->tail_size) ? NOT_OURS : NOT_HERE;
}

static enum step walk(struct ox_importer *importer, PyObject *path, struct wanted *wanted)
{
    PyObject *entries = PyObject_GetIter(path);
    PyObject *entry;
    enum step step = NOT_HERE;
    while (entries != NULL && step == NOT_HERE && (entry = PyIter_Next(entries)) != NULL) {
        step = look_at(importer, entry, wanted);
        Py_DECREF(entry);
    }
    Py_XDECREF(entries);
    return step;
}

/* Whether sys.path begins as it did at the start: the library, then all else that is embedded. */
static bool is_usual(struct ox_importer *importer, PyObject *path)
{
    return PyList_GET_SIZE(path) >= 2 && PyList_GET_ITEM(path, 0) == importer->library
        && PyList_GET_ITEM(path, 1) == importer->mount;
}

bool ox_find(struct ox_importer *importer, PyObject *fullname, PyObject *path, uint32_t *row)
{
    Py_ssize_t size;
    const char *name = PyUnicode_Check(fullname) ? PyUnicode_AsUTF8AndSize(fullname, &size) : NULL;
    if (name == NULL) {
        PyErr_Clear();
        return false;
    }
    const char *dot = ox_find_last(name, '.', (size_t)size);
    struct wanted wanted = {.fullname = fullname, .tail = dot == NULL ? name : dot + 1};
    wanted.tail_size = (size_t)(name + size - wanted.tail);
    wanted.known = ox_is_found(ox_blob_find_module(&ox.blob, name, (size_t)size, &wanted.row));
    bool found;
    if (path == Py_None) {
        path = PySys_GetObject("path");
        if (path == NULL || !PyList_Check(path) || is_usual(importer, path)) {
            found = wanted.known;
        } else {
            /* What no entry decides is found all the same: a program may set sys.path anew. */
            enum step step = walk(importer, path, &wanted);
            found = step == FOUND || (step == NOT_HERE && wanted.known);
        }
    } else {
        found = walk(importer, path, &wanted) == FOUND;
    }
    *row = wanted.row;
    return found && !PyErr_Occurred();
}

static bool is_importlibs(const struct ox_importer *importer, const PyObject *finder)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(importer->finders); i++) {
        if (PyTuple_GET_ITEM(importer->finders, i) == finder) {
            return true;
        }
    }
    return false;
}

PyObject *ox_ask_others(
    PyObject *self, const struct ox_importer *importer, PyObject *fullname, PyObject *path, PyObject *target)
{
    PyObject *list = PySys_GetObject("meta_path");
    Py_ssize_t count = importer->finders == NULL ? 0 : PyTuple_GET_SIZE(importer->finders);
    if (list == NULL || count == 0 || !PyList_Check(list)) {
        Py_RETURN_NONE;
    }
    PyObject *last = PyTuple_GET_ITEM(importer->finders, count - 1);
    Py_ssize_t own = 0;
    while (own < PyList_GET_SIZE(list) && PyList_GET_ITEM(list, own) != self) {
        own++;
    }
    Py_ssize_t end = own + 1;
    while (end < PyList_GET_SIZE(list) && PyList_GET_ITEM(list, end) != last) {
        end++;
    }
    if (end - own <= count || end >= PyList_GET_SIZE(list)) {
        Py_RETURN_NONE;
    }
    PyObject *between = PyList_GetSlice(list, own + 1, end);
    PyObject *spec = Py_NewRef(Py_None);
    for (Py_ssize_t i = 0; between != NULL && spec == Py_None && i < PyList_GET_SIZE(between); i++) {
        PyObject *finder = PyList_GET_ITEM(between, i);
        if (!is_importlibs(importer, finder)) {
            Py_SETREF(spec,
                PyObject_CallMethodObjArgs(finder, importer->names[OX_NAME_find_spec], fullname, path, target, NULL));
        }
    }
    Py_XDECREF(between);
    return spec;
}
