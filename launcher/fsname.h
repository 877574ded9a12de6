/* fsname.h: the launcher's paths as strings of Python's, and back. On Windows they are UTF-8, also where Python's file system
 * encoding is another one (PYTHONLEGACYWINDOWSFSENCODING) and before it is known: the first imports come before that.
 */
#ifndef OX_FSNAME_H
#define OX_FSNAME_H

#include <Python.h>

#include <string.h>

#ifdef _WIN32
#define OX_DECODE(text, size) PyUnicode_DecodeUTF8(text, size, "surrogatepass")
#define OX_ENCODE(text) PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass")
#else
#define OX_DECODE(text, size) PyUnicode_DecodeFSDefaultAndSize(text, size)
#define OX_ENCODE(text) PyUnicode_EncodeFSDefault(text)
#endif

static inline PyObject *ox_decode_part(const char *path, Py_ssize_t size)
{
    return OX_DECODE(path, size);
}

static inline PyObject *ox_decode_path(const char *path)
{
    return OX_DECODE(path, (Py_ssize_t)strlen(path));
}

static inline PyObject *ox_encode_path(PyObject *path)
{
    return OX_ENCODE(path);
}

#endif
