#include "python_platform.h"

#include <windows.h>

#include "memory.h"
#include "wide_windows.h"

wchar_t *ox_decode(const char *text)
{
    size_t size = ox_to_wide(text, NULL, 0);
    wchar_t *wide = size == SIZE_MAX ? NULL : PyMem_RawMalloc((size + 1) * sizeof *wide);
    if (wide != NULL) {
        ox_to_wide(text, wide, size + 1);
    }
    return wide;
}

/* The words as Windows has them, to be freed with free_words. */
static wchar_t **wide_words(int argc, char **argv)
{
    wchar_t **words = ox_alloc(((size_t)argc + 1) * sizeof *words);
    for (int i = 0; words != NULL && i <= argc; i++) {
        words[i] = i == argc ? NULL : ox_new_wide(argv[i]);
        if (words[i] == NULL && i < argc) {
            return NULL;
        }
    }
    return words;
}

static void free_words(wchar_t **words)
{
    for (int i = 0; words[i] != NULL; i++) {
        ox_free(words[i]);
    }
    ox_free(words);
}

PyStatus ox_preinitialize(const PyPreConfig *config, int argc, char **argv)
{
    wchar_t **words = wide_words(argc, argv);
    if (words == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = Py_PreInitializeFromArgs(config, argc, words);
    free_words(words);
    return status;
}

PyStatus ox_set_arguments(PyConfig *config, int argc, char **argv)
{
    wchar_t **words = wide_words(argc, argv);
    if (words == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = PyConfig_SetArgv(config, argc, words);
    free_words(words);
    return status;
}

/* What CPython's DLL sets. ctypes.pythonapi is made of the handle. */
bool ox_set_platform_attributes(void)
{
    PyObject *handle = PyLong_FromVoidPtr(GetModuleHandleW(NULL));
    PyObject *version = PyUnicode_FromString(Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION));
    bool done = handle != NULL && version != NULL && PySys_SetObject("dllhandle", handle) == 0
        && PySys_SetObject("winver", version) == 0;
    Py_XDECREF(handle);
    Py_XDECREF(version);
    return done;
}
