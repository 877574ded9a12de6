#include <Python.h>

#include <string.h>
#include <stddef.h>

#include "importer_internal.h"
#include "memory.h"
#include "vfs.h"

/* The finder for one folder below the executable: what PathFinder uses for entries of sys.path and __path__, and pkgutil
 * to list modules. Modules that the blob has no code for (files that were added as data) are left to a FileFinder, which
 * reads the same folder through the virtual file system. */
struct entry_finder {
    PyObject_HEAD
    PyObject *path; /* str, as it was given */
    PyObject *files; /* importlib.machinery.FileFinder, made when first needed */
    char *folder;    /* below the mount point */
    size_t folder_size;
};

bool ox_folder(PyObject *entry, struct ox_folder *folder)
{
    PyObject *bytes = NULL;
    Py_ssize_t size;
    const char *text = PyUnicode_Check(entry) ? PyUnicode_AsUTF8AndSize(entry, &size) : NULL;
    if (text == NULL && PyUnicode_Check(entry)) {
        PyErr_Clear();
        bytes = PyUnicode_EncodeFSDefault(entry); /* an executable in a folder that is not UTF-8 */
        text = bytes == NULL ? NULL : PyBytes_AS_STRING(bytes);
    } else if (text == NULL && PyBytes_Check(entry)) {
        text = PyBytes_AS_STRING(entry);
    }
    PyErr_Clear();
    bool ours = false;
    if (text != NULL && !ox_vfs_outside(text)) {
        struct ox_lookup lookup;
        ox_vfs_lookup(text, &lookup);
        ours = lookup.place == OX_SELF
            || (lookup.place == OX_VIRTUAL && ox.blob.nodes[lookup.node].kind == OX_DIR);
        if (ours) {
            const char *below = lookup.buffer + ox.mount.size;
            folder->size = strlen(below + (*below == '/'));
            memcpy(folder->buffer, below + (*below == '/'), folder->size + 1);
            folder->data = folder->buffer;
        }
    }
    Py_XDECREF(bytes);
    return ours;
}

static int finder_init(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"path", NULL};
    struct entry_finder *finder = (struct entry_finder *)self;
    struct ox_folder folder;
    PyObject *path;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O:PathEntryFinder", names, &path)) {
        return -1;
    }
    if (!ox_folder(path, &folder)) {
        PyErr_Format(PyExc_ImportError, "%R is not a folder in this executable", path);
        return -1;
    }
    char *copy = ox_alloc(folder.size + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, folder.data, folder.size + 1);
    ox_free(finder->folder);
    finder->folder = copy;
    finder->folder_size = folder.size;
    PyObject *text = NULL;
    if (!PyUnicode_FSDecoder(path, &text)) {
        return -1;
    }
    Py_XSETREF(finder->path, text);
    return 0;
}

static int finder_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct entry_finder *finder = (struct entry_finder *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(finder->path);
    Py_VISIT(finder->files);
    return 0;
}

static int finder_clear(PyObject *self)
{
    struct entry_finder *finder = (struct entry_finder *)self;
    Py_CLEAR(finder->path);
    Py_CLEAR(finder->files);
    return 0;
}

static void finder_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    finder_clear(self);
    ox_free(((struct entry_finder *)self)->folder);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Whether the folder has anything whose name starts with `tail`: children are sorted. */
