/* Module specs, as importlib makes them for modules on disk. */
#include <Python.h>

#include <string.h>

#include "importer_internal.h"
#include "fsname.h"
#include "locate.h"
#include "platform.h"
#include "settings.h"

PyObject *ox_absolute(struct ox_string path)
{
    struct ox_text text;
    if (!ox_blob_text(&ox.blob, path, &text)) {
        ox_damaged("a path lies outside the blob");
    }
    char buffer[2 * OX_PATH_MAX];
    if (text.size >= sizeof buffer - ox.mount.size - 2) {
        ox_damaged("a path is too long");
    }
    ox_vfs_write(text, buffer);
    return ox_decode_path(buffer);
}

/* Where a compiled copy would lie (PEP 3147). It is nowhere; but a spec without it would have importlib work it out in
 * Python for each module. */
static PyObject *cached_path(struct ox_string path)
{
    struct ox_text text;
    if (!ox_blob_text(&ox.blob, path, &text)) {
        ox_damaged("a path lies outside the blob");
    }
    const char *slash = ox_find_last(text.data, '/', text.size);
    int folder = slash == NULL ? 0 : (int)(slash + 1 - text.data);
    int stem = (int)text.size - folder - 3; /* ".py" */
    if (stem <= 0 || memcmp(text.data + text.size - 3, ".py", 3) != 0) {
        Py_RETURN_NONE;
    }
    static const char *const optimized[] = {"", ".opt-1", ".opt-2"};
    int64_t level = ox_setting_number(OX_KEY_OPTIMIZE, 0);
    char buffer[2 * OX_PATH_MAX];
    int size = PyOS_snprintf(buffer, sizeof buffer, "%s/%.*s__pycache__/%.*s.cpython-%d%d%s.pyc", ox.mount.path, folder,
        text.data, stem, text.data + folder, PY_MAJOR_VERSION, PY_MINOR_VERSION,
        optimized[level < 0 || level > 2 ? 0 : level]);
    if (size < 0 || (size_t)size >= sizeof buffer) {
        Py_RETURN_NONE;
    }
    ox_separate(buffer + ox.mount.size);
    return ox_decode_path(buffer);
}

/* object.name = value; a NULL value is an error already set. */
static int set(struct ox_importer *importer, PyObject *object, enum ox_name name, PyObject *value)
{
    return value == NULL ? -1 : PyObject_SetAttr(object, importer->names[name], value);
}

static PyObject *new_loader(
    PyObject *module, struct ox_importer *importer, PyObject *name, PyObject *path, uint32_t row)
{
    bool extension = (ox.blob.modules[row].flags & OX_EXTENSION) != 0;
    if (ox_loader_type(module, importer) == NULL) {
        return NULL;
    }
    return extension ? PyObject_CallMethod(importer->external, "ExtensionFileLoader", "OO", name, path)
                     : ox_loader(importer, name, path, row);
}

/* [folder of a package's __init__] */
static PyObject *package_path(PyObject *origin, bool is_namespace)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(origin);
    Py_ssize_t slash = is_namespace ? size : PyUnicode_FindChar(origin, OX_SEPARATOR, 0, size, -1);
    PyObject *folder = slash < 0 ? NULL : PyUnicode_Substring(origin, 0, slash);
    PyObject *list = folder == NULL ? NULL : PyList_New(1);
    if (list == NULL) {
        Py_XDECREF(folder);
        return NULL;
    }
    PyList_SET_ITEM(list, 0, folder);
    return list;
}

/* What makes a spec that of a file: __file__ and __cached__ are set from it. */
static int make_file_spec(struct ox_importer *importer, PyObject *spec, const struct ox_module *row)
{
    PyObject *cached = cached_path(row->path);
    int result = set(importer, spec, OX_NAME__set_fileattr, Py_True);
    if (result == 0) {
        result = set(importer, spec, OX_NAME__cached, cached);
    }
    Py_XDECREF(cached);
    return result;
}

PyObject *ox_spec(PyObject *module, struct ox_importer *importer, PyObject *name, uint32_t index)
{
    const struct ox_module *row = &ox.blob.modules[index];
    bool is_namespace = (row->flags & OX_NAMESPACE) != 0;
    PyObject *loader = NULL;
    PyObject *spec = NULL;
    PyObject *origin = ox_absolute(row->path);
    if (origin == NULL) {
        return NULL;
    }
    loader = is_namespace ? Py_NewRef(Py_None) : new_loader(module, importer, name, origin, index);
    if (loader == NULL) {
        goto done;
    }
    PyObject *arguments[] = {name, loader, is_namespace ? Py_None : origin, Py_False};
    spec = PyObject_Vectorcall(importer->spec, arguments, 2, importer->spec_keywords);
    if (spec == NULL || (!is_namespace && make_file_spec(importer, spec, row) < 0)) {
        Py_CLEAR(spec);
        goto done;
    }
    if ((row->flags & (OX_PACKAGE | OX_NAMESPACE)) != 0) {
        PyObject *path = package_path(origin, is_namespace);
        if (set(importer, spec, OX_NAME_submodule_search_locations, path) < 0) {
            Py_CLEAR(spec);
        }
        Py_XDECREF(path);
    }
done:
    Py_XDECREF(loader);
    Py_DECREF(origin);
    return spec;
}
