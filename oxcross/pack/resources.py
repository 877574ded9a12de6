"""Resources: everything an executable carries, before it is laid out in a blob.

Paths are relative to the mount point (the executable's own path), with slashes: site-packages and
the application lie at the root (``flask/__init__.py``), the standard library under its own folder
(``lib/python3.13``). Sets made apart (standard library, dependencies, project) are merged into one
as ``sys.path = [stdlib, site-packages]`` would see them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oxcross.pack.codec import Payload


@dataclass(frozen=True, slots=True)
class Module:
    """A module that can be imported.

    ``path`` is where its ``__file__`` points; for a namespace package (``code`` is None) its folder.
    ``code`` is marshalled bytecode, or the shared library of an ``extension``; of one that is ``linked``
    into the executable it has no bytes.
    """

    name: str
    path: str
    code: Payload | None
    package: bool = False
    extension: bool = False
    stdlib: bool = False
    linked: bool = False

    @property
    def namespace(self) -> bool:
        """Whether this is a PEP 420 namespace package."""
        return self.code is None

    @property
    def rank(self) -> int:
        """The order in which one folder's finder takes it (importlib.machinery.FileFinder)."""
        if self.namespace:
            return 3
        if self.package:
            return 0
        return 1 if self.extension else 2


@dataclass(frozen=True, slots=True)
class File:
    """A file of the virtual file system."""

    path: str
    data: Payload
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that extension modules need by ``soname``; its file is at ``path``.

    A ``fallback`` is loaded only where the system has no library of that name. One that is ``nameless`` does not have
    that DT_SONAME itself. What is the ``systems`` is loaded by Windows' own loader, as are those that need it.
    """

    soname: str
    path: str
    fallback: bool = False
    nameless: bool = False
    systems: bool = False


@dataclass(slots=True)
class Resources:
    """One set of resources. ``libraries`` are in the order in which they must be loaded.

    ``directories`` exist even when no file lies below them; parents of files and of modules need
    not be named. ``dictionary`` is what payloads of codec ZSTD_DICT were made with.
    """

    modules: dict[str, Module] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)
    libraries: dict[str, Library] = field(default_factory=dict)
    dictionary: bytes = b""

    def add_module(self, module: Module) -> None:
        """Add a module; of two with one name, FileFinder's order decides, then the later wins."""
        known = self.modules.get(module.name)
        if known is None or module.rank <= known.rank:
            self.modules[module.name] = module

    def add_file(self, file: File) -> None:
        """Add a file; of two with one path the later wins, as with pip."""
        self.files[file.path] = file

    def add_library(self, library: Library) -> None:
        """Add a library behind those it needs; of two with one soname the first wins, as in ld.so."""
        self.libraries.setdefault(library.soname, library)


def merge(stdlib: Resources, *site: Resources, builtin: Iterable[str] = ()) -> tuple[Resources, list[str]]:
    """One set of several, and warnings for files that differ between two of them.

    The standard library and the ``builtin`` module names win over site-packages: a site module whose
    top-level name they have is left out as a module (its files stay readable). Of two site files
    with one path the later set's wins.

    Raises ValueError when two sets were compressed with different dictionaries.
    """
    merged = Resources()
    warnings: list[str] = []
    taken = {name.partition(".")[0] for name in stdlib.modules}.union(builtin)
    for number, part in enumerate((stdlib, *site)):
        if part.dictionary and merged.dictionary not in (b"", part.dictionary):
            raise ValueError("two sets of resources with different dictionaries")
        merged.dictionary = part.dictionary or merged.dictionary
        for name, module in part.modules.items():
            if number == 0 or name.partition(".")[0] not in taken:
                merged.add_module(module)
        for path, file in part.files.items():
            known = merged.files.get(path)
            if known is not None and known.data.digest != file.data.digest:
                warnings.append(f"{path}: two different files; the later one is taken")
            merged.files[path] = file
        merged.directories |= part.directories
        for library in part.libraries.values():
            merged.add_library(library)
    return merged, warnings
