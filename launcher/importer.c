#include "importer_internal.h"

#include <string.h>

#include "builtins.h"
#include "locate.h"

struct ox_importer *ox_importer_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &ox_importer_definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}

struct ox_importer *ox_importer_of(PyObject *instance)
{
    return ox_importer_of_type(Py_TYPE(instance));
}

/* A row without code is for PathFinder, which joins the parts of a namespace package that lie elsewhere. */
static bool is_ours(uint32_t row)
{
    return (ox.blob.modules[row].flags & OX_NAMESPACE) == 0;
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

/* The part of a dotted name behind the last dot. */
static const char *tail_of(const char *name, Py_ssize_t size, size_t *tail_size)
{
    const char *dot = memrchr(name, '.', (size_t)size);
    const char *tail = dot == NULL ? name : dot + 1;
    *tail_size = (size_t)(name + size - tail);
    return tail;
}

/* Looks a submodule up along its package's __path__, as PathFinder would. An entry that lies elsewhere ends the search:
 * then the order of entries matters, and PathFinder keeps it. */
static bool find_along(PyObject *path, const char *name, Py_ssize_t size, uint32_t *row)
{
    size_t tail_size;
    const char *tail = tail_of(name, size, &tail_size);
    bool known = ox_is_found(ox_blob_find_module(&ox.blob, name, (size_t)size, row));
    uint32_t other;
    PyObject *entry;
    bool found = false;
    PyObject *entries = PyObject_GetIter(path);
    if (entries == NULL) {
        return false;
    }
    while (!found && (entry = PyIter_Next(entries)) != NULL) {
        struct ox_folder folder;
        bool ours = ox_folder(entry, &folder);
        Py_DECREF(entry);
        if (!ours) {
            break;
        }
        if (known && lies_in(*row, folder.data, folder.size, tail, tail_size)) {
            found = true;
        } else if (ox_is_found(ox_find_in_folder(folder.data, folder.size, tail, tail_size, &other))) {
            *row = other;
            found = true;
        }
    }
    Py_DECREF(entries);
    return found && !PyErr_Occurred();
}

PyDoc_STRVAR(find_spec_doc,
    "find_spec($self, fullname, path=None, target=None, /)\n--\n\n"
    "The spec of a module in this executable, or None.\n\n"
    "path is None for a top-level name, else the package's __path__; only its entries below the executable count.");

static PyObject *finder_find_spec(PyObject *self, PyTypeObject *type, PyObject *const *arguments, Py_ssize_t count,
    PyObject *keywords)
{
    (void)self;
    PyObject *fullname;
    PyObject *path = Py_None;
    PyObject *target = Py_None;
    if (keywords == NULL && count >= 1 && count <= 3) {
        fullname = arguments[0];
        path = count >= 2 ? arguments[1] : Py_None;
    } else {
        /* Keywords are rare: importlib itself passes none. */
        static char *names[] = {"fullname", "path", "target", NULL};
        PyObject *positional = PyTuple_New(count);
        PyObject *named = PyDict_New();
        bool good = positional != NULL && named != NULL;
        for (Py_ssize_t i = 0; good && i < count; i++) {
            PyTuple_SET_ITEM(positional, i, Py_NewRef(arguments[i]));
        }
        for (Py_ssize_t i = 0; good && keywords != NULL && i < PyTuple_GET_SIZE(keywords); i++) {
            good = PyDict_SetItem(named, PyTuple_GET_ITEM(keywords, i), arguments[count + i]) == 0;
        }
        good = good
            && PyArg_ParseTupleAndKeywords(positional, named, "O|OO:find_spec", names, &fullname, &path, &target);
        Py_XDECREF(positional); /* the arguments are borrowed from our caller all the same */
        Py_XDECREF(named);
        if (!good) {
            return NULL;
        }
    }
    Py_ssize_t size;
    const char *name = PyUnicode_Check(fullname) ? PyUnicode_AsUTF8AndSize(fullname, &size) : NULL;
    if (name == NULL) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    uint32_t row;
    bool found = path == Py_None ? ox_is_found(ox_blob_find_module(&ox.blob, name, (size_t)size, &row))
                                 : find_along(path, name, size, &row);
    if (!found || !is_ours(row)) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    PyObject *module = PyType_GetModule(type);
    return ox_spec(module, PyModule_GetState(module), fullname, row);
}

static PyObject *finder_invalidate_caches(PyObject *self, PyObject *none)
{
    (void)self;
    (void)none;
    Py_RETURN_NONE;
}

static PyMethodDef finder_methods[] = {
    {"find_spec", (PyCFunction)(void (*)(void))finder_find_spec, METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
        find_spec_doc},
    {"invalidate_caches", finder_invalidate_caches, METH_NOARGS, "Nothing is cached: what is embedded stays."},
    {NULL, NULL, 0, NULL},
};

static PyObject *finder_repr(PyObject *self)
{
    (void)self;
    return PyUnicode_FromFormat("<_oxcross.Finder of %s>", ox.mount.path);
}

static PyType_Slot finder_slots[] = {
    {Py_tp_doc, "Finds the modules that are embedded in this executable."},
    {Py_tp_methods, finder_methods},
    {Py_tp_repr, (void *)(uintptr_t)finder_repr},
    {0, NULL},
};

static PyType_Spec finder_type = {
    .name = "_oxcross.Finder",
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = finder_slots,
};

static int module_exec(PyObject *module)
{
    static const char *const texts[OX_NAME_COUNT] = {
#define OX_NAME_TEXT(text) #text,
        OX_NAMES(OX_NAME_TEXT)
#undef OX_NAME_TEXT
    };
    struct ox_importer *importer = PyModule_GetState(module);
    for (int i = 0; i < OX_NAME_COUNT; i++) {
        importer->names[i] = PyUnicode_InternFromString(texts[i]);
        if (importer->names[i] == NULL) {
            return -1;
        }
    }
    PyObject *bootstrap = PyImport_AddModuleRef("_frozen_importlib");
    if (bootstrap == NULL) {
        return -1;
    }
    importer->spec = PyObject_GetAttrString(bootstrap, "ModuleSpec");
    importer->call = PyObject_GetAttrString(bootstrap, "_call_with_frames_removed");
    Py_DECREF(bootstrap);
    importer->exec = PyMapping_GetItemString(PyEval_GetBuiltins(), "exec");
    importer->spec_keywords
        = PyTuple_Pack(2, importer->names[OX_NAME_origin], importer->names[OX_NAME_is_package]);
    importer->mount = PyUnicode_DecodeFSDefault(ox.mount.path);
    importer->finder = PyType_FromModuleAndSpec(module, &finder_type, NULL);
    importer->entry_finder = PyType_FromModuleAndSpec(module, &ox_entry_finder_type, NULL);
    if (importer->spec == NULL || importer->call == NULL || importer->exec == NULL || importer->spec_keywords == NULL
        || importer->mount == NULL || importer->finder == NULL || importer->entry_finder == NULL) {
        return -1;
    }
    return PyModule_AddType(module, (PyTypeObject *)importer->finder) < 0
            || PyModule_AddType(module, (PyTypeObject *)importer->entry_finder) < 0
        ? -1
        : 0;
}

/* Every object of the state, for the garbage collector. */
#define OX_STATE_OBJECTS(X)                                                                                            \
    X(spec_keywords) X(mount) X(spec) X(call) X(exec) X(finder) X(entry_finder) X(loader) X(external)

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct ox_importer *importer = PyModule_GetState(module);
#define OX_STATE_VISIT(field) Py_VISIT(importer->field);
    OX_STATE_OBJECTS(OX_STATE_VISIT)
    return 0;
}

