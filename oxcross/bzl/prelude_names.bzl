# Starlark's own functions that look at values, for objects, too. They come after prelude.bzl, which has the former ones.

def type(value):
    return value.oxcross_type if _oxcross_is_object(value) else _oxcross_type(value)

def hasattr(value, name):
    return _oxcross_py_has(value.oxcross_object, name) if _oxcross_is_object(value) else _oxcross_hasattr(value, name)

def getattr(value, name, *default):
    if default and not hasattr(value, name):
        return default[0]
    return _oxcross_get(value, name)

def print(*args):
    _oxcross_py_print(" ".join([_oxcross_text(one) for one in args]))