static bool has_child(const struct entry_finder *finder, const char *tail, size_t tail_size)
{
    uint32_t node;
    uint32_t first;
    uint32_t count;
    if (!ox_is_found(ox_blob_find_node(&ox.blob, finder->folder, finder->folder_size, &node))
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

/* A FileFinder for the same folder, with the loaders that importlib itself uses. */
static PyObject *file_finder(struct entry_finder *finder)
{
    if (finder->files == NULL) {
        PyObject *external = PyImport_ImportModule("_frozen_importlib_external");
        PyObject *loaders = external == NULL ? NULL : PyObject_CallMethod(external, "_get_supported_file_loaders", NULL);
        PyObject *type = loaders == NULL ? NULL : PyObject_GetAttrString(external, "FileFinder");
        PyObject *list = type == NULL ? NULL : PySequence_List(loaders);
        if (list != NULL && PyList_Insert(list, 0, finder->path) == 0) {
            PyObject *arguments = PyList_AsTuple(list);
            finder->files = arguments == NULL ? NULL : PyObject_CallObject(type, arguments);
            Py_XDECREF(arguments);
        }
        Py_XDECREF(list);
        Py_XDECREF(type);
        Py_XDECREF(loaders);
        Py_XDECREF(external);
    }
    return finder->files;
}

static PyObject *finder_find_spec(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"fullname", "target", NULL};
    struct entry_finder *finder = (struct entry_finder *)self;
    PyObject *fullname;
    PyObject *target = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "U|O:find_spec", names, &fullname, &target)) {
        return NULL;
    }
    Py_ssize_t size;
    const char *name = PyUnicode_AsUTF8AndSize(fullname, &size);
    if (name == NULL || finder->folder == NULL) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const char *dot = memrchr(name, '.', (size_t)size);
    const char *tail = dot == NULL ? name : dot + 1;
    size_t tail_size = (size_t)(name + size - tail);
    uint32_t row;
    if (ox_is_found(ox_find_in_folder(finder->folder, finder->folder_size, tail, tail_size, &row))) {
        PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &ox_importer_definition);
        return module == NULL ? NULL : ox_spec(module, PyModule_GetState(module), fullname, row);
    }
    if (!has_child(finder, tail, tail_size)) {
        Py_RETURN_NONE;
    }
    PyObject *files = file_finder(finder);
    return files == NULL ? NULL : PyObject_CallMethod(files, "find_spec", "OO", fullname, target);
}

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
static bool add_rows(const struct entry_finder *finder, PyObject *found)
{
    static const char init[] = "__init__.";
    for (uint32_t row = 0; row < ox.blob.module_count; row++) {
        struct ox_text path;
        if (!ox_blob_text(&ox.blob, ox.blob.modules[row].path, &path)) {
            return true;
        }
        size_t skip = finder->folder_size + (finder->folder_size != 0);
        if (path.size <= skip || memcmp(path.data, finder->folder, finder->folder_size) != 0
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

/* Python files that were added as data: "tail.py". */
static bool add_files(const struct entry_finder *finder, PyObject *found)
{
    uint32_t node;
    uint32_t first;
    uint32_t count;
    if (!ox_is_found(ox_blob_find_node(&ox.blob, finder->folder, finder->folder_size, &node))
        || !ox_blob_children(&ox.blob, node, &first, &count)) {
        return true;
    }
    for (uint32_t i = first; i < first + count; i++) {
        struct ox_text name;
        if (ox_vfs_name(i, &name) && name.size > 3 && memcmp(name.data + name.size - 3, ".py", 3) == 0
            && memchr(name.data, '.', name.size - 3) == NULL && strcmp(name.data, "__init__.py") != 0
            && !add_module(found, name.data, name.size - 3, false)) {
            return false;
        }
    }
    return true;
}

PyDoc_STRVAR(iter_modules_doc,
    "iter_modules($self, prefix='', /)\n--\n\n"
    "The modules of this folder as (prefix + name, is_package), sorted: what pkgutil.iter_modules asks for.");

static PyObject *finder_iter_modules(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"prefix", NULL};
    struct entry_finder *finder = (struct entry_finder *)self;
    PyObject *prefix = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|U:iter_modules", names, &prefix)) {
        return NULL;
    }
    PyObject *found = PyDict_New();
    PyObject *pairs = NULL;
    PyObject *result = NULL;
    if (found == NULL || finder->folder == NULL || !add_rows(finder, found) || !add_files(finder, found)) {
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
    if (pairs != NULL && PyList_Sort(pairs) == 0) {
        result = PyObject_GetIter(pairs);
    }
done:
    Py_XDECREF(pairs);
    Py_XDECREF(found);
    return result;
}

static PyObject *finder_invalidate_caches(PyObject *self, PyObject *none)
{
    (void)none;
    struct entry_finder *finder = (struct entry_finder *)self;
    Py_CLEAR(finder->files);
    Py_RETURN_NONE;
}

static PyObject *finder_repr(PyObject *self)
{
    return PyUnicode_FromFormat("_oxcross.PathEntryFinder(%R)", ((struct entry_finder *)self)->path);
}

static PyMethodDef finder_methods[] = {
    {"find_spec", (PyCFunction)(void (*)(void))finder_find_spec, METH_VARARGS | METH_KEYWORDS,
        "The spec of a module in this folder, or None."},
    {"iter_modules", (PyCFunction)(void (*)(void))finder_iter_modules, METH_VARARGS | METH_KEYWORDS, iter_modules_doc},
    {"invalidate_caches", finder_invalidate_caches, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef finder_members[] = {
    {"path", Py_T_OBJECT_EX, offsetof(struct entry_finder, path), Py_READONLY, "The folder."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot finder_slots[] = {
    {Py_tp_doc, "Finds modules in one folder below this executable."},
    {Py_tp_init, (void *)(uintptr_t)finder_init},
    {Py_tp_dealloc, (void *)(uintptr_t)finder_dealloc},
    {Py_tp_traverse, (void *)(uintptr_t)finder_traverse},
    {Py_tp_clear, (void *)(uintptr_t)finder_clear},
    {Py_tp_methods, finder_methods},
    {Py_tp_members, finder_members},
    {Py_tp_repr, (void *)(uintptr_t)finder_repr},
    {0, NULL},
};

PyType_Spec ox_entry_finder_type = {
    .name = "_oxcross.PathEntryFinder",
    .basicsize = sizeof(struct entry_finder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = finder_slots,
};

static PyObject *path_hook(PyObject *module, PyObject *path)
{
    struct ox_importer *importer = PyModule_GetState(module);
    return PyObject_CallOneArg(importer->entry_finder, path);
}

PyMethodDef ox_path_hook = {"path_hook", path_hook, METH_O,
    "A PathEntryFinder for a folder below this executable; ImportError for any other path."};
