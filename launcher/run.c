#include <Python.h>

#include "run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fsname.h"
#include "importer.h"
#include "locate.h"
#include "platform.h"
#include "repl.h"
#include "settings.h"
#include "state.h"
#include "vfs.h"

static PyObject *import(const char *name)
{
    return PyImport_ImportModule(name);
}

/* The namespace of __main__ (borrowed). */
static PyObject *main_dict(void)
{
    PyObject *module = PyImport_AddModule("__main__");
    return module == NULL ? NULL : PyModule_GetDict(module);
}

static PyObject *run_code(PyObject *code, PyObject *dict)
{
    return code == NULL || dict == NULL ? NULL : PyEval_EvalCode(code, dict, dict);
}

/* dict[name] = value; takes the reference to value. */
static bool put(PyObject *dict, const char *name, PyObject *value)
{
    bool done = value != NULL && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
    return done;
}

/* "pkg.mod:object.attribute": what an installed console script does. */
static PyObject *run_entry_point(const char *target)
{
    const char *colon = strchr(target, ':');
    if (colon == NULL) {
        ox_damaged("the entry point has no ':'");
    }
    PyObject *name = PyUnicode_FromStringAndSize(target, colon - target);
    PyObject *path = PyUnicode_FromString(colon + 1);
    PyObject *dot = PyUnicode_FromString(".");
    PyObject *parts = path == NULL || dot == NULL ? NULL : PyUnicode_Split(path, dot, -1);
    PyObject *object = name == NULL || parts == NULL ? NULL : PyImport_Import(name);
    for (Py_ssize_t i = 0; object != NULL && i < PyList_GET_SIZE(parts); i++) {
        Py_SETREF(object, PyObject_GetAttr(object, PyList_GET_ITEM(parts, i)));
    }
    PyObject *result = object == NULL ? NULL : PyObject_CallNoArgs(object);
    if (result != NULL) {
        /* sys.exit(function()) */
        PyErr_SetObject(PyExc_SystemExit, result);
        Py_CLEAR(result);
    }
    Py_XDECREF(object);
    Py_XDECREF(parts);
    Py_XDECREF(dot);
    Py_XDECREF(path);
    Py_XDECREF(name);
    return result;
}

/* The spec that the import system finds for a dotted name, its parents imported; for a package that of its __main__.
 * NULL without an exception when there is none, or when what is found needs more than this: runpy then tells. */
static PyObject *find_main_spec(const char *target)
{
    PyObject *util = import("_frozen_importlib");
    PyObject *spec = NULL;
    char name[OX_PATH_MAX];
    if (util == NULL || (size_t)snprintf(name, sizeof name - 10, "%s", target) >= sizeof name - 10) {
        Py_XDECREF(util);
        return NULL;
    }
    for (int step = 0; step < 2; step++) {
        const char *dot = strrchr(name, '.');
        PyObject *parent = NULL;
        PyObject *path = Py_NewRef(Py_None);
        if (dot != NULL) {
            PyObject *parent_name = PyUnicode_FromStringAndSize(name, dot - name);
            parent = parent_name == NULL ? NULL : PyImport_Import(parent_name);
            Py_XDECREF(parent_name);
            Py_SETREF(path, parent == NULL ? NULL : PyObject_GetAttrString(parent, "__path__"));
        }
        spec = path == NULL ? NULL : PyObject_CallMethod(util, "_find_spec", "sO", name, path);
        Py_XDECREF(parent);
        Py_XDECREF(path);
        if (spec == NULL || spec == Py_None) {
            Py_CLEAR(spec);
            break;
        }
        PyObject *folders = PyObject_GetAttrString(spec, "submodule_search_locations");
        bool package = folders != NULL && folders != Py_None;
        Py_XDECREF(folders);
        if (!package) {
            break;
        }
        Py_CLEAR(spec);
        strcat(name, ".__main__");
    }
    Py_DECREF(util);
    return spec;
}

/* What runpy._run_module_as_main does, without the modules that runpy itself needs. sys.argv stays: its first item is
 * the name that the user typed. */
static PyObject *run_module(const char *target)
{
    PyObject *spec = find_main_spec(target);
    PyObject *dict = main_dict();
    PyObject *loader = spec == NULL ? NULL : PyObject_GetAttrString(spec, "loader");
    PyObject *name = loader == NULL ? NULL : PyObject_GetAttrString(spec, "name");
    PyObject *code = name == NULL ? NULL : PyObject_CallMethod(loader, "get_code", "O", name);
    PyObject *result = NULL;
    if (code == NULL || !PyCode_Check(code)) {
        /* Not found, not Python code, or an error on the way: runpy's own messages. */
        PyErr_Clear();
        PyObject *runpy = import("runpy");
        result = runpy == NULL ? NULL : PyObject_CallMethod(runpy, "_run_module_as_main", "si", target, 0);
        Py_XDECREF(runpy);
    } else if (put(dict, "__spec__", Py_NewRef(spec)) && put(dict, "__loader__", Py_NewRef(loader))
        && put(dict, "__file__", PyObject_GetAttrString(spec, "origin"))
        && put(dict, "__cached__", PyObject_GetAttrString(spec, "cached"))
        && put(dict, "__package__", PyObject_GetAttrString(spec, "parent")) && put(dict, "__doc__", Py_NewRef(Py_None))) {
        result = run_code(code, dict);
    }
    Py_XDECREF(code);
    Py_XDECREF(name);
    Py_XDECREF(loader);
    Py_XDECREF(spec);
    return result;
}

/* The module whose code lies at this path. */
static const struct ox_module *module_at(const char *path)
{
    size_t size = strlen(path);
    for (uint32_t i = 0; i < ox.blob.module_count; i++) {
        if (ox_blob_equal(&ox.blob, ox.blob.modules[i].path, path, size)) {
            return &ox.blob.modules[i];
        }
    }
    return NULL;
}

