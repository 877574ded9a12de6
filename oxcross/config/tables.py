"""What the tables of several systems have in common: files that are looked into, and who made the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oxcross.config.files import existing_file
from oxcross.errors import ConfigError

Wrong = Callable[[str, str, str | None], None]  # is told what is wrong: key, message, hint


def checked_file(
    root: Path, key: str, name: str | None, check: Callable[[Path], object], wrong: Wrong
) -> Path | None:
    """The project's file that a key names, if ``check`` raises no ConfigError for it; else ``wrong`` is told why not."""
    if name is None:
        return None
    try:
        path = existing_file(root, name)
        check(path)
    except ConfigError as problem:
        text = f"{name}: {problem.message}" if problem.where else problem.message
        wrong(key, text, problem.hint)
        return None
    return path


def authors(meta: Mapping[str, Any]) -> str:
    """The names of the project's authors, else of its maintainers, with commas between them."""
    rows = meta.get("authors") or meta.get("maintainers")
    return ", ".join(
        str(row["name"])
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and "name" in row
    )
