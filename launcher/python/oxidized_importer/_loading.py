"""What an indexed resource gives: spec, code, source text, files. ``origin`` is what relative paths start from."""

import functools
import marshal
import os
import sys
import types
from importlib.machinery import BuiltinImporter, ExtensionFileLoader, FrozenImporter, ModuleSpec
from pathlib import Path
from typing import Any

from ._embedded import MOUNT
from ._reader import Files
from ._resource import OxidizedResource

_HEADER = 16  # bytes before the code in a .pyc file (PEP 552)


def is_importable(resource: OxidizedResource) -> bool:
    """Whether it is a module of any kind."""
    kinds = (resource.is_module, resource.is_extension_module, resource.is_namespace_package)
    return any((*kinds, resource.is_builtin_extension_module, resource.is_frozen_module))


def path_of(resource: OxidizedResource, origin: str) -> str | None:
    """The absolute path of the file that a module comes from; None when it is in memory."""
    data, bytecode = resource._bytecode(sys.flags.optimize)
    in_memory = (data, resource.in_memory_source, resource.in_memory_extension_module_shared_library)
    if any(one is not None for one in in_memory):
        return None
    source = resource.relative_path_module_source
    relative = (source, bytecode, resource.relative_path_extension_module_shared_library)
    found = next((one for one in relative if one is not None), None)
    return None if found is None else os.path.join(origin, found)


def spec_of(resource: OxidizedResource, origin: str, loader: Any) -> ModuleSpec | None:
    """The spec of a module; None for a resource that is none."""
    name = resource.name
    if resource.is_builtin_extension_module:
        return BuiltinImporter.find_spec(name)
    if resource.is_frozen_module:
        return FrozenImporter.find_spec(name)
    if not is_importable(resource):
        return None
    package = resource.is_package or resource.is_namespace_package
    path = path_of(resource, origin)
    if path is None:
        spec = ModuleSpec(name, loader, is_package=package)
        if package:
            spec.submodule_search_locations = [os.path.join(MOUNT, *name.split("."))]
        return spec
    if resource.is_extension_module:
        loader = ExtensionFileLoader(name, path)
    spec = ModuleSpec(name, loader, origin=path, is_package=package)
    spec.has_location = True
    if package:
        folder, last = os.path.split(os.path.dirname(path))
        spec.submodule_search_locations = [folder if last == "__pycache__" else os.path.dirname(path)]
    return spec


def source_of(resource: OxidizedResource, origin: str) -> bytes | None:
    """The bytes of the source text."""
    data: bytes | None = resource.in_memory_source
    path = resource.relative_path_module_source
    return Path(origin, path).read_bytes() if data is None and path is not None else data


def code_of(resource: OxidizedResource, origin: str) -> types.CodeType | None:
    """The code object: of bytecode for this interpreter's optimisation level, else of the source text."""
    data, path = resource._bytecode(sys.flags.optimize)
    if data is None and path is not None:
        data = Path(origin, path).read_bytes()[_HEADER:]
    if data is not None:
        code: types.CodeType = marshal.loads(data)
        return code
    source = source_of(resource, origin)
    if source is None:
        return None
    return compile(source, path_of(resource, origin) or resource.name, "exec", dont_inherit=True)


def files_of(resource: OxidizedResource, origin: str, kind: str) -> Files:
    """The files of a kind ("package", "distribution"), each with what reads it."""
    inside = getattr(resource, f"in_memory_{kind}_resources") or {}
    beside = getattr(resource, f"relative_path_{kind}_resources") or {}
    return {
        **{name: Path(origin, path).read_bytes for name, path in beside.items()},
        **{name: functools.partial(bytes, data) for name, data in inside.items()},
    }