/* The code of a file that was embedded as data: compiled now. */
static PyObject *compile_file(PyObject *path)
{
    PyObject *io = import("_io");
    PyObject *file = io == NULL ? NULL : PyObject_CallMethod(io, "open_code", "O", path);
    PyObject *source = file == NULL ? NULL : PyObject_CallMethod(file, "read", NULL);
    PyObject *code = NULL;
    if (source != NULL && PyBytes_Check(source)) {
        PyCompilerFlags flags = _PyCompilerFlags_INIT;
        code = Py_CompileStringObject(PyBytes_AS_STRING(source), path, Py_file_input, &flags, -1);
    }
    Py_XDECREF(source);
    Py_XDECREF(file);
    Py_XDECREF(io);
    return code;
}

/* Without its source text a file cannot be run a second time by its path. multiprocessing does so in the processes that
 * it spawns, unless __main__ has a spec: then it goes by the name, and that finds the code. The packages that the file
 * lies in are not imported here: `python folder/file.py` does not. */
static bool put_spec(PyObject *dict, const struct ox_module *module, PyObject *path, PyObject *external)
{
    struct ox_text name;
    if (module == NULL || module->source != OX_NONE || !ox_blob_text(&ox.blob, module->name, &name)) {
        return true;
    }
    PyObject *finder = PyObject_GetAttrString(external, "PathFinder");
    Py_ssize_t size = PyUnicode_GET_LENGTH(path);
    Py_ssize_t slash = PyUnicode_FindChar(path, OX_SEPARATOR, 0, size, -1);
    PyObject *folder = PyUnicode_Substring(path, 0, slash);
    PyObject *spec = finder == NULL || folder == NULL
        ? NULL
        : PyObject_CallMethod(finder, "find_spec", "s[O]", name.data, folder);
    Py_XDECREF(folder);
    Py_XDECREF(finder);
    return put(dict, "__spec__", spec);
}

/* As `python folder/file.py`: its folder comes first on sys.path. */
static PyObject *run_file(const char *target)
{
    char buffer[2 * OX_PATH_MAX];
    PyObject *dict = main_dict();
    PyObject *external = import("_frozen_importlib_external");
    if (strlen(target) >= sizeof buffer - ox.mount.size - 2) {
        ox_damaged("the path of the file to run is too long");
    }
    ox_vfs_write((struct ox_text){target, strlen(target)}, buffer);
    PyObject *path = ox_decode_path(buffer);
    PyObject *sys_path = PySys_GetObject("path");
    const char *slash = strrchr(target, '/');
    if (slash != NULL && sys_path != NULL) {
        PyObject *folder = ox_decode_part(buffer, (Py_ssize_t)ox.mount.size + 1 + (slash - target));
        if (folder == NULL || PyList_Insert(sys_path, 0, folder) < 0) {
            PyErr_Clear();
        }
        Py_XDECREF(folder);
    }
    const struct ox_module *module = module_at(target);
    PyObject *code = NULL;
    PyObject *result = NULL;
    if (path != NULL && external != NULL && put_spec(dict, module, path, external) && put(dict, "__file__", Py_NewRef(path))
        && put(dict, "__cached__", Py_NewRef(Py_None))
        && put(dict, "__loader__", PyObject_CallMethod(external, "SourceFileLoader", "sO", "__main__", path))) {
        code = module != NULL ? ox_module_code(NULL, module, path) : compile_file(path);
        result = run_code(code, dict);
    }
    Py_XDECREF(code);
    Py_XDECREF(path);
    Py_XDECREF(external);
    return result;
}

/* Has tracebacks show the command's lines, as `python -c` does since 3.13. */
static void remember_lines(PyObject *code, const char *command)
{
    PyObject *linecache = code == NULL ? NULL : import("linecache");
    PyObject *done = linecache == NULL ? NULL
                                       : PyObject_CallMethod(linecache, "_register_code", "Oss", code, command, "<string>");
    if (code != NULL) {
        PyErr_Clear(); /* an older Python */
    }
    Py_XDECREF(done);
    Py_XDECREF(linecache);
}

/* As `python -c command`. */
static PyObject *run_command(const char *command)
{
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    flags.cf_flags |= PyCF_IGNORE_COOKIE;
    PyObject *code = Py_CompileStringExFlags(command, "<string>", Py_file_input, &flags, -1);
    remember_lines(code, command);
    PyObject *result = run_code(code, main_dict());
    Py_XDECREF(code);
    return result;
}

static PyObject *run_target(const struct ox_program *program)
{
    switch (program->kind) {
    case OX_RUN_ENTRY_POINT:
        return run_entry_point(program->target);
    case OX_RUN_MODULE:
        return run_module(program->target);
    case OX_RUN_FILE:
        return run_file(program->target);
    case OX_RUN_COMMAND:
        return run_command(program->target);
    case OX_RUN_REPL:
        return ox_run_repl(main_dict());
    default:
        ox_damaged("it does not say what to run");
    }
}

struct ox_outcome ox_run(const struct ox_program *program)
{
    struct ox_outcome outcome = {0};
    PyObject *result = run_target(program);
    if (result == NULL) {
        outcome = ox_uncaught();
    }
    Py_XDECREF(result);
    if (ox_setting_number(OX_KEY_INSPECT, 0) != 0 && program->kind != OX_RUN_REPL && isatty(STDIN_FILENO)) {
        result = ox_run_repl(main_dict());
        outcome = (struct ox_outcome){0};
        if (result == NULL) {
            outcome = ox_uncaught();
        }
        Py_XDECREF(result);
    }
    return outcome;
}
