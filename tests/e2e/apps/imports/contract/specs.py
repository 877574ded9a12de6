"""Specs, loaders and what modules have of them; finders used by hand; what is said when nothing is found."""

import importlib
import importlib.machinery
import importlib.util
import json.decoder
import os
import pkgutil
import sys
import warnings
from pathlib import Path

import alpha
import alpha.sub.deep

from contract import told

ROOT = os.path.dirname(os.path.dirname(alpha.__file__))


def fields():
    for name in ("alpha", "alpha.sub", "alpha.sub.deep", "json.decoder", "os", "beta", "shared", "shared.left", "sys", "zipimport"):
        spec = importlib.util.find_spec(name)
        print(name, spec.name, spec.origin, spec.cached, spec.has_location, spec.parent, spec.loader_state)
        places = spec.submodule_search_locations
        print("   ", None if places is None else list(places), type(places).__name__)
        print("   ", isinstance(spec.loader, importlib.machinery.SourceFileLoader), repr(spec) != "")


def modules():
    import shared

    for module in (alpha, alpha.sub, alpha.sub.deep, json.decoder):
        print(module, module.__name__, module.__package__, module.__file__, module.__cached__, module.__doc__)
        print("   ", getattr(module, "__path__", None), module.__spec__.name, module.__loader__ is module.__spec__.loader)
    print(shared, list(shared.__path__), shared.__file__ if hasattr(shared, "__file__") else "no file")
    print(type(shared.__loader__).__name__, type(shared.__path__).__name__)


def loader():
    for module in (alpha, alpha.sub.deep, json.decoder):
        name, loader = module.__name__, module.__loader__
        source = loader.get_source(name)
        print(name, loader.name, loader.path, loader.is_package(name), loader.get_filename(name), len(source))
        print("   ", source == Path(module.__file__).read_text("utf-8"), loader.get_data(module.__file__)[:20])
        code = loader.get_code(name)
        print("   ", code.co_filename, code.co_name, code == loader.source_to_code(source, module.__file__))
        print("   ", sorted(loader.path_stats(module.__file__)), loader.create_module(module.__spec__))
        print("   ", loader == type(loader)(name, module.__file__), hash(loader) == hash(type(loader)(name, module.__file__)))
    for method in ("get_code", "get_filename", "load_module", "is_package"):
        print(method, told(getattr(alpha.__loader__, method), "other"))
    print(told(alpha.__loader__.get_data, os.path.join(ROOT, "nowhere")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(alpha.__loader__.load_module("alpha") is alpha, alpha.runs)


def missing():
    for name in ("missing", "missing.sub", "alpha.missing", "alpha.sub.deep.x", "json.missing", "shared.missing"):
        print(told(importlib.util.find_spec, name))
        print(told(importlib.import_module, name))
    for name in ("", ".x", 3):
        print(told(importlib.util.find_spec, name))
    for line in ("import alpha.missing", "from alpha import missing", "from shared import missing", "import alpha.broken"):
        print(told(exec, line), "alpha.broken" in sys.modules)


def finders():
    folder = os.path.join(ROOT, "alpha", "sub")
    path = os.path.join(folder, "deep.py")
    files = importlib.machinery.FileFinder(folder, (importlib.machinery.SourceFileLoader, [".py"]))
    print(files.find_spec("deep").origin, files.find_spec("deeper"), files.path)
    print(importlib.machinery.PathFinder.find_spec("alpha").origin)
    print(importlib.machinery.PathFinder.find_spec("deep", [folder]).origin)
    print(importlib.machinery.PathFinder.find_spec("alpha", []), importlib.machinery.PathFinder.find_spec("missing"))
    module = importlib.machinery.SourceFileLoader("by_hand", path).load_module()
    print(module.__name__, module.depth, module.__file__, "by_hand" in sys.modules)
    spec = importlib.util.spec_from_file_location("located", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    print(module.depth, spec.origin, spec.cached, spec.has_location)
    spec = importlib.util.spec_from_loader("alpha", alpha.__loader__)
    print(spec.origin, spec.submodule_search_locations)
    print([importlib.util.find_spec("alpha", None).origin, importlib.util.resolve_name("..x", "a.b.c")])
    importlib.invalidate_caches()
    print(importlib.util.find_spec("alpha.tool").origin)


def hooks():
    folder = os.path.join(ROOT, "alpha")
    for path in (folder, os.fsencode(folder), Path(folder)):
        finder = pkgutil.get_importer(path)
        print(finder.path, finder.find_spec("tool").origin, finder.find_spec("missing"))
    hooked = next(filter(None, (hook_for(hook, folder) for hook in sys.path_hooks)))
    print(hooked.find_spec("sub").submodule_search_locations)
    for path in (os.path.join(folder, "data.txt"), os.path.join(folder, "nowhere")):
        finder = pkgutil.get_importer(path)
        print(finder and finder.find_spec("x"))
    print(ROOT in sys.path_importer_cache, folder in sys.path_importer_cache)
    sys.path_importer_cache.clear()
    print(importlib.import_module("alpha.tool").__name__)


def initial():
    """A package's file under its own name."""
    module = importlib.import_module("alpha.__init__")
    print(module.__name__, module.__file__, module is alpha, module.__spec__.parent)


def hook_for(hook, path):
    try:
        return hook(path)
    except ImportError:
        return None


def tools():
    print([tuple(one)[1:] for one in pkgutil.iter_modules(alpha.__path__)])
    print([tuple(one)[1:] for one in pkgutil.iter_modules([Path(ROOT) / "alpha"], "prefix.")])
    import shared

    print([tuple(one)[1:] for one in pkgutil.iter_modules(shared.__path__, "shared.")])
    print([one.name for one in pkgutil.walk_packages(alpha.__path__, "alpha.", onerror=print) if one.name != "alpha.__main__"])
    everything = {one.name: one.ispkg for one in pkgutil.iter_modules()}
    print({name: everything.get(name) for name in ("alpha", "beta", "json", "os", "hush", "muffled", "lines_found")})
    print(pkgutil.get_data("alpha", "data.txt"), pkgutil.get_data("alpha", "folder/inner.txt"))
    print(told(pkgutil.get_data, "alpha", "nowhere"), pkgutil.get_data("shared", "left.txt"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(pkgutil.get_loader("alpha").path, pkgutil.find_loader("alpha.tool").path, pkgutil.find_loader("missing"))
    print(pkgutil.resolve_name("alpha.sub:deep.depth"), pkgutil.extend_path(["x"], "alpha"))


def sourceless():
    import hush
    import muffled.inside

    for module in (hush, muffled, muffled.inside):
        print(module.__name__, module.__file__, module.__cached__, module.__spec__.origin, module.__spec__.cached)
        print("   ", module.__loader__.get_source(module.__name__), module.said(), module.said.__code__.co_filename)
        print("   ", module.__loader__.is_package(module.__name__), module.__loader__.get_code(module.__name__).co_name)
    print([tuple(one)[1:] for one in pkgutil.iter_modules(muffled.__path__)])
    print(told(importlib.import_module, "stale"))
