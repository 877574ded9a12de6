"""OxidizedZipFinder: imports from a ZIP archive, as a finder on sys.meta_path."""

import importlib.abc
import io
import marshal
import os
import types
import zipfile
from importlib.machinery import ModuleSpec
from typing import Any

from ._embedded import MOUNT

_HEADER = 16  # bytes before the code in a .pyc file (PEP 552)


class OxidizedZipFinder:
    """Finds and loads the modules (.py and .pyc) of an archive. Made by from_path and from_zip_data."""

    def __init__(self, archive: zipfile.ZipFile, path: str) -> None:
        self._archive = archive
        self._path = path
        self._names = frozenset(archive.namelist())

    @classmethod
    def from_path(cls, path: Any) -> "OxidizedZipFinder":
        """The finder of an archive's file. ValueError when it is none."""
        return cls._open(os.fsdecode(path), os.fsdecode(path))

    @classmethod
    def from_zip_data(cls, source: Any, path: Any = None) -> "OxidizedZipFinder":
        """The finder of an archive's bytes, which claims to lie at ``path``, or at the executable's own."""
        name = MOUNT if path is None else os.fsdecode(path)
        return cls._open(io.BytesIO(bytes(memoryview(source))), name)

    @classmethod
    def _open(cls, file: Any, path: str) -> "OxidizedZipFinder":
        try:
            return cls(zipfile.ZipFile(file), path)
        except (OSError, zipfile.BadZipFile) as error:
            raise ValueError(f"cannot open ZIP archive: {error}") from error

    def _member(self, fullname: str) -> tuple[str, bool] | None:
        """The member that is a module, and whether it is a package."""
        base = fullname.replace(".", "/")
        for stem, package in ((f"{base}/__init__", True), (base, False)):
            for suffix in (".pyc", ".py"):
                if stem + suffix in self._names:
                    return stem + suffix, package
        return None

    def _source_of(self, member: str) -> str | None:
        source = member.removesuffix("c") if member.endswith(".pyc") else member
        return source if source in self._names else None

    def _known(self, fullname: str) -> tuple[str, bool]:
        found = self._member(fullname)
        if found is None:
            raise ImportError(f"module {fullname} not found in {self._path}", name=fullname)
        return found

    def find_spec(
        self, fullname: str, path: Any = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module, or None."""
        found = self._member(fullname)
        if found is None:
            return None
        member, package = found
        source = self._source_of(member) or member
        origin = os.path.join(self._path, *source.split("/"))
        spec = ModuleSpec(fullname, self, origin=origin, is_package=package)  # type: ignore[arg-type]
        spec.has_location = True
        spec.cached = os.path.join(self._path, *member.split("/")) if member != source else spec.cached
        if package:
            spec.submodule_search_locations = [os.path.dirname(origin)]
        return spec

    def find_module(self, fullname: str, path: Any = None) -> "OxidizedZipFinder | None":
        """Itself for a module that it has, else None: what finders had before find_spec."""
        return None if self._member(fullname) is None else self

    def invalidate_caches(self) -> None:
        """Nothing is cached but the archive's directory, which does not change."""

    load_module = importlib.abc.Loader.load_module
    source_to_code = staticmethod(importlib.abc.InspectLoader.source_to_code)

    def create_module(self, spec: ModuleSpec) -> None:
        """None: modules are made as usual."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run a module's code in its namespace."""
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, fullname: str) -> types.CodeType:
        """A module's code object. ImportError for an unknown module."""
        member, _ = self._known(fullname)
        data = self._archive.read(member)
        if member.endswith(".pyc"):
            code: types.CodeType = marshal.loads(data[_HEADER:])
            return code
        return compile(data, os.path.join(self._path, *member.split("/")), "exec", dont_inherit=True)

    def get_source(self, fullname: str) -> str | None:
        """A module's source text, or None for bytecode alone. ImportError for an unknown module."""
        import importlib.util

        member, _ = self._known(fullname)
        source = self._source_of(member)
        return None if source is None else importlib.util.decode_source(self._archive.read(source))

    def is_package(self, fullname: str) -> bool:
        """Whether a module is a package. ImportError for an unknown module."""
        return self._known(fullname)[1]
