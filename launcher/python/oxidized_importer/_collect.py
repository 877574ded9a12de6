"""Finds resources in folders, and turns them into OxidizedResource instances."""

import importlib.machinery
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ._distribution import normalised
from ._found import (
    PythonExtensionModule,
    PythonModuleBytecode,
    PythonModuleSource,
    PythonPackageDistributionResource,
    PythonPackageResource,
)
from ._resource import OxidizedResource

_Installed = tuple[Path, bytes, bool]
_METADATA = re.compile(r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(-[^/]*)?\.(dist-info|egg-info)")
_BYTECODE = re.compile(r"(?P<name>[^.]+)\.(?P<tag>[^.]+)(\.opt-(?P<level>[12]))?\.pyc")


def find_resources_in_path(path: Any) -> list[Any]:
    """The modules, files of packages and metadata in a folder, in the order of their paths.

    ValueError when it is no folder.
    """
    root = Path(os.fsdecode(path))
    if not root.is_dir():
        raise ValueError(f"path is not a directory: {root}")
    files = sorted(PurePosixPath(folder, name) for folder, name in _walk(root))
    packages = {
        ".".join(file.parts[:-1])
        for file in files
        if file.name == "__init__.py" or file.name.startswith("__init__.")
    }
    found = (_resource(root, file, packages) for file in files)
    return [one for one in found if one is not None]


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    for folder, _, names in os.walk(root):
        below = Path(folder).relative_to(root).as_posix()
        for name in names:
            yield below, name


def _module_name(file: PurePosixPath, stem: str) -> tuple[str, bool]:
    package = stem == "__init__"
    parts = [part for part in file.parts[:-1] if part != "__pycache__"]
    return ".".join(parts if package else [*parts, stem]), package


def _resource(root: Path, file: PurePosixPath, packages: set[str]) -> Any:
    """What a file is; None for one that belongs to nothing."""
    path = root / file
    if metadata := _METADATA.fullmatch(file.parts[0]) if len(file.parts) > 1 else None:
        name = PurePosixPath(*file.parts[1:]).as_posix()
        return PythonPackageDistributionResource(metadata["name"], metadata["version"], name, path)
    if file.parent.name == "__pycache__":
        bytecode = _BYTECODE.fullmatch(file.name)
        if bytecode is None or bytecode["tag"] != sys.implementation.cache_tag:
            return None
        module, package = _module_name(file, bytecode["name"])
        return PythonModuleBytecode(module, path, is_package=package, level=int(bytecode["level"] or 0))
    for suffix in importlib.machinery.SOURCE_SUFFIXES:
        if file.name.endswith(suffix):
            module, package = _module_name(file, file.name.removesuffix(suffix))
            return PythonModuleSource(module, path, is_package=package)
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        if file.name.endswith(suffix):
            module, package = _module_name(file, file.name.removesuffix(suffix))
            return PythonExtensionModule(module, path, is_package=package)
    for depth in range(len(file.parts) - 1, 0, -1):
        owner = ".".join(file.parts[:depth])
        if owner in packages:
            return PythonPackageResource(owner, PurePosixPath(*file.parts[depth:]).as_posix(), path)
    return None


class OxidizedResourceCollector:
    """Collects what find_resources_in_path found, to be indexed by an OxidizedFinder."""

    _LOCATIONS = ("in-memory", "filesystem-relative")

    def __init__(self, allowed_locations: list[str]) -> None:
        for one in allowed_locations:
            if one not in self._LOCATIONS:
                raise ValueError(f"unknown location {one!r}; choose from {', '.join(self._LOCATIONS)}")
        self._allowed = list(allowed_locations)
        self._resources: dict[str, OxidizedResource] = {}
        self._files: list[Callable[[], _Installed]] = []

    @property
    def allowed_locations(self) -> list[str]:
        """Where resources may be loaded from: ``in-memory``, ``filesystem-relative``."""
        return list(self._allowed)

    def _of(self, name: str, kind: str, *, package: bool = False) -> OxidizedResource:
        resource = self._resources.setdefault(name, OxidizedResource())
        resource.name = name
        setattr(resource, kind, True)
        resource.is_package = resource.is_package or package
        return resource

    def _check(self, location: str) -> None:
        if location not in self._allowed:
            raise ValueError(f"resources may not be {location}: allowed_locations is {self._allowed}")

    def add_in_memory(self, resource: Any) -> None:
        """Have a resource loaded from memory. TypeError for what is none."""
        self._check("in-memory")
        if isinstance(resource, PythonModuleSource):
            module = self._of(resource.module, "is_module", package=resource.is_package)
            module.in_memory_source = resource.source
        elif isinstance(resource, PythonModuleBytecode):
            module = self._of(resource.module, "is_module", package=resource.is_package)
            setattr(module, _leveled("in_memory_bytecode", resource.optimize_level), resource.bytecode)
        elif isinstance(resource, PythonExtensionModule):
            module = self._of(resource.name, "is_extension_module", package=resource._is_package)
            module.in_memory_extension_module_shared_library = resource._read()
        elif isinstance(resource, PythonPackageResource):
            owner, name = _owner(resource)
            module = self._of(owner, "is_module", package=True)
            files = getattr(module, f"in_memory_{name}") or {}
            setattr(module, f"in_memory_{name}", {**files, resource.name: resource.data})
        else:
            raise TypeError(f"cannot operate on {type(resource).__name__} values")

    add_in_memory_resource = add_in_memory  # PyOxidizer's documentation has this name, its code the other

    def add_filesystem_relative(self, prefix: str, resource: Any) -> None:
        """Have a resource loaded from a file below ``prefix``, which is relative to the finder's origin."""
        self._check("filesystem-relative")
        if isinstance(resource, PythonModuleSource):
            module = self._of(resource.module, "is_module", package=resource.is_package)
            path = _place(prefix, resource.module, ".py", package=resource.is_package)
            module.relative_path_module_source = path
        elif isinstance(resource, PythonModuleBytecode):
            module = self._of(resource.module, "is_module", package=resource.is_package)
            source = _place(prefix, resource.module, ".py", package=resource.is_package)
            level = resource.optimize_level
            path = Path(importlib.util.cache_from_source(source, optimization=level or ""))
            setattr(module, _leveled("relative_path_module_bytecode", level), path)
        elif isinstance(resource, PythonExtensionModule):
            module = self._of(resource.name, "is_extension_module", package=resource._is_package)
            path = (
                _place(prefix, resource.name.rpartition(".")[0], "", package=True).parent
                / resource._path.name
            )
            module.relative_path_extension_module_shared_library = path
        elif isinstance(resource, PythonPackageResource):
            owner, name = _owner(resource)
            module = self._of(owner, "is_module", package=True)
            path = _file_place(prefix, resource)
            files = getattr(module, f"relative_path_{name}") or {}
            setattr(module, f"relative_path_{name}", {**files, resource.name: path})
        else:
            raise TypeError(f"cannot operate on {type(resource).__name__} values")
        self._files.append(lambda: (path, _content(resource), _is_executable(resource)))

    def oxidize(self) -> tuple[list[OxidizedResource], list[_Installed]]:
        """The resources, sorted by name, and the files to write for them: (relative path, content, executable)."""
        resources = [one._copy() for _, one in sorted(self._resources.items())]
        return resources, sorted((make() for make in self._files), key=lambda one: one[0].parts)


def _leveled(name: str, level: int) -> str:
    return f"{name}_opt{level}" if level else name


def _owner(resource: PythonPackageResource) -> tuple[str, str]:
    """Name of the resource that a file goes to, and which of its attributes."""
    if isinstance(resource, PythonPackageDistributionResource):
        return normalised(resource.package), "distribution_resources"
    return resource.package, "package_resources"


def _place(prefix: str, module: str, suffix: str, *, package: bool) -> Path:
    parts = [part for part in module.split(".") if part]
    return (
        Path(prefix, *parts, f"__init__{suffix}")
        if package
        else Path(prefix, *parts[:-1], parts[-1] + suffix)
    )


def _file_place(prefix: str, resource: PythonPackageResource) -> Path:
    if isinstance(resource, PythonPackageDistributionResource):
        return Path(prefix, f"{resource.package}-{resource.version}.dist-info", resource.name)
    return Path(prefix, *resource.package.split("."), resource.name)


def _content(resource: Any) -> bytes:
    """What is to lie in the file; bytecode with the header of a .pyc file that is not checked against a source."""
    data: bytes = resource._read()
    if isinstance(resource, PythonModuleBytecode):
        return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + data
    return data


def _is_executable(resource: Any) -> bool:
    return bool(resource._path.stat().st_mode & 0o111)
