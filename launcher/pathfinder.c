#include <Python.h>

#include <string.h>
#include <stddef.h>

#include "importer_internal.h"
#include "memory.h"
#include "platform.h"
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
    const char *dot = ox_find_last(name, '.', (size_t)size);
    const char *tail = dot == NULL ? name : dot + 1;
    size_t tail_size = (size_t)(name + size - tail);
    uint32_t row;
    if (ox_is_found(ox_find_in_folder(finder->folder, finder->folder_size, tail, tail_size, &row))) {
        PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &ox_importer_definition);
        return module == NULL ? NULL : ox_spec(module, PyModule_GetState(module), fullname, row);
    }
    if (!ox_has_child(finder->folder, finder->folder_size, tail, tail_size)) {
        Py_RETURN_NONE;
    }
    PyObject *files = file_finder(finder);
    return files == NULL ? NULL : PyObject_CallMethod(files, "find_spec", "OO", fullname, target);
}

static PyObject *finder_iter_modules(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"prefix", NULL};
    struct entry_finder *finder = (struct entry_finder *)self;
    PyObject *prefix = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|U:iter_modules", names, &prefix)) {
        return NULL;
    }
    if (finder->folder == NULL) {
        return PyErr_Format(PyExc_ValueError, "the finder has no folder");
    }
    PyObject *modules = ox_modules_in(finder->folder, finder->folder_size, prefix);
    PyObject *iterator = modules == NULL ? NULL : PyObject_GetIter(modules);
    Py_XDECREF(modules);
    return iterator;
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
    {"iter_modules", (PyCFunction)(void (*)(void))finder_iter_modules, METH_VARARGS | METH_KEYWORDS,
        "The modules of this folder as (prefix + name, is_package), sorted: what pkgutil.iter_modules asks for."},
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
