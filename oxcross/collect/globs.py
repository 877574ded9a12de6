"""Globs over paths that are no files of this machine: ``*`` and ``?`` stay in a folder, ``**`` matches any depth."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"\*\*/|\*\*|.", re.DOTALL)
_MEANING = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def compiled(pattern: str) -> re.Pattern[str]:
    """The glob as a regular expression, for ``fullmatch``."""
    return re.compile("".join(_MEANING.get(token) or re.escape(token) for token in _TOKEN.findall(pattern)))


def folders(paths: Iterable[str]) -> set[str]:
    """The folders that the paths are in, and those that these are in."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found
