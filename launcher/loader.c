#include <Python.h>

#include "importer_internal.h"
#include "locate.h"
#include "memory.h"
#include "payload.h"

static PyObject *read_code(struct ox_words *words, const uint8_t *data, size_t size, PyObject *path)
{
    PyObject *code = ox_unmarshal(words, data, size, path);
    if (code != NULL && !PyCode_Check(code)) {
        ox_damaged("a module's code");
    }
    return code;
}

PyObject *ox_module_code(struct ox_words *words, const struct ox_module *module, PyObject *path)
{
    const struct ox_payload *payload = &module->code;
    const uint8_t *stored = ox_payload_open(&ox.blob, payload);
    if (stored == NULL) {
        ox_damaged("a module's code");
    }
    if (payload->codec == OX_RAW) {
        return read_code(words, stored, (size_t)payload->size, path);
    }
    uint8_t *buffer = ox_alloc((size_t)payload->size);
    if (buffer == NULL) {
        return PyErr_NoMemory();
    }
    if (!ox_payload_decode(&ox.blob, payload, stored, buffer)) {
        ox_damaged("a module's code");
    }
    PyObject *code = read_code(words, buffer, (size_t)payload->size, path);
    ox_free(buffer);
    return code;
}

/* What a loader has besides its attributes: which module it is for, plus one. 0 in a loader that someone made of the
 * class: it does what SourceFileLoader does. */
struct origin {
    uint32_t number;
};

static bool row_of(struct ox_importer *importer, PyObject *self, uint32_t *row)
{
    const struct origin *origin = PyObject_GetTypeData(self, (PyTypeObject *)importer->loader);
    *row = origin->number - 1;
    return origin->number != 0 && *row < ox.blob.module_count;
}

PyObject *ox_loader(struct ox_importer *importer, PyObject *name, PyObject *path, uint32_t row)
{
    /* What SourceFileLoader.__init__ does, without running it. */
    PyTypeObject *type = (PyTypeObject *)importer->loader;
    PyObject *loader = type->tp_alloc(type, 0);
    if (loader == NULL) {
        return NULL;
    }
    ((struct origin *)PyObject_GetTypeData(loader, type))->number = row + 1;
    if (PyObject_SetAttr(loader, importer->names[OX_NAME_name], name) < 0
        || PyObject_SetAttr(loader, importer->names[OX_NAME_path], path) < 0) {
        Py_CLEAR(loader);
    }
    return loader;
}

/* The method of the class we come from. */
static PyObject *call_base(struct ox_importer *importer, PyObject *self, const char *method, PyObject *argument)
{
    PyObject *base = PyObject_GetAttrString(importer->external, "SourceFileLoader");
    PyObject *result = base == NULL ? NULL : PyObject_CallMethod(base, method, "OO", self, argument);
    Py_XDECREF(base);
    return result;
}

/* As importlib's _check_name. */
static bool check_name(struct ox_importer *importer, PyObject *self, PyObject *name)
{
    PyObject *own = PyObject_GetAttr(self, importer->names[OX_NAME_name]);
    int same = own == NULL ? -1 : PyObject_RichCompareBool(own, name, Py_EQ);
    if (same == 0) {
        PyErr_Format(PyExc_ImportError, "loader for %S cannot handle %S", own, name);
    }
    Py_XDECREF(own);
    return same > 0;
}

static PyObject *code_of(struct ox_importer *importer, PyObject *self, uint32_t row)
{
    PyObject *path = PyObject_GetAttr(self, importer->names[OX_NAME_path]);
    PyObject *code = path == NULL ? NULL : ox_module_code(&importer->words, &ox.blob.modules[row], path);
    Py_XDECREF(path);
    return code;
}

static PyObject *loader_get_code(PyObject *self, PyObject *name)
{
    struct ox_importer *importer = ox_importer_of(self);
    uint32_t row;
    if (importer == NULL) {
        return NULL;
    }
    if (!row_of(importer, self, &row)) {
        return call_base(importer, self, "get_code", name);
    }
    return check_name(importer, self, name) ? code_of(importer, self, row) : NULL;
}

