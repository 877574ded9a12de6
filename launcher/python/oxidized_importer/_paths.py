"""OxidizedPathEntryFinder: an OxidizedFinder's modules at one level, for sys.path_hooks."""

import os
import types
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

from ._embedded import MOUNT

if TYPE_CHECKING:
    from ._finder import OxidizedFinder


def relative(path: str, base: str) -> str | None:
    """The path below ``base``, with slashes; None for one that is not. Backslashes separate names on every system here."""
    if os.path.normcase(path[: len(base)]) != os.path.normcase(base) or path[
        len(base) : len(base) + 1
    ] not in ("/", "\\"):
        return None
    return path[len(base) + 1 :].replace("\\", "/")


def package_of(path: object) -> str | None:
    """The package that a path below the executable stands for; None for the executable's own.

    TypeError for what is no str, ValueError for a path that stands for none.
    """
    if not isinstance(path, str):
        raise TypeError(f"expected str, not {type(path).__name__}")
    if os.path.normcase(path) == os.path.normcase(MOUNT):
        return None
    inside = relative(path, MOUNT)
    if inside is None:
        raise ValueError(f"path {path!r} does not begin in {MOUNT!r}")
    parts = inside.split("/")
    if any(not part or part.startswith(".") or part.endswith(".") or ".." in part for part in parts):
        raise ValueError(f"path {path!r} stands for no package")
    return ".".join(parts).encode("utf-8", "replace").decode()


class OxidizedPathEntryFinder:
    """Finds the modules directly in one package, or, where that is None, the top-level ones."""

    def __init__(self, finder: "OxidizedFinder", path: str, package: str | None) -> None:
        self._finder = finder
        self._path = path
        self.__package = package

    @property
    def _package(self) -> str | None:
        return self.__package

    def find_spec(self, fullname: str, target: types.ModuleType | None = None) -> ModuleSpec | None:
        """The spec of a module of this package, or None."""
        above, _, _ = fullname.rpartition(".")
        return self._finder.find_spec(fullname, None, target) if above == (self._package or "") else None

    def invalidate_caches(self) -> None:
        """Hands on to the OxidizedFinder."""
        self._finder.invalidate_caches()

    def iter_modules(self, prefix: str = "") -> list[tuple[str, bool]]:
        """The modules of this package as (prefix + name, is package)."""
        return self._finder._modules_in(self._package, prefix)
