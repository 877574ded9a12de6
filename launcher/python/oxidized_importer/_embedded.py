"""What is in the executable, as OxidizedResource instances; their data are read when they are asked for."""

import functools
import marshal
import os
import posixpath
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import _oxcross

from ._distribution import normalised
from ._resource import OxidizedResource

MOUNT: str = _oxcross.mount

# Flags of a module (enum ox_module_flag in launcher/resources.h).
_PACKAGE, _NAMESPACE, _EXTENSION = 1, 2, 4
_METADATA = re.compile(r"(?P<name>[^-/]+)-[^/]*\.(dist-info|egg-info)/(?P<file>.+)")
_LIBRARY = re.compile(r"\.so(\.[0-9.]+)?$|\.dll$", re.IGNORECASE)


def builtins() -> list[OxidizedResource]:
    """The extension modules that are built in."""
    return [_flagged(name, "is_builtin_extension_module") for name in sys.builtin_module_names]


def frozen() -> list[OxidizedResource]:
    """The modules that are frozen into the interpreter."""
    import _imp

    found = []
    for name in _imp._frozen_module_names():  # type: ignore[attr-defined]
        resource = _flagged(name, "is_frozen_module")
        resource.is_package = _imp.is_frozen_package(name)
        found.append(resource)
    return found


def _flagged(name: str, flag: str) -> OxidizedResource:
    resource = OxidizedResource()
    resource.name = name
    setattr(resource, flag, True)
    return resource


@functools.cache
def resources() -> dict[str, OxidizedResource]:
    """All of them by name, the built-in and frozen ones too."""
    found = {one.name: one for one in (*frozen(), *builtins())}
    rows = _oxcross.modules()
    for name, path, flags in rows:
        found[name] = _module(name, path, flags)
    folders = {_folder(path, flags): name for name, path, flags in rows if flags & (_PACKAGE | _NAMESPACE)}
    code = {path for _, path, flags in rows if not flags & _NAMESPACE}
    for path in _files():
        if path not in code:
            _add_file(found, folders, path)
    return found


def _folder(path: str, flags: int) -> str:
    return path if flags & _NAMESPACE else posixpath.dirname(path)


def _module(name: str, path: str, flags: int) -> OxidizedResource:
    resource = _flagged(name, "is_extension_module" if flags & _EXTENSION else "is_module")
    resource.is_package = bool(flags & (_PACKAGE | _NAMESPACE))
    resource.is_namespace_package = bool(flags & _NAMESPACE)
    if flags & _EXTENSION:
        _later(resource, "in_memory_extension_module_shared_library", functools.partial(_read, path))
    elif not flags & _NAMESPACE:
        level = f"_opt{sys.flags.optimize}" if sys.flags.optimize else ""
        _later(resource, f"in_memory_bytecode{level}", functools.partial(_bytecode, name))
        if Path(MOUNT, path).exists():
            _later(resource, "in_memory_source", functools.partial(_read, path))
    return resource


def _later(resource: OxidizedResource, name: str, make: Callable[[], Any]) -> None:
    resource._values[name] = make


def _read(path: str) -> bytes:
    return Path(MOUNT, path).read_bytes()


def _bytecode(name: str) -> bytes | None:
    spec = _oxcross.Finder().find_spec(name)  # imports no parent
    loader: Any = spec and spec.loader
    code = loader and loader.get_code(name)
    return None if code is None else marshal.dumps(code)


def _files() -> Iterator[str]:
    """Their paths below the executable, with slashes as in the blob."""
    for folder, _, names in os.walk(os.path.join(MOUNT, "")):
        below = os.path.relpath(folder, MOUNT).replace(os.sep, "/")
        yield from (name if below == "." else f"{below}/{name}" for name in names)


def _add_file(found: dict[str, OxidizedResource], folders: dict[str, str], path: str) -> None:
    """Put a file to the package or distribution that it belongs to."""
    if metadata := _METADATA.fullmatch(path):
        name = normalised(metadata["name"])
        resource = found.setdefault(name, OxidizedResource())
        resource.name = name
        _add(resource, "in_memory_distribution_resources", metadata["file"], path)
        return
    if _LIBRARY.search(path):
        name = posixpath.basename(path)
        found[name] = _flagged(name, "is_shared_library")
        _later(found[name], "in_memory_shared_library", functools.partial(_read, path))
        return
    folder = posixpath.dirname(path)
    while folder and folder not in folders:
        folder = posixpath.dirname(folder)
    if folder:
        _add(found[folders[folder]], "in_memory_package_resources", path[len(folder) + 1 :], path)


def _add(resource: OxidizedResource, attribute: str, name: str, path: str) -> None:
    known = resource._values.setdefault(attribute, _Contents())
    known.paths[name] = path


class _Contents:
    """Makes the dictionary of files that is one attribute of a resource."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}

    def __call__(self) -> dict[str, bytes]:
        return {name: _read(path) for name, path in sorted(self.paths.items())}
