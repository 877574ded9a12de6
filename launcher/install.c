#define Py_BUILD_CORE 1
#include <Python.h>

#include "install.h"

#include <internal/pycore_interp.h>
#include <string.h>

#include "builtins.h"
#include "fsname.h"
#include "importer_internal.h"
#include "python_platform.h"
#include "settings.h"

/* Puts `item` first in a list; takes the reference. */
static bool put_first(PyObject *list, PyObject *item)
{
    bool done = item != NULL && list != NULL && PyList_Check(list) && PyList_Insert(list, 0, item) == 0;
    Py_XDECREF(item);
    return done;
}

/* Remembers the objects of sys.path that stand for what is embedded: while they come first, nothing comes before it. */
static bool remember_path(struct ox_importer *importer)
{
    PyObject *path = PySys_GetObject("path");
    for (Py_ssize_t i = 0; path != NULL && i < PyList_Size(path); i++) {
        struct ox_folder folder;
        PyObject *entry = PyList_GET_ITEM(path, i);
        if (!ox_folder(entry, &folder)) {
            continue;
        }
        if (folder.size == 0) {
            Py_XSETREF(importer->mount, Py_NewRef(entry));
            return true;
        }
        Py_XSETREF(importer->library, Py_NewRef(entry));
    }
    return path != NULL;
}

/* The hook goes before those that importlib has, or, where modules are not to come from the file system, stands in place
 * of them and asks them itself, for the few folders that are allowed. */
static bool install_hook(PyObject *module, struct ox_importer *importer)
{
    PyObject *hooks = PySys_GetObject("path_hooks");
    if (hooks == NULL || !PyList_Check(hooks)) {
        return false;
    }
    if (ox_setting_number(OX_KEY_FILESYSTEM, 1) == 0) {
        importer->hooks = PyList_AsTuple(hooks);
        if (importer->hooks == NULL || PyList_SetSlice(hooks, 0, PyList_GET_SIZE(hooks), NULL) < 0) {
            return false;
        }
    }
    return put_first(hooks, PyObject_GetAttrString(module, "path_hook"));
}

static bool set_attributes(void)
{
    bool done = true;
    if (ox_setting_number(OX_KEY_FROZEN, 1) != 0) {
        done = PySys_SetObject("frozen", Py_True) == 0;
    }
    if (done && ox_setting_number(OX_KEY_OXIDIZED, 1) != 0) {
        done = PySys_SetObject("oxidized", Py_True) == 0;
    }
    if (done && ox_setting_number(OX_KEY_MEIPASS, 0) != 0) {
        PyObject *path = ox_decode_path(ox.mount.path);
        done = path != NULL && PySys_SetObject("_MEIPASS", path) == 0;
        Py_XDECREF(path);
    }
    return done && ox_set_platform_attributes();
}

static bool install(void)
{
    PyObject *module = PyImport_ImportModule("_oxcross");
    if (module == NULL) {
        return false;
    }
    struct ox_importer *importer = PyModule_GetState(module);
    PyObject *finders = PySys_GetObject("meta_path");
    PyObject *hooks = PySys_GetObject("path_hooks");
    importer->zip_hook = PyObject_GetAttrString(module, "zip_hook");
    importer->finders = finders == NULL || !PyList_Check(finders) ? NULL : PyList_AsTuple(finders);
    bool done = importer->finders != NULL && importer->zip_hook != NULL && remember_path(importer)
        && put_first(hooks, Py_NewRef(importer->zip_hook)) && put_first(finders, PyObject_CallNoArgs(importer->finder))
        && install_hook(module, importer) && ox_builtins_install(module) && set_attributes();
    Py_DECREF(module);
    return done;
}

/* importlib's own finder and hooks. */
static bool install_importlib(void)
{
    PyObject *bootstrap = PyImport_AddModuleRef("_frozen_importlib");
    PyObject *done = bootstrap == NULL ? NULL : PyObject_CallMethod(bootstrap, "_install_external_importers", NULL);
    Py_XDECREF(bootstrap);
    Py_XDECREF(done);
    return done != NULL;
}

/* The linker calls this instead of CPython's own (--wrap). Nothing that CPython makes while it starts is garbage, and looking
 * for some is a twentieth of its work. Where site runs then, code that is not CPython's has a say in this. */
PyStatus __real__PyGC_Init(PyInterpreterState *interpreter);
PyStatus __wrap__PyGC_Init(PyInterpreterState *interpreter);
PyStatus __wrap__PyGC_Init(PyInterpreterState *interpreter)
{
    if (interpreter == PyInterpreterState_Main() && ox_setting_number(OX_KEY_SITE, 0) == 0) {
        interpreter->gc.enabled = 0;
    }
    return __real__PyGC_Init(interpreter);
}

void ox_resume_collector(void)
{
#if PY_VERSION_HEX < 0x030E0000
    /* What was made counts as looked at: else the first object that the application makes would have all of it searched. */
    PyInterpreterState_Get()->gc.generations[0].count = 0;
#endif
    PyGC_Enable();
}

/* The linker calls this instead of CPython's own (--wrap). That one imports zipimport besides, see hook.c. */
PyStatus __wrap__PyImport_InitExternal(PyThreadState *state);
PyStatus __wrap__PyImport_InitExternal(PyThreadState *state)
{
    (void)state;
    if (!install_importlib() || !install()) {
        PyErr_Print();
        return PyStatus_Error("the importer cannot be installed");
    }
    return PyStatus_Ok();
}

/* Tells what a line raised, in site's words. */
static void report(const char *file, size_t size, long line)
{
    PyObject *error = PyErr_GetRaisedException();
    PySys_WriteStderr(
        "Error processing line %ld of %s/%.*s:\n\n", line, ox.mount.path, size > 255 ? 255 : (int)size, file);
    PyErr_DisplayException(error);
    PySys_WriteStderr("\nRemainder of file ignored\n");
    Py_DECREF(error);
}

static bool run_line(const char *line, PyObject *locals)
{
    PyObject *code = Py_CompileString(line, "<string>", Py_file_input);
    PyObject *globals = code == NULL ? NULL : PyDict_New();
    PyObject *result = NULL;
    if (globals != NULL && PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) == 0) {
        result = PyEval_EvalCode(code, globals, locals);
    }
    Py_XDECREF(globals);
    Py_XDECREF(code);
    Py_XDECREF(result);
    return result != NULL;
}

void ox_run_start_lines(void)
{
    const struct ox_setting *setting;
    struct ox_text failed = {"", 0};
    for (uint32_t at = 0; (setting = ox_blob_setting(&ox.blob, OX_KEY_START_LINE, &at)) != NULL;) {
        struct ox_text text;
        const char *line;
        if (!ox_blob_text(&ox.blob, setting->text, &text) || (line = strchr(text.data, '\n')) == NULL) {
            continue;
        }
        size_t name = (size_t)(line - text.data);
        if (name == failed.size && memcmp(text.data, failed.data, name) == 0) {
            continue;
        }
        /* What such lines find around them in site.addpackage, and some look at. */
        PyObject *folder = ox_decode_path(ox.mount.path);
        PyObject *locals = folder == NULL ? NULL : Py_BuildValue("{sO}", "sitedir", folder);
        bool done = locals != NULL && run_line(line + 1, locals);
        Py_XDECREF(locals);
        Py_XDECREF(folder);
        if (done) {
            continue;
        }
        if (!PyErr_ExceptionMatches(PyExc_Exception)) {
            PyErr_Print(); /* SystemExit ends the process */
            continue;
        }
        report(text.data, name, (long)setting->number);
        failed = (struct ox_text){text.data, name};
    }
}
