#include "builtins.h"

#include <stddef.h>

struct stand_in {
    PyObject_HEAD
    PyObject *name;
};

/* Has site put its objects into builtins, and gives the one that this one stood for. */
static PyObject *real(PyObject *self)
{
    static const char *const makers[] = {"setquit", "setcopyright", "sethelper"};
    PyObject *site = PyImport_ImportModule("site");
    for (size_t i = 0; site != NULL && i < sizeof makers / sizeof *makers; i++) {
        PyObject *result = PyObject_CallMethod(site, makers[i], NULL);
        if (result == NULL) {
            Py_CLEAR(site);
        }
        Py_XDECREF(result);
    }
    if (site == NULL) {
        return NULL;
    }
    Py_DECREF(site);
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *object = builtins == NULL ? NULL : PyObject_GetAttr(builtins, ((struct stand_in *)self)->name);
    Py_XDECREF(builtins);
    if (object != NULL && Py_IS_TYPE(object, Py_TYPE(self))) {
        PyErr_Format(PyExc_NameError, "name %R is not defined", ((struct stand_in *)self)->name);
        Py_CLEAR(object);
    }
    return object;
}

static PyObject *stand_in_call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    PyObject *object = real(self);
    PyObject *result = object == NULL ? NULL : PyObject_Call(object, arguments, keywords);
    Py_XDECREF(object);
    return result;
}

static PyObject *stand_in_repr(PyObject *self)
{
    PyObject *object = real(self);
    PyObject *result = object == NULL ? NULL : PyObject_Repr(object);
    Py_XDECREF(object);
    return result;
}

static void stand_in_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((struct stand_in *)self)->name);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "What site would put into builtins, made when it is first used."},
    {Py_tp_call, (void *)(uintptr_t)stand_in_call},
    {Py_tp_repr, (void *)(uintptr_t)stand_in_repr},
    {Py_tp_dealloc, (void *)(uintptr_t)stand_in_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_oxcross.Builtin",
    .basicsize = sizeof(struct stand_in),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

bool ox_builtins_install(PyObject *module)
{
    static const char *const names[] = {"exit", "quit", "copyright", "credits", "license", "help"};
    PyObject *builtins = PyEval_GetBuiltins();
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    bool good = builtins != NULL && type != NULL;
    for (size_t i = 0; good && i < sizeof names / sizeof *names; i++) {
        struct stand_in *object = (struct stand_in *)type->tp_alloc(type, 0);
        if (object != NULL) {
            object->name = PyUnicode_InternFromString(names[i]);
        }
        good = object != NULL && object->name != NULL && PyDict_SetItem(builtins, object->name, (PyObject *)object) == 0;
        Py_XDECREF((PyObject *)object);
    }
    Py_XDECREF((PyObject *)type);
    return good;
}
