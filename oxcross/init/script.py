"""Inline metadata of a single-file script (PEP 723): what it requires, written in its own comments."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from oxcross.errors import ConfigError

# The reference implementation's own expression.
_BLOCK = re.compile(
    r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)[ \t\r]*$\n(?P<content>(^#(| .*)$\n)+)^# ///[ \t\r]*$"
)


@dataclass(frozen=True)
class Inline:
    """A script's ``# /// script`` block; without one, nothing."""

    there: bool = False
    python: str = ""  # requires-python
    dependencies: tuple[str, ...] = ()


def read(file: Path) -> Inline:
    """The metadata in ``file``. ConfigError for a block that is not as PEP 723 has it."""
    try:
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(file)) from None
    blocks = [found for found in _BLOCK.finditer(text) if found["type"] == "script"]
    if not blocks:
        return Inline()
    if len(blocks) > 1:
        raise ConfigError("there are several # /// script blocks", where=str(file), hint="keep one")
    lines = (line.removeprefix("# ").removeprefix("#") for line in blocks[0]["content"].splitlines())
    try:
        table = tomllib.loads("\n".join(lines))
    except ValueError as error:
        raise ConfigError(f"# /// script: not TOML: {error}", where=str(file)) from None
    python, dependencies = table.get("requires-python", ""), table.get("dependencies", [])
    if not isinstance(python, str):
        raise ConfigError("# /// script: requires-python must be a string", where=str(file))
    if not isinstance(dependencies, list) or not all(isinstance(one, str) for one in dependencies):
        raise ConfigError("# /// script: dependencies must be a list of strings", where=str(file))
    return Inline(there=True, python=python, dependencies=tuple(dependencies))
