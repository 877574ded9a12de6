"""Which file of a folder on sys.path is which module: importlib.machinery.FileFinder's rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Name:
    """A module as its file's path tells it."""

    module: str
    kind: Literal["source", "extension"]
    package: bool
    order: int = 0  # FileFinder's, among files of one module: packages first, then by suffix


def of(path: str, extensions: Iterable[str]) -> Name | None:
    """The module that the file at ``path`` (relative to an entry of sys.path) is; None for data."""
    *folders, file = path.split("/")
    suffixes = (*extensions, ".py")
    order = next((n for n, suffix in enumerate(suffixes) if file.endswith(suffix)), None)
    if order is None:
        return None
    stem = file.removesuffix(suffixes[order])
    kind: Literal["source", "extension"] = "source" if suffixes[order] == ".py" else "extension"
    if not all(part.isidentifier() for part in (*folders, stem)):
        return None
    package = stem == "__init__"
    if package and not folders:
        return None
    module = ".".join(folders if package else [*folders, stem])
    return Name(module, kind, package, order if package else len(suffixes) + order)


def namespaces(paths: Iterable[str], modules: Iterable[str]) -> list[str]:
    """Folders that are importable although they have no ``__init__`` (PEP 420), as module names.

    ``modules`` are what has a file of its own, and goes before them. CPython takes every folder whose name is
    an identifier, whatever is in it; ``importlib.resources.files("flask.templates")`` rests on that.
    """
    regular = set(modules)
    found: set[str] = set()
    for path in paths:
        *folders, file = path.split("/")
        if file == "__init__.pyc":  # bytecode without source, which importlib's own finder and loader see to
            regular.add(".".join(folders))
        for depth in range(1, len(folders) + 1):
            if not folders[depth - 1].isidentifier() or folders[depth - 1] == "__pycache__":
                break
            found.add(".".join(folders[:depth]))
    return sorted(found - regular)
