"""What is wrong with a configuration, collected, each with file, line and key."""

from __future__ import annotations

import re
from pathlib import Path

from oxcross.errors import ConfigError, ConfigErrors

_HEADER = re.compile(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"""\s*("[^"]+"|'[^']+'|[A-Za-z0-9_.-]+)\s*=""")


class Findings:
    """Errors in the order found; the same one is kept once."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = shown(file)
        self._lines = key_lines(text)
        self._errors: dict[str, ConfigError] = {}

    def add(self, key: str, message: str, hint: str | None = None, *, page: str | None = None) -> None:
        """Note what is wrong at a dotted key (``tool.oxcross.data[0].from``); the rest is as for ConfigError."""
        line = self._line(key)
        place = f"{self._file}:{line}" if line else self._file
        error = ConfigError(message, where=f"{place}: {key}", hint=hint, page=page)
        self._errors.setdefault(str(error), error)

    def about(self, key: str) -> bool:
        """Whether anything is wrong at that key, or below it."""
        return any(f": {key}{end}" in text for text in self._errors for end in (": ", ".", "["))

    def raise_any(self) -> None:
        """Raise ConfigErrors when anything was found."""
        if self._errors:
            raise ConfigErrors(self._errors.values())

    def _line(self, key: str) -> int | None:
        """The line of the key, or of the nearest key or table around it; None when there is none."""
        while key:
            if line := self._lines.get(key):
                return line
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
            if key in ("tool.oxcross", "project", "tool", ""):
                return None
        return None


def key_lines(text: str) -> dict[str, int]:
    """Where keys and tables stand in a TOML text: dotted name -> line, from 1.

    Reads line by line, which is exact for files that people write; a key inside an inline table or
    a multi-line string is not told apart. It only serves to say where to look.
    """
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = re.sub(r"""\s|"|'""", "", header[1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}.{key[1].strip(chr(34) + chr(39))}".removeprefix("."), number)
    return lines


def shown(path: Path) -> str:
    """A path as the user would write it: relative to the current folder when it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