static int module_clear(PyObject *module)
{
    struct ox_importer *importer = PyModule_GetState(module);
#define OX_STATE_CLEAR(field) Py_CLEAR(importer->field);
    OX_STATE_OBJECTS(OX_STATE_CLEAR)
    for (int i = 0; i < OX_NAME_COUNT; i++) {
        Py_CLEAR(importer->names[i]);
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)(uintptr_t)module_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static PyMethodDef module_methods[] = {
    {NULL, NULL, 0, NULL}, /* path_hook, put in when the module is made */
    {NULL, NULL, 0, NULL},
};

struct PyModuleDef ox_importer_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_oxcross",
    .m_doc = "Imports from the data of this executable.",
    .m_size = sizeof(struct ox_importer),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyObject *ox_importer_create(void)
{
    module_methods[0] = ox_path_hook;
    return PyModuleDef_Init(&ox_importer_definition);
}

/* Puts `item` first in the list sys.<name>. */
static bool put_first(const char *name, PyObject *item)
{
    PyObject *list = PySys_GetObject(name);
    bool done = item != NULL && list != NULL && PyList_Check(list) && PyList_Insert(list, 0, item) == 0;
    Py_XDECREF(item);
    return done;
}

bool ox_importer_install(void)
{
    PyObject *module = PyImport_ImportModule("_oxcross");
    if (module == NULL) {
        return false;
    }
    struct ox_importer *importer = PyModule_GetState(module);
    bool done = put_first("meta_path", PyObject_CallNoArgs(importer->finder)) && ox_builtins_install(module);
    Py_DECREF(module);
    return done;
}

bool ox_importer_finish(void)
{
    PyObject *module = PyImport_ImportModule("_oxcross");
    bool done = module != NULL && put_first("path_hooks", PyObject_GetAttrString(module, "path_hook"));
    Py_XDECREF(module);
    return done;
}
