/* Fuzzes the reader of marshalled code: whatever the bytes are, an exception or what marshal makes of them. Nothing is run.
 *
 * libpython is as it is in executables, without sanitizers; what it allocates comes from malloc, so that they see what our
 * code does with its objects. OX_FUZZ_LIBRARY: a standard library, of which CPython starts with the package
 * encodings. */
#define Py_BUILD_CORE 1
#include "unmarshal.h"

#include <internal/pycore_code.h>
#include <marshal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static PyObject *path;

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "unmarshal: %s\n", what);
        abort();
    }
}

/* Without references, which depend on who else holds an object. */
static void compare_dumps(PyObject *one, PyObject *other)
{
    PyObject *first = PyMarshal_WriteObjectToString(one, 2);
    PyObject *second = PyMarshal_WriteObjectToString(other, 2);
    check((first == NULL) == (second == NULL), "only one can be marshalled");
    check(first == NULL || PyObject_RichCompareBool(first, second, Py_EQ) == 1, "objects differ");
    Py_XDECREF(first);
    Py_XDECREF(second);
    PyErr_Clear();
}

static void compare(PyObject *one, PyObject *other);

static void compare_code(PyCodeObject *one, PyCodeObject *other)
{
    PyObject *const objects[][2] = {{one->co_consts, other->co_consts}, {one->co_names, other->co_names},
        {one->co_exceptiontable, other->co_exceptiontable}, {one->co_localsplusnames, other->co_localsplusnames},
        {one->co_localspluskinds, other->co_localspluskinds}, {one->co_name, other->co_name},
        {one->co_qualname, other->co_qualname}, {one->co_linetable, other->co_linetable}};
    const int numbers[][2] = {{one->co_flags, other->co_flags}, {one->co_argcount, other->co_argcount},
        {one->co_posonlyargcount, other->co_posonlyargcount}, {one->co_kwonlyargcount, other->co_kwonlyargcount},
        {one->co_stacksize, other->co_stacksize}, {one->co_firstlineno, other->co_firstlineno}};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        compare(objects[i][0], objects[i][1]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        check(numbers[i][0] == numbers[i][1], "numbers differ");
    }
    check(one->co_filename == path, "another file name");
    check(Py_SIZE(one) == Py_SIZE(other), "bytecode differs in size");
    check(memcmp(_PyCode_CODE(one), _PyCode_CODE(other), _PyCode_NBYTES(one)) == 0, "bytecode differs");
    PyObject *shown = PyCode_GetCode(one); /* undoes what CPython did to it for running */
    check(shown != NULL, "bytecode cannot be read");
    Py_DECREF(shown);
}

static void compare(PyObject *one, PyObject *other)
{
    check(Py_IS_TYPE(one, Py_TYPE(other)), "types differ");
    if (PyCode_Check(one)) {
        compare_code((PyCodeObject *)one, (PyCodeObject *)other);
    } else if (PyTuple_Check(one)) {
        check(PyTuple_GET_SIZE(one) == PyTuple_GET_SIZE(other), "sizes differ");
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(one); i++) {
            compare(PyTuple_GET_ITEM(one, i), PyTuple_GET_ITEM(other, i));
        }
    } else {
        compare_dumps(one, other);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    PyPreConfig before;
    PyConfig config;
    PyPreConfig_InitIsolatedConfig(&before);
    before.allocator = PYMEM_ALLOCATOR_MALLOC;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.module_search_paths_set = 1;
    config.use_hash_seed = 1; /* the same each time */
    const char *folder = getenv("OX_FUZZ_LIBRARY");
    check(folder != NULL, "OX_FUZZ_LIBRARY is not set");
    PyStatus status = Py_PreInitialize(&before);
    wchar_t *library = Py_DecodeLocale(folder, NULL);
    wchar_t **const places[] = {&config.home, &config.executable, &config.base_executable, &config.prefix,
        &config.exec_prefix, &config.base_prefix, &config.base_exec_prefix, &config.stdlib_dir};
    for (size_t i = 0; !PyStatus_Exception(status) && i < sizeof places / sizeof *places; i++) {
        status = PyConfig_SetString(&config, places[i], library);
    }
    if (!PyStatus_Exception(status)) {
        status = PyWideStringList_Append(&config.module_search_paths, library);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    PyConfig_Clear(&config);
    PyMem_RawFree(library);
    path = PyUnicode_InternFromString("/opt/app/module.py");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ox_words words = {0};
    PyObject *mine = ox_unmarshal(size % 2 == 0 ? &words : NULL, data, size, path);
    check((mine == NULL) == (PyErr_Occurred() != NULL), "neither an object nor an exception, or both");
    PyErr_Clear();
    if (mine != NULL) { /* else marshal might not survive it */
        PyObject *theirs = PyMarshal_ReadObjectFromString((const char *)data, (Py_ssize_t)size);
        check(theirs != NULL, "marshal reads less");
        compare(mine, theirs);
        Py_DECREF(theirs);
    }
    Py_XDECREF(mine);
    ox_words_clear(&words);
    check(!PyErr_Occurred(), "an exception is left");
    return 0;
}
