#include "repl.h"

#include <stdio.h>
#include <unistd.h>

#include "settings.h"

/* What site does for interactive use. */
static void prepare_repl(void)
{
    static const char *const steps[] = {"setquit", "setcopyright", "sethelper", "enablerlcompleter"};
    PyObject *site = PyImport_ImportModule("site");
    for (size_t i = 0; site != NULL && i < sizeof steps / sizeof *steps; i++) {
        PyObject *result = PyObject_CallMethod(site, steps[i], NULL);
        Py_XDECREF(result);
        PyErr_Clear();
    }
    PyErr_Clear();
    Py_XDECREF(site);
    PyObject *hook = PySys_GetObject("__interactivehook__");
    PyObject *result = hook == NULL ? NULL : PyObject_CallNoArgs(hook);
    if (result == NULL && PyErr_Occurred()) {
        PyErr_Print();
    }
    Py_XDECREF(result);
}

PyObject *ox_run_repl(PyObject *dict)
{
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    bool terminal = isatty(STDIN_FILENO) != 0;
    if (terminal) {
        if (ox_setting_number(OX_KEY_QUIET, 0) == 0) {
            fprintf(stderr, "Python %s on %s\n", Py_GetVersion(), Py_GetPlatform());
        }
        prepare_repl();
        PyObject *pyrepl = PyImport_ImportModule("_pyrepl.main");
        if (pyrepl != NULL) {
            PyObject *result = PyObject_CallMethod(pyrepl, "interactive_console", NULL);
            Py_DECREF(pyrepl);
            return result;
        }
        PyErr_Clear();
        PyRun_InteractiveLoopFlags(stdin, "<stdin>", &flags);
        Py_RETURN_NONE;
    }
    return dict == NULL ? NULL : PyRun_FileExFlags(stdin, "<stdin>", Py_file_input, dict, dict, 0, &flags);
}
