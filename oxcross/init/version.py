"""A version that the metadata do not spell out: where people write it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oxcross.config import entry

_ASSIGNED = re.compile(
    r"""^(?:__version__|VERSION|version)\s*(?::\s*str\s*)?=\s*["']([0-9][^"'\s]*)["']""", re.MULTILINE
)


def find(root: Path, document: Mapping[str, Any], name: str) -> tuple[str, str] | None:
    """The version and the file that it was read from, below ``root``; None where none is written down."""
    for path in _files(root, document, name):
        if path.is_file() and (found := _read(path)):
            return found, path.relative_to(root).as_posix()
    return None


def told(root: Path, directive: str) -> str:
    """What setuptools' ``attr: package.__version__`` or ``file: VERSION`` comes to; "" if that cannot be read."""
    kind, _, place = directive.partition(":")
    paths = _modules(root, {}, place.strip().rpartition(".")[0]) if kind == "attr" else [root / place.strip()]
    return next((found for path in paths if path.is_file() and (found := _read(path))), "")


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    if path.suffix != ".py":
        first = text.strip().partition("\n")[0].strip()
        return first if re.fullmatch(r"[0-9][A-Za-z0-9._+-]*", first) else ""
    found = _ASSIGNED.search(text)
    return found[1] if found else ""


def _files(root: Path, document: Mapping[str, Any], name: str) -> Iterator[Path]:
    package = re.sub(r"[-.]+", "_", name)
    for module in (package, package.lower()):
        for part in ("", ".__about__", ".__version__", "._version", ".version"):
            yield from _modules(root, document, module + part)


def _modules(root: Path, document: Mapping[str, Any], module: str) -> Iterator[Path]:
    if not module:
        return
    for folder in entry.source_roots(root, document):
        path = folder.joinpath(*module.split("."))
        yield path / "__init__.py"
        yield path.with_name(f"{path.name}.py")
