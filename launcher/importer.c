#include "importer_internal.h"

#include <stddef.h>
#include <string.h>

#include "fsname.h"
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
static bool is_ours(const struct ox_importer *importer, uint32_t row)
{
    return (ox.blob.modules[row].flags & OX_NAMESPACE) == 0 && row != importer->zipimport;
}

PyDoc_STRVAR(find_spec_doc,
    "find_spec($self, fullname, path=None, target=None, /)\n--\n\n"
    "The spec of a module in this executable, or None.\n\n"
    "path is None for a top-level name, else the package's __path__; only its entries below the executable count.");

static PyObject *finder_find_spec(PyObject *self, PyTypeObject *type, PyObject *const *arguments, Py_ssize_t count,
    PyObject *keywords)
{
    PyObject *fullname;
    PyObject *path = Py_None;
    PyObject *target = Py_None;
    if (keywords == NULL && count >= 1 && count <= 3) {
        fullname = arguments[0];
        path = count >= 2 ? arguments[1] : Py_None;
        target = count >= 3 ? arguments[2] : Py_None;
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
    struct ox_importer *importer = PyType_GetModuleState(type);
    PyObject *spec = ox_ask_others(self, importer, fullname, path, target);
    if (spec != Py_None) {
        return spec;
    }
    Py_DECREF(spec);
    uint32_t row;
    if (!ox_find(importer, fullname, path, &row) || !is_ours(importer, row)) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    return ox_spec(PyType_GetModule(type), importer, fullname, row);
}

/* `state` is for oxidized_importer (launcher/python), whose OxidizedFinder is a subclass without a field more. */
struct finder {
    PyObject_HEAD
    PyObject *state;
};

static int finder_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct finder *)self)->state);
    return 0;
}

static int finder_clear(PyObject *self)
{
    Py_CLEAR(((struct finder *)self)->state);
    return 0;
}

static void finder_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    finder_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
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

static PyMemberDef finder_members[] = {
    {"state", Py_T_OBJECT_EX, offsetof(struct finder, state), 0, "What a subclass keeps."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot finder_slots[] = {
    {Py_tp_doc, "Finds the modules that are embedded in this executable."},
    {Py_tp_dealloc, (void *)(uintptr_t)finder_dealloc},
    {Py_tp_traverse, (void *)(uintptr_t)finder_traverse},
    {Py_tp_clear, (void *)(uintptr_t)finder_clear},
    {Py_tp_members, finder_members},
    {Py_tp_methods, finder_methods},
    {Py_tp_repr, (void *)(uintptr_t)finder_repr},
    {0, NULL},
};

static PyType_Spec finder_type = {
    .name = "_oxcross.Finder",
    .basicsize = sizeof(struct finder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = finder_slots,
};

static uint32_t row_of(const char *name)
{
    uint32_t row;
    return ox_is_found(ox_blob_find_module(&ox.blob, name, strlen(name), &row)) ? row : OX_NONE;
}

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
    importer->zipimport = row_of("zipimport");
    importer->pkg_resources = row_of("pkg_resources");
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
    importer->finder = PyType_FromModuleAndSpec(module, &finder_type, NULL);
    importer->entry_finder = PyType_FromModuleAndSpec(module, &ox_entry_finder_type, NULL);
    if (importer->spec == NULL || importer->call == NULL || importer->exec == NULL || importer->spec_keywords == NULL
        || importer->finder == NULL || importer->entry_finder == NULL) {
        return -1;
    }
    return PyModule_Add(module, "mount", ox_decode_path(ox.mount.path)) < 0
            || PyModule_AddType(module, (PyTypeObject *)importer->finder) < 0
            || PyModule_AddType(module, (PyTypeObject *)importer->entry_finder) < 0
        ? -1
        : 0;
}

/* Every object of the state, for the garbage collector. */
#define OX_STATE_OBJECTS(X)                                                                                            \
    X(spec_keywords) X(library) X(mount) X(finders) X(zip_hook) X(hooks) X(spec) X(call) X(exec) X(finder) X(entry_finder)         \
    X(loader) X(external)

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
    ox_words_clear(&importer->words);
    for (int i = 0; i < OX_NAME_COUNT; i++) {
        Py_CLEAR(importer->names[i]);
    }
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

static PyObject *module_modules(PyObject *module, PyObject *none)
{
    (void)module;
    (void)none;
    PyObject *list = PyList_New(0);
    for (uint32_t row = 0; list != NULL && row < ox.blob.module_count; row++) {
        struct ox_text name;
        struct ox_text path;
        if (!ox_blob_text(&ox.blob, ox.blob.modules[row].name, &name)
            || !ox_blob_text(&ox.blob, ox.blob.modules[row].path, &path)) {
            ox_damaged("a module's name lies outside the blob");
        }
        PyObject *item = Py_BuildValue("s#s#k", name.data, (Py_ssize_t)name.size, path.data, (Py_ssize_t)path.size,
            (unsigned long)ox.blob.modules[row].flags);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)(uintptr_t)module_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static PyMethodDef module_methods[] = {
    {"modules", module_modules, METH_NOARGS,
        "Every embedded module: (name, path below the executable, flags of enum ox_module_flag)."},
    {NULL, NULL, 0, NULL}, /* path_hook and zip_hook, put in when the module is made */
    {NULL, NULL, 0, NULL},
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
    .m_free = module_free,
};

PyObject *ox_importer_create(void)
{
    module_methods[1] = ox_path_hook;
    module_methods[2] = ox_zip_hook;
    return PyModuleDef_Init(&ox_importer_definition);
}
