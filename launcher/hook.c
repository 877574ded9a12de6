/* The path hook: which entries of sys.path and __path__ have a finder. */
#include <Python.h>

#include <string.h>

#include "importer_internal.h"
#include "memory.h"
#include "platform.h"
#include "settings.h"

/* Whether the application's configuration names this folder or archive, or one that it lies in. */
static bool is_configured(PyObject *path)
{
    struct ox_text text;
    PyObject *bytes = NULL;
    bool found = false;
    if (!PyUnicode_FSConverter(path, &bytes)) {
        PyErr_Clear();
        return false;
    }
    for (uint32_t at = 0; !found && ox_setting_next(OX_KEY_SYS_PATH, &at, &text);) {
        char *entry = ox_setting_path(text.data);
        size_t size = entry == NULL ? 0 : strlen(entry);
        const char *given = PyBytes_AS_STRING(bytes);
        found = size != 0 && strncmp(given, entry, size) == 0 && (given[size] == '\0' || given[size] == OX_SEPARATOR);
        ox_free(entry);
    }
    Py_DECREF(bytes);
    return found;
}

/* Whether this lies in the executable: an archive, or a folder in one. */
static bool is_inside(PyObject *path)
{
    PyObject *bytes = NULL;
    struct ox_lookup lookup = {.place = OX_OUTSIDE};
    if (!PyUnicode_FSConverter(path, &bytes)) {
        PyErr_Clear();
        return false;
    }
    if (!ox_vfs_outside(PyBytes_AS_STRING(bytes))) {
        ox_vfs_lookup(PyBytes_AS_STRING(bytes), &lookup);
    }
    Py_DECREF(bytes);
    return lookup.place == OX_VIRTUAL || lookup.place == OX_MISSING;
}

/* What the first of importlib's own hooks gives that takes the path. */
static PyObject *ask_hooks(PyObject *hooks, PyObject *path)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(hooks); i++) {
        PyObject *finder = PyObject_CallOneArg(PyTuple_GET_ITEM(hooks, i), path);
        if (finder != NULL || !PyErr_ExceptionMatches(PyExc_ImportError)) {
            return finder;
        }
        PyErr_Clear();
    }
    return PyErr_Format(PyExc_ImportError, "no modules can be had from %R", path);
}

static PyObject *path_hook(PyObject *module, PyObject *path)
{
    struct ox_importer *importer = PyModule_GetState(module);
    PyObject *entry = PyOS_FSPath(path);
    PyObject *finder = NULL;
    struct ox_folder folder;
    if (entry == NULL) {
        return NULL;
    }
    if (ox_folder(entry, &folder) || importer->hooks == NULL) {
        finder = PyObject_CallOneArg(importer->entry_finder, entry);
    } else if (is_inside(entry) || is_configured(entry)) {
        finder = ask_hooks(importer->hooks, entry);
    } else {
        PyErr_Format(PyExc_ImportError, "%R: this executable takes no modules from the file system", path);
    }
    Py_DECREF(entry);
    return finder;
}

PyMethodDef ox_path_hook = {"path_hook", path_hook, METH_O,
    "A PathEntryFinder for a folder below this executable; ImportError for any other path."};

/* Whether there is a folder of this name. */
static bool is_directory(PyObject *path)
{
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(path, &bytes)) {
        PyErr_Clear();
        return false;
    }
    bool found = ox_is_directory(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    return found;
}

/* Puts the class in place of what stood for it. */
static bool settle(PyObject *own, PyObject *zipimporter)
{
    PyObject *hooks = PySys_GetObject("path_hooks");
    if (hooks == NULL || !PyList_Check(hooks)) {
        return true;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hooks); i++) {
        if (PyList_GET_ITEM(hooks, i) == own) {
            return PyList_SetItem(hooks, i, Py_NewRef(zipimporter)) == 0;
        }
    }
    return true;
}

static PyObject *zip_hook(PyObject *module, PyObject *path)
{
    struct ox_importer *importer = PyModule_GetState(module);
    if (is_directory(path)) {
        return PyErr_Format(PyExc_ImportError, "not a Zip file: %R", path);
    }
    PyObject *zipimport = PyImport_ImportModule("zipimport");
    PyObject *zipimporter = zipimport == NULL ? NULL : PyObject_GetAttrString(zipimport, "zipimporter");
    PyObject *finder = NULL;
    if (zipimporter != NULL && settle(importer->zip_hook, zipimporter)) {
        finder = PyObject_CallOneArg(zipimporter, path);
    }
    Py_XDECREF(zipimport);
    Py_XDECREF(zipimporter);
    return finder;
}

PyMethodDef ox_zip_hook = {"zip_hook", zip_hook, METH_O,
    "Stands for zipimport.zipimporter on sys.path_hooks until a path comes that may be an archive."};
