# What a configuration file finds in its way: objects, which are numbers (rewrite.py), and calls back from Python (evaluate.py).
#
# Python gives objects as {"oxcross_object": number, "oxcross_type": name}, and takes them as their struct, which arrives as a dict. A function cannot
# leave Starlark: it has its place in a list here, and Python asks for it by number ("call").

_oxcross_type = type
_oxcross_getattr = getattr
_oxcross_hasattr = hasattr
_oxcross_functions = []

def _oxcross_is_object(value):
    return _oxcross_type(value) == "struct" and _oxcross_hasattr(value, "oxcross_object")

def _oxcross_object(value):
    if _oxcross_type(value) == "list":
        return [_oxcross_object(one) for one in value]
    if _oxcross_type(value) == "dict":
        if "oxcross_object" in value:
            return struct(oxcross_object = value["oxcross_object"], oxcross_type = value["oxcross_type"])
        return {key: _oxcross_object(one) for key, one in value.items()}
    return value

def _oxcross_plain(value):
    if _oxcross_type(value) in ("function", "native_function"):
        _oxcross_functions.append(value)
        return {"oxcross_function": len(_oxcross_functions) - 1}
    return value

def _oxcross_run(step):
    for _ in range(2000000000):
        if "warned" in step:
            _oxcross_py_where(call_stack())
        if "value" in step:
            return _oxcross_object(step["value"])
        called = _oxcross_functions[step["call"]](*_oxcross_object(step["arguments"]))
        step = _oxcross_py_resume(_oxcross_plain(called))

def _oxcross_call(number, name, args, kwargs):
    given = [_oxcross_plain(one) for one in args]
    named = {key: _oxcross_plain(one) for key, one in kwargs.items()}
    return _oxcross_run(_oxcross_py_call(number, name, given, named))

def _oxcross_get(value, name):
    if not _oxcross_is_object(value):
        return _oxcross_getattr(value, name)
    number = value.oxcross_object
    found = _oxcross_py_get(number, name)
    if found == None:
        return lambda *args, **kwargs: _oxcross_call(number, name, args, kwargs)
    return _oxcross_object(found["value"])

def _oxcross_set(value, name, new):
    if not _oxcross_is_object(value):
        fail("a " + _oxcross_type(value) + " has no attribute that could be set: " + name)
    if _oxcross_py_set(value.oxcross_object, name, new):
        _oxcross_py_where(call_stack())

def _oxcross_text(value):
    if _oxcross_is_object(value):
        return "<" + value.oxcross_type + ">"
    return value if _oxcross_type(value) == "string" else str(value)
