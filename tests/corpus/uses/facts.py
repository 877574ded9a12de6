"""What every distribution has: metadata, files, modules, entry points, told in lines that are the same anywhere."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import io
import os
import pkgutil
from importlib import metadata, resources, util

# Written by the installer, not by the package.
# Folders that schemes other than the library's are installed to, each kind of installation in its own way.
_PLACED = {"..", "bin", "include"}
_INSTALLERS = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}


def tell(name: str) -> None:
    """Print the facts of the distribution ``name``."""
    distribution = metadata.distribution(name)
    print(distribution.metadata["Name"], distribution.version, metadata.version(name) == distribution.version)
    print("requires", len(distribution.requires or ()), "summary", distribution.metadata["Summary"])
    _files(distribution)
    _entry_points(distribution)
    for top in _tops(distribution):
        _top(top)


def _own(distribution: metadata.Distribution) -> list[metadata.PackagePath]:
    """The files as the wheel has them, without what installers write, generate or compile."""
    return [
        path
        for path in distribution.files or ()
        if path.name not in _INSTALLERS and path.suffix != ".pyc" and path.parts[0] not in _PLACED
    ]


def _files(distribution: metadata.Distribution) -> None:
    """Read every file by its path, and compare with what stat and RECORD say of it."""
    digest = hashlib.sha256()
    own = sorted(_own(distribution))
    size = 0
    for path in own:
        place = os.fspath(distribution.locate_file(path))
        with open(place, "rb") as file:
            content = file.read()
        size += len(content)
        if os.stat(place).st_size != len(content) or not os.path.isfile(place):
            print("another size", path)
        if path.size is not None and path.size != len(content):
            print("RECORD has another size", path)
        digest.update(str(path).encode() + b"\0" + hashlib.sha256(content).digest())
    print("files", len(own), size, digest.hexdigest())


def _entry_points(distribution: metadata.Distribution) -> None:
    for point in sorted(distribution.entry_points, key=lambda one: (one.group, one.name)):
        try:
            loaded = point.load()
        except (AttributeError, ImportError) as error:
            loaded = error
        print("entry point", point.group, point.name, getattr(loaded, "__name__", repr(loaded)))


def _tops(distribution: metadata.Distribution) -> list[str]:
    """Names of the modules and packages that can be imported, namespaces' by their first part of their own."""
    found = set()
    for path in _own(distribution):
        module = inspect.getmodulename(path.name)
        if module is None or not all(part.isidentifier() for part in path.parts[:-1]):
            continue
        names = path.parts[:-1] if module == "__init__" else (*path.parts[:-1], module)
        for depth in range(1, len(names) + 1):
            spec = util.find_spec(".".join(names[:depth]))
            if spec is None or spec.origin is not None:
                found.add(".".join(names[:depth]))
                break
    return sorted(found)


def _top(name: str) -> None:
    spec = util.find_spec(name)
    if spec is None:
        print("top", name, "is not to be found")
        return
    print("top", name, spec.origin, type(spec.submodule_search_locations).__name__)
    if spec.submodule_search_locations is None:
        return
    walked = sorted(one.name for path in spec.submodule_search_locations for one in _walk(path, f"{name}."))
    print("modules", len(walked), hashlib.sha256("\n".join(walked).encode()).hexdigest())
    for folder in spec.submodule_search_locations:
        tree = [
            (
                os.path.relpath(here, folder).replace(os.sep, "/"),
                sorted(set(folders) - {"__pycache__"}),
                sorted(_no_caches(names)),
            )
            for here, folders, names in os.walk(folder)
            if "__pycache__" not in here
        ]
        print("tree", len(tree), hashlib.sha256(repr(sorted(tree)).encode()).hexdigest())
    module = importlib.import_module(name)
    print("file", module.__file__, module.__spec__ is not None and module.__spec__.name)
    if (module.__file__ or "").endswith("__init__.py"):
        source = inspect.getsource(module)
        beside = resources.files(name).joinpath("__init__.py").read_text("utf-8")
        print(
            "source",
            len(source),
            source.strip() == beside.strip(),
            pkgutil.get_data(name, "__init__.py") is not None,
        )
        with io.open_code(module.__file__) as file:
            print("code", len(file.read()) > 0)


def _walk(path: str, prefix: str) -> list[pkgutil.ModuleInfo]:
    """All modules below ``path``, without importing one."""
    found = []
    for one in pkgutil.iter_modules([path], prefix):
        found.append(one)
        if one.ispkg:
            found += _walk(os.path.join(path, one.name.rpartition(".")[2]), f"{one.name}.")
    return found


def _no_caches(names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".pyc")]
