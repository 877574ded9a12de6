"""What is not as in an environment: the class of the finder, sys attributes, a file system that is closed to imports."""

import importlib
import os
import pkgutil
import runpy
import sys
from pathlib import Path

import _interpreters
import alpha

from contract import told

ROOT = os.path.dirname(os.path.dirname(alpha.__file__))


def attributes():
    script = "import sys; print([getattr(sys, name, None) for name in ('frozen', 'oxidized', '_MEIPASS')], flush=True)"
    exec(script)
    for kind in ("legacy", "isolated"):
        one = _interpreters.create(kind)
        _interpreters.run_string(one, script)
        _interpreters.destroy(one)
    if hasattr(sys, "_MEIPASS"):
        print(os.listdir(os.path.join(sys._MEIPASS, "assets")))


def finders():
    print([getattr(one, "__name__", type(one).__name__) for one in sys.meta_path], sys.path_hooks[0].__name__)
    print(repr(sys.meta_path[0]), repr(alpha.__loader__).partition(" object")[0], type(alpha.__loader__).__mro__[1].__name__)
    for path in (ROOT, os.fsencode(ROOT), Path(ROOT)):
        print(sys.path_hooks[0](path).find_spec("alpha").origin, [one.ispkg for one in pkgutil.iter_modules([path]) if one.name == "beta"])
    print(sys.meta_path[0].find_spec("alpha.tool", alpha.__path__), sys.meta_path[0].find_spec(fullname="sys", target=None))
    print(sys.meta_path[0].invalidate_caches(), told(sys.path_hooks[0], "/"), told(sys.path_hooks[0], 3))
    sys.path[:] = []
    print(importlib.import_module("xml.dom.minidom").__name__)


def closed(outside):
    """Modules come from the executable and the configured folder only."""
    allowed = os.path.join(os.path.dirname(sys.executable), "plugins")
    for folder in (outside, os.path.join(outside, "packed.zip")):
        sys.path.insert(0, folder)
    for name in ("plugin", "packed", "shared.outside"):
        print(told(importlib.import_module, name), importlib.util.find_spec("plugin"))
    print(importlib.import_module("beta").origin, list(pkgutil.iter_modules([outside])), pkgutil.get_importer(outside))
    print(allowed in sys.path, importlib.import_module("allowed_module").__file__ == os.path.join(allowed, "allowed_module.py"))
    sys.path.append(os.path.join(ROOT, "assets", "packed.zip"))
    print(importlib.import_module("packed.part").value, runpy.run_path(os.path.join(outside, "beta.py"))["origin"])


def lines():
    print(os.environ["LINES"] == ROOT, hasattr(sys, "never"), importlib.import_module("lines_found").found)


def codes():
    """What is read out of the executable is what the compiler makes of the sources, in all that is embedded."""
    import _oxcross

    compared = 0
    for name, path, _ in _oxcross.modules():
        if path.endswith(".py") and name != "zipimport":
            path = os.path.join(sys.executable, path)
            loader = _oxcross.Finder().find_spec(name).loader
            same(loader.get_code(name), compile(Path(path).read_bytes(), path, "exec", dont_inherit=True))
            compared += 1
    print(compared > 500)


def same(one, other):
    assert one == other and type(one) is type(other), (one, other)
    if isinstance(one, tuple):
        for pair in zip(one, other, strict=True):
            same(*pair)
    elif isinstance(one, type(same.__code__)):
        for name in ("filename", "qualname", "linetable", "exceptiontable", "flags", "stacksize", "varnames", "cellvars"):
            same(getattr(one, f"co_{name}"), getattr(other, f"co_{name}"))
        for name in one.co_names:
            assert sys.intern(str(name)) is name
        same(one.co_consts, other.co_consts)
