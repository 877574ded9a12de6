"""Lines of packages that are compiled as something else: quirks.toml, checked when it is read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from oxcross.errors import OxcrossError

_FILE = Path(__file__).with_name("quirks.toml")


@dataclass(frozen=True, slots=True)
class Quirk:
    """In the file ``path``, the text ``old`` is compiled as ``new``; both are within one line."""

    path: str
    old: str
    new: str
    why: str


def parse(text: str, where: str) -> dict[str, Quirk]:
    """The quirks of a TOML document by their paths. OxcrossError for anything that is not one."""
    found: dict[str, Quirk] = {}
    names = {field.name for field in fields(Quirk)}
    for row in tomllib.loads(text).get("quirk", []):
        if set(row) != names or not all(isinstance(value, str) and value for value in row.values()):
            raise OxcrossError(f"a quirk has the texts {', '.join(sorted(names))}, not {row}", where=where)
        quirk = Quirk(**row)
        if "\n" in quirk.old + quirk.new or quirk.old in quirk.new or quirk.path in found:
            raise OxcrossError(f"{quirk.path}: not one change within a line", where=where)
        found[quirk.path] = quirk
    return found


@cache
def known() -> Mapping[str, Quirk]:
    """The quirks that oxcross knows."""
    return parse(_FILE.read_text(encoding="utf-8"), str(_FILE))


def identity() -> list[str]:
    """What tells a set made with these quirks from one made with others."""
    return [repr(quirk) for quirk in known().values()]


def compiled(path: str, source: bytes) -> bytes:
    """What is compiled of the file at ``path``: its own text, where no quirk is for this version of it."""
    quirk = known().get(path)
    if quirk is None or source.count(quirk.old.encode()) != 1:
        return source
    return source.replace(quirk.old.encode(), quirk.new.encode())
