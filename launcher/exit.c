#include <Python.h>

#include "exit.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "platform.h"
#include "settings.h"

/* Calls module.function() if the module was imported. What it raises is shown and forgotten. */
static void call_if_imported(const char *module_name, const char *function, const char *failed)
{
    PyObject *name = PyUnicode_FromString(module_name);
    PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
    if (module != NULL) {
        PyObject *result = PyObject_CallMethod(module, function, NULL);
        if (result == NULL) {
            PyErr_FormatUnraisable(failed);
        }
        Py_XDECREF(result);
        Py_DECREF(module);
    }
    Py_XDECREF(name);
    PyErr_Clear();
}

/* Objects that have something to do before the process ends, by the order in which they do it. */
enum step {
    GENERATOR, /* suspended generators and coroutines: their `finally` and `with` */
    TEXT,    /* TextIOWrapper: its characters go to the binary file below it */
    PYTHON,  /* file classes written in Python (gzip.GzipFile …): closed, they write what ends their format */
    OTHER,   /* other objects with a __del__ written in Python (zipfile.ZipFile, temporary files) */
    BUFFERED, /* BufferedWriter and the like: their bytes go to the system */
    RAW,     /* unbuffered files written in Python: below everything else */
    STEPS
};

struct pending {
    PyTypeObject *text, *writer, *random, *pair, *base, *raw; /* classes of _io */
    bool alone; /* there is no other thread */
    PyObject **objects[STEPS];
    size_t count[STEPS];
    size_t room[STEPS];
};

static void add(struct pending *pending, enum step step, PyObject *object)
{
    if (pending->count[step] == pending->room[step]) {
        size_t room = pending->room[step] == 0 ? 64 : 2 * pending->room[step];
        PyObject **more = ox_realloc(pending->objects[step], room * sizeof *more);
        if (more == NULL) {
            return;
        }
        pending->objects[step] = more;
        pending->room[step] = room;
    }
    pending->objects[step][pending->count[step]++] = Py_NewRef(object);
}

/* Whether the class's finalizer is a __del__ written in Python. */
static bool has_python_del(PyTypeObject *type)
{
    static PyObject *name; /* interned, for the whole process */
    if (name == NULL) {
        name = PyUnicode_InternFromString("__del__");
    }
    PyObject *method = name == NULL ? NULL : _PyType_Lookup(type, name);
    return method != NULL && !PyObject_TypeCheck(method, &PyMethodDescr_Type)
        && !Py_IS_TYPE(method, &PyWrapperDescr_Type);
}

static int visit(PyObject *object, void *argument)
{
    struct pending *pending = argument;
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_finalize == NULL || PyObject_GC_IsFinalized(object)) {
        return 1;
    }
    if (type == &PyGen_Type || type == &PyCoro_Type || type == &PyAsyncGen_Type) {
        /* Below 0 (pycore_frame.h): neither running nor at its end. Where a daemon thread runs on, what it iterates over
         * is its own: python leaves that too. */
        if (pending->alone && ((PyGenObject *)object)->gi_frame_state < 0) {
            add(pending, GENERATOR, object);
        }
    } else if (type == pending->text) {
        add(pending, TEXT, object);
    } else if (type == pending->writer || type == pending->random || type == pending->pair) {
        add(pending, BUFFERED, object);
    } else if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0 || (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) != 0) {
        return 1; /* written in C: sockets, unbuffered files */
    } else if (PyType_IsSubtype(type, pending->text)) {
        add(pending, TEXT, object);
    } else if (PyType_IsSubtype(type, pending->writer) || PyType_IsSubtype(type, pending->random)) {
        add(pending, BUFFERED, object);
    } else if (PyType_IsSubtype(type, pending->raw)) {
        add(pending, RAW, object);
    } else if (PyType_IsSubtype(type, pending->base)) {
        add(pending, PYTHON, object);
    } else if (has_python_del(type)) {
        add(pending, OTHER, object);
    }
    return 1;
}

/* object.flush(), unless it is closed or detached. As in a file's own finalizer, errors are silent. */
static void flush(PyObject *object)
{
    PyObject *result = PyObject_CallMethod(object, "flush", NULL);
    if (result == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(result);
}

static bool find_classes(struct pending *pending)
{
    PyObject *io = PyImport_ImportModule("_io");
    struct {
        const char *name;
        PyTypeObject **type;
    } classes[] = {{"TextIOWrapper", &pending->text}, {"BufferedWriter", &pending->writer},
        {"BufferedRandom", &pending->random}, {"BufferedRWPair", &pending->pair}, {"_IOBase", &pending->base},
        {"_RawIOBase", &pending->raw}};
    for (size_t i = 0; io != NULL && i < sizeof classes / sizeof *classes; i++) {
        PyObject *type = PyObject_GetAttrString(io, classes[i].name);
        if (type == NULL || !PyType_Check(type)) {
            Py_CLEAR(io);
        }
        *classes[i].type = (PyTypeObject *)type;
    }
    if (io == NULL) {
        PyErr_Clear();
    }
    return io != NULL;
}

static void finish_objects(void)
{
    struct pending pending;
    memset(&pending, 0, sizeof pending);
    if (!find_classes(&pending)) {
        return;
    }
    PyThreadState *first = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    pending.alone = PyThreadState_Next(first) == NULL;
    PyUnstable_GC_VisitObjects(visit, &pending);
    for (int step = 0; step < STEPS; step++) {
        for (size_t i = 0; i < pending.count[step]; i++) {
            if (step == TEXT || step == BUFFERED) {
                flush(pending.objects[step][i]);
            } else {
                PyObject_CallFinalizer(pending.objects[step][i]);
            }
        }
    }
}

/* As file_is_closed and _PyFile_Flush. False with an exception set when what was written is lost. */
static bool flush_stream(const char *name)
{
    PyObject *stream = PySys_GetObject(name);
    if (stream == NULL || stream == Py_None) {
        return true;
    }
    Py_INCREF(stream);
    PyObject *closed = PyObject_GetAttrString(stream, "closed");
    bool is_closed = closed != NULL && PyObject_IsTrue(closed) > 0;
    PyErr_Clear();
    PyObject *result = is_closed ? Py_NewRef(Py_None) : PyObject_CallMethod(stream, "flush", NULL);
    Py_XDECREF(closed);
    Py_XDECREF(result);
    Py_DECREF(stream);
    return result != NULL;
}

/* As flush_std_files of Python/pylifecycle.c. False when output was lost. */
static bool flush_streams(void)
{
    bool good = flush_stream("stdout");
    if (!good) {
        PyErr_FormatUnraisable("Exception ignored on flushing sys.stdout");
    }
    if (!flush_stream("stderr")) {
        PyErr_Clear();
        good = false;
    }
    return good;
}

void ox_exit(struct ox_outcome outcome)
{
    bool good;
    if (ox_setting_number(OX_KEY_EXIT, 0) == 1) {
        good = Py_FinalizeEx() >= 0;
    } else {
        call_if_imported("threading", "_shutdown", "Exception ignored on threading shutdown");
        if (Py_MakePendingCalls() < 0) {
            PyErr_WriteUnraisable(NULL);
        }
        call_if_imported("atexit", "_run_exitfuncs", "Exception ignored in atexit callback");
        finish_objects();
        good = flush_streams();
    }
    if (outcome.interrupted) {
        ox_die_interrupted();
    }
    exit(good ? outcome.status : 120);
}
