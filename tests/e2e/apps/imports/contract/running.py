"""runpy, reload, lazy modules, pickles."""

import importlib
import importlib.util
import os
import pickle
import runpy
import sys

import alpha

from contract import told


def runs():
    given = sys.argv[:]
    for name in ("alpha.tool", "alpha"):
        space = runpy.run_module(name, run_name="__main__", alter_sys=True)
        print(space["__name__"], space["__spec__"].name, space["__package__"], space["__file__"], sys.argv[1:] == given[1:])
    space = runpy.run_module("alpha.sub.deep")
    print(space["depth"], space["__name__"], space["__cached__"])
    print(told(runpy.run_module, "alpha.missing"), told(runpy.run_module, "shared"), told(runpy.run_module, "sys"))
    path = os.path.join(os.path.dirname(alpha.__file__), "sub", "deep.py")
    space = runpy.run_path(path)
    print(space["depth"], space["__name__"], space["__file__"], space["__spec__"])
    space = runpy.run_path(os.path.dirname(alpha.__file__), run_name="folder")
    print(space["__file__"], space["__name__"])


def reloaded():
    before = alpha.runs, id(alpha.__dict__), alpha.Thing
    print(importlib.reload(alpha) is alpha, alpha.runs == before[0] + 1, alpha.Thing is before[2])
    print(alpha.__spec__.name, alpha.__file__, alpha.__path__, sys.modules["alpha"] is alpha)
    deep = importlib.import_module("alpha.sub.deep")
    print(importlib.reload(deep).depth, told(importlib.reload, "alpha"))
    del sys.modules["alpha.sub.deep"]
    print(told(importlib.reload, deep), importlib.import_module("alpha.sub.deep").depth)


def lazy():
    spec = importlib.util.find_spec("alpha.sub.deep")
    sys.modules.pop("alpha.sub.deep", None)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["alpha.sub.deep"] = module
    spec.loader.exec_module(module)
    print(type(module).__name__, object.__getattribute__(module, "__dict__").get("depth"))
    print(module.depth, type(module).__name__, module.__file__)
    factory = importlib.util.LazyLoader.factory(type(alpha.__loader__))
    print(factory("alpha.tool", importlib.util.find_spec("alpha.tool").origin) is not None)


def pickled():
    deep = importlib.import_module("alpha.sub.deep")
    for one in (alpha.Thing, alpha.Thing.Inner, alpha.command, deep.divide, alpha.Thing(1).fail):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = told(pickle.loads, pickle.dumps(one, protocol)) if protocol or one is not alpha.Thing.Inner else one
            assert again is one or again.__func__ is one.__func__, (one, protocol)
    print(told(pickle.dumps, alpha), pickle.loads(pickle.dumps(alpha.Thing("back"))).value)


def main():
    import __main__

    print(__main__.__spec__, __main__.__file__, __main__.__name__, __main__.__package__, __main__.__cached__)
