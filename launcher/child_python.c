#include <Python.h>

#include "child_python.h"

#include <stdio.h>
#include <string.h>

#include "fsname.h"
#include "platform.h"
#include "settings.h"
#include "state.h"

/* The script's folder comes first on sys.path, also where the process is isolated from the current folder and the
 * user's settings: whoever named the script meant what lies beside it. */
static void add_script_folder(const struct ox_start *start)
{
    const char *slash = start->script == NULL || !start->shape.unsafe ? NULL : ox_last_separator(start->script);
    if (slash == NULL || ox_setting_number(OX_KEY_ISOLATED, 1) == 0 || strcmp(strrchr(slash, '.'), ".pyz") == 0) {
        return; /* python does it, and puts an archive itself there */
    }
    PyObject *path = PySys_GetObject("path");
    PyObject *folder = ox_decode_part(start->script, slash - start->script);
    if (path == NULL || folder == NULL || PyList_Insert(path, 0, folder) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(folder);
}

/* Whether `-m name` could be found. Where the current folder counts it may hold the module: python itself then tells. */
static bool can_be_found(const char *name)
{
    PyObject *bootstrap = PyImport_ImportModule("_frozen_importlib");
    PyObject *top = ox_decode_part(name, (Py_ssize_t)strcspn(name, "."));
    PyObject *spec = bootstrap == NULL || top == NULL
        ? NULL
        : PyObject_CallMethod(bootstrap, "_find_spec", "OO", top, Py_None);
    bool found = spec != Py_None;
    PyErr_Clear();
    Py_XDECREF(spec);
    Py_XDECREF(top);
    Py_XDECREF(bootstrap);
    return found;
}

/* Why a module cannot be run that a library wants, in words for who made the executable; false when nothing is wrong. */
static bool refuse_module(const char *name)
{
    bool isolated = ox_setting_number(OX_KEY_ISOLATED, 1) != 0;
    /* An embedded virtualenv can be told of another Python, and makes environments of it. */
    if (strcmp(name, "venv") == 0 || (strcmp(name, "virtualenv") == 0 && !can_be_found(name))) {
        fprintf(stderr,
            "oxcross: %s: cannot make a virtual environment: its python would be this application. Use a Python that is "
            "installed\n",
            ox.mount.path);
        return true;
    }
    if (isolated && !can_be_found(name)) {
        fprintf(stderr,
            "%s: No module named %s\noxcross: this is what sys.executable -m %s came to: it is not in this executable, "
            "and must be among its requirements\n",
            ox.mount.path, name, name);
        return true;
    }
    return false;
}

int ox_child_run(const struct ox_start *start)
{
    if (start->shape.meaning == OX_MODULE_NAME && refuse_module(start->shape.value)) {
        return 1;
    }
    add_script_folder(start);
    return Py_RunMain();
}
