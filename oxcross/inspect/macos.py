"""What macos.toml and macos_newer.toml say, and the oldest macOS that starts a file by them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from oxcross import machosymbols
from oxcross.macho import Macho, Version

_TABLE = Path(__file__).with_name("macos.toml")
_NEWER = Path(__file__).with_name("macos_newer.toml")


@cache
def allowed(what: str) -> frozenset[str]:
    """The "dylibs" or "commands" that an executable for macOS may have."""
    return frozenset(tomllib.loads(_TABLE.read_text(encoding="utf-8"))[what])


@cache
def newer() -> Mapping[str, Version]:
    """Symbols of macOS's libraries that are newer than the oldest macOS that oxcross knows, and since when they are there."""
    rows = tomllib.loads(_NEWER.read_text(encoding="utf-8"))
    return {name: version(since) for since, names in rows.items() for name in names}


def version(text: str) -> Version:
    """A version as Apple writes it: "11.0" is (11, 0, 0)."""
    major, minor, patch = (*map(int, text.split(".")), 0, 0)[:3]
    return major, minor, patch


def too_new(file: Macho, oldest: Version, since: Mapping[str, Version]) -> dict[str, Version]:
    """The symbols that the file cannot do without and that are newer than ``oldest``, and since when they are there.

    A weak symbol, and one of a weak library, may be missing. Raises MachoError.
    """
    weak = {dylib.name for dylib in file.dylibs if dylib.kind == "weak"}
    strong = (one.name for one in machosymbols.imports(file) if not one.weak and one.library not in weak)
    return {name: since[name] for name in strong if name in since and since[name] > oldest}
