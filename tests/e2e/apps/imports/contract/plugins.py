"""What lies outside: folders and archives on sys.path, and how they meet what is inside."""

import importlib.machinery
import importlib.resources
import importlib.util
import os
import sys
import traceback
import zipimport
from pathlib import Path

import alpha

from contract import told

ROOT = os.path.dirname(os.path.dirname(alpha.__file__))


def added(outside):
    print(told(importlib.import_module, "plugin"))
    sys.path.append(outside)
    import beta
    import plugin

    print(plugin.hook(), plugin.__file__, plugin.__spec__.loader.__class__.__name__, beta.origin)
    try:
        plugin.fail()
    except RuntimeError:
        traceback.print_exc(file=sys.stdout)
    import shared.left
    import shared.outside
    import shared.right

    print(shared.left.side, shared.right.side, shared.outside.place, [os.path.basename(p) for p in shared.__path__])
    print(sys.path_importer_cache[outside].path)


def first(outside):
    """What comes first on sys.path is taken, as ever."""
    sys.path.insert(0, outside)
    import beta

    print(beta.origin, beta.__file__)
    import json.decoder

    import alpha.tool

    print(json.decoder.__file__, alpha.tool.__file__)
    sys.path.remove(outside)
    del sys.modules["beta"]
    print(importlib.import_module("beta").origin)
    sys.path.insert(0, os.path.join(ROOT, "alpha", "sub"))
    print(importlib.import_module("deep").__file__, importlib.import_module("alpha.sub.deep").__file__)


def late(outside):
    """A module that appears while the program runs."""
    folder = Path(outside, "late")
    folder.mkdir(exist_ok=True)
    (folder / "arrived.py").unlink(missing_ok=True)
    sys.path.append(str(folder))
    print(told(importlib.import_module, "arrived"))
    (folder / "arrived.py").write_text("here = True\n")
    importlib.invalidate_caches()
    print(importlib.import_module("arrived").here)


def archives(outside):
    for archive in (os.path.join(outside, "packed.zip"), os.path.join(ROOT, "assets", "packed.zip")):
        for name in [name for name in sys.modules if name.partition(".")[0] == "packed"]:
            del sys.modules[name]
        sys.path.append(archive)
        import packed.part

        print(packed.__file__, packed.part.value, type(packed.__loader__) is zipimport.zipimporter, packed.__loader__.archive)
        print(packed.__loader__.get_data(os.path.join(archive, "packed", "note.txt")))
        print(importlib.resources.files("packed").joinpath("note.txt").read_text())
        try:
            packed.part.fail()
        except ValueError:
            traceback.print_exc(file=sys.stdout)
        print(told(zipimport.zipimporter, f"{archive}.missing"))
        sys.path.remove(archive)
    print(told(zipimport.zipimporter, alpha.__file__))


def removed(_):
    """An entry that a program takes away is no longer looked through."""
    sys.path_importer_cache.clear()
    print(importlib.machinery.PathFinder.find_spec("beta", [os.path.join(ROOT, "alpha")]))
    print(importlib.machinery.PathFinder.find_spec("beta", [ROOT]).origin)


class Aliases:
    """Finds beta under another name; put before PathFinder, as awscli does for what it has copies of."""

    def find_spec(self, name, path=None, target=None):
        if name == "gamma":
            return importlib.util.find_spec("beta")
        if name == "beta":
            return importlib.util.spec_from_loader(name, loader=None, origin="found by Aliases")
        return None


def before(outside):
    """What stands before PathFinder on sys.meta_path is asked before what is embedded is found."""
    names = [getattr(one, "__name__", type(one).__name__) for one in sys.meta_path]
    place = names.index("PathFinder")
    sys.meta_path.insert(place, Aliases())
    print(importlib.util.find_spec("beta").origin, importlib.util.find_spec("gamma").origin)
    print(importlib.util.find_spec("alpha").origin, importlib.util.find_spec("none"))
    del sys.meta_path[place]
    print(importlib.util.find_spec("beta").origin)
