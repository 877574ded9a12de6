#include <Python.h>

#include "outcome.h"

#include <stdio.h>

#include "locate.h"

/* What the argument of SystemExit means (Python/pythonrun.c, _Py_HandleSystemExit). Takes the exception. */
static int exit_status(PyObject *exception)
{
    PyObject *code = PyObject_GetAttrString(exception, "code");
    if (code == NULL) {
        PyErr_Clear();
        code = Py_NewRef(exception);
    }
    fflush(stdout);
    int status = 1;
    if (code == Py_None) {
        status = 0;
    } else if (PyLong_Check(code)) {
        status = (int)PyLong_AsLong(code);
    } else {
        PyObject *stream = PySys_GetObject("stderr");
        if (stream != NULL && stream != Py_None) {
            PyFile_WriteObject(code, stream, Py_PRINT_RAW);
        } else {
            PyObject_Print(code, stderr, Py_PRINT_RAW);
            fflush(stderr);
        }
        PySys_WriteStderr("\n");
    }
    PyErr_Clear();
    Py_DECREF(code);
    Py_DECREF(exception);
    return status;
}

struct ox_outcome ox_uncaught(void)
{
    struct ox_outcome outcome = {.status = 1};
    if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
        outcome.status = exit_status(PyErr_GetRaisedException());
        return outcome;
    }
    outcome.interrupted = PyErr_Occurred() == PyExc_KeyboardInterrupt;
    if (PyErr_ExceptionMatches(PyExc_ImportError) && !ox_intact()) {
        ox_damaged("its SHA-256 is not the one it was made with");
    }
    PyErr_Print();
    return outcome;
}