static PyObject *loader_get_source(PyObject *self, PyObject *name)
{
    struct ox_importer *importer = ox_importer_of(self);
    uint32_t row;
    if (importer == NULL) {
        return NULL;
    }
    if (row_of(importer, self, &row) && ox.blob.modules[row].source == OX_NONE) {
        if (!check_name(importer, self, name)) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    return call_base(importer, self, "get_source", name);
}

static PyObject *loader_create_module(PyObject *self, PyObject *spec)
{
    (void)self;
    (void)spec;
    Py_RETURN_NONE;
}

/* setuptools' pkg_resources looks through entries of sys.path by the classes of their finders, and knows only those of
 * CPython. What it does with a FileFinder serves ours as well: the folder can be listed. It has looked already. */
static PyObject *introduce(struct ox_importer *importer, PyObject *module)
{
    PyObject *find = PyObject_GetAttrString(module, "find_on_path");
    PyObject *done = find == NULL ? NULL
                                  : PyObject_CallMethod(module, "register_finder", "OO", importer->entry_finder, find);
    Py_XDECREF(find);
    if (done != NULL) {
        Py_SETREF(done, PyObject_CallMethod(module, "_initialize_master_working_set", NULL));
    }
    return done;
}

static PyObject *loader_exec_module(PyObject *self, PyObject *module)
{
    struct ox_importer *importer = ox_importer_of(self);
    uint32_t row;
    if (importer == NULL) {
        return NULL;
    }
    if (!row_of(importer, self, &row)) {
        return call_base(importer, self, "exec_module", module);
    }
    PyObject *code = code_of(importer, self, row);
    PyObject *dict = code == NULL ? NULL : PyObject_GetAttr(module, importer->names[OX_NAME___dict__]);
    PyObject *result = NULL;
    if (dict != NULL) {
        /* Through importlib, so that its frames are cut out of tracebacks. */
        PyObject *arguments[] = {importer->exec, code, dict};
        result = PyObject_Vectorcall(importer->call, arguments, 3, NULL);
    }
    if (result != NULL && row == importer->pkg_resources) {
        Py_SETREF(result, introduce(importer, module));
    }
    Py_XDECREF(code);
    Py_XDECREF(dict);
    return result;
}

static PyMethodDef loader_methods[] = {
    {"create_module", loader_create_module, METH_O, "None: the import system makes the module."},
    {"exec_module", loader_exec_module, METH_O, "Runs the module's code in its namespace."},
    {"get_code", loader_get_code, METH_O, "The module's code object."},
    {"get_source", loader_get_source, METH_O, "The module's source text, or None when it is not embedded."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot loader_slots[] = {
    {Py_tp_doc, "Loads a module that is embedded in this executable.\n\n"
                "All but its code is had as importlib.machinery.SourceFileLoader has it, through the virtual files."},
    {Py_tp_methods, loader_methods},
    {0, NULL},
};

static PyType_Spec loader_type = {
    .name = "_oxcross.Loader",
    .basicsize = -(int)sizeof(struct origin), /* on top of SourceFileLoader */
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = loader_slots,
};

PyObject *ox_loader_type(PyObject *module, struct ox_importer *importer)
{
    if (importer->loader != NULL) {
        return importer->loader;
    }
    PyObject *external = PyImport_ImportModule("_frozen_importlib_external");
    PyObject *base = external == NULL ? NULL : PyObject_GetAttrString(external, "SourceFileLoader");
    PyObject *bases = base == NULL ? NULL : PyTuple_Pack(1, base);
    PyObject *type = bases == NULL ? NULL : PyType_FromModuleAndSpec(module, &loader_type, bases);
    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) == 0) {
        importer->external = Py_NewRef(external);
        importer->loader = Py_NewRef(type);
    }
    Py_XDECREF(type);
    Py_XDECREF(bases);
    Py_XDECREF(base);
    Py_XDECREF(external);
    return importer->loader;
}
