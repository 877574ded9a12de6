"""Files that a configuration file names: what cannot be read of them is the user's to mend."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from oxcross.errors import ConfigError


def text(path: Path) -> str:
    """The text of a file. ConfigError for one that is not there, or no text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {path}: {error.strerror}", hint="name a file that is there"
        ) from None
    except ValueError:
        raise ConfigError(f"not UTF-8: {path}", hint="save it as UTF-8") from None


def tables(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; none when it is not there. ConfigError for what is no TOML."""
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {path}: {error}", hint="mend that file first") from None


def metadata(path: Path) -> dict[str, Any]:
    """The table [project] of a pyproject.toml."""
    found = tables(path).get("project", {})
    return found if isinstance(found, dict) else {}
