"""The files a project is built from, told apart from what tools leave in its folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_SKIPPED = {"__pycache__", "node_modules"}
_SKIPPED_AT_TOP = {"build", "dist", "oxcross.lock"}


def walk(root: Path) -> Iterator[str]:
    """Paths below ``root`` with slashes, sorted: no hidden folders, build output or environments."""

    def visit(folder: str, prefix: str) -> Iterator[str]:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if not prefix and entry.name in _SKIPPED_AT_TOP:
                continue
            if entry.is_dir(follow_symlinks=False):
                if not _skipped(entry):
                    yield from visit(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file() and not entry.name.endswith(".pyc"):
                yield prefix + entry.name

    return visit(os.fspath(root), "")


def _skipped(entry: os.DirEntry[str]) -> bool:
    return (
        entry.name in _SKIPPED
        or entry.name.startswith(".")
        or entry.name.endswith(".egg-info")
        or os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))  # noqa: PTH110, PTH118
    )


def digests(root: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file of the project, by path."""
    found = {}
    for path in walk(root):
        with (root / path).open("rb") as file:
            found[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def contents(tree: Path) -> dict[str, bytes]:
    """Every file below ``tree``, by path."""
    paths = sorted(path for path in tree.rglob("*") if path.is_file())
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in paths}


def revision(root: Path) -> dict[str, str]:
    """What version control says the project is at: backends may take the version from there.

    Empty without git, or where the version cannot depend on it (nothing dynamic in pyproject.toml).
    """
    try:
        if b"dynamic" not in (root / "pyproject.toml").read_bytes():
            return {}
    except OSError:
        return {}
    git = next((one for folder in (root, *root.parents) if (one := folder / ".git").exists()), None)
    if git is None:
        return {}
    own = _pointed(git) if git.is_file() else git
    shared = _pointed(own / "commondir") if (own / "commondir").is_file() else own
    found: dict[str, str] = {}
    for path in (own / "HEAD", shared / "packed-refs", *sorted((shared / "refs").rglob("*"))):
        if path.is_file():
            found[f".git/{path.relative_to(own if path.parent == own else shared)}"] = path.read_text(
                "utf-8", "replace"
            )
    return found


def _pointed(file: Path) -> Path:
    """The folder that a file of Git's names: of a worktree or a submodule. Source: gitrepository-layout(5)."""
    named = file.read_text("utf-8", "replace").strip().removeprefix("gitdir: ")
    return (file.parent / named).resolve()


def digest(facts: Mapping[str, str]) -> str:
    """SHA-256 (hex) of a mapping, whatever its order."""
    return hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()
