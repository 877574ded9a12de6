"""Where the rooms that are not Python lie: ``templates``, ``images``, ``launcher`` and ``profiles``; and two texts.

In a checkout they stand beside the package; in a wheel, and in oxcross's own executable, inside it
as ``oxcross/_rooms``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

Room = Literal["templates", "images", "launcher", "profiles"]

_PACKAGE: Final = Path(__file__).resolve().parent


def room(name: Room) -> Path:
    """The folder of a room. FileNotFoundError when the installation lacks it."""
    for base in (_PACKAGE / "_rooms", _PACKAGE.parent):
        folder = base / name
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{_PACKAGE}: this installation of oxcross has no {name}/")


def files(name: Room) -> dict[str, bytes]:
    """Every file of a room that ends in a build: relative POSIX path -> content, sorted by path.

    Tests, fuzzers and whatever a build of them left behind are no part of it.
    """
    folder = room(name)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _aside(path.relative_to(folder))
    }


def licence() -> str:
    """oxcross's own licence, which the launcher is under."""
    return _text("LICENSE")


def errors_page() -> str:
    """The page that explains errors."""
    return _text("docs/errors.md")


def _text(name: str) -> str:
    for base in (_PACKAGE / "_rooms", _PACKAGE.parent):
        if (base / name).is_file():
            return (base / name).read_text(encoding="utf-8")
    raise FileNotFoundError(f"{_PACKAGE}: this installation of oxcross has no {name}")


def _aside(path: Path) -> bool:
    return any(
        part.startswith(".") or part in {"fuzz", "tests", "__pycache__"} for part in path.parts[:-1]
    ) or (path.name.startswith(".") or path.suffix in {".o", ".a", ".so", ".pyc"})
