"""The symbols of a Mach-O file: what it takes of which library, and what it exports. Source: <mach-o/nlist.h>, and for
exports <mach-o/loader.h> (EXPORT_SYMBOL_FLAGS_…), of Apple's xnu.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from oxcross.macho import LC_SYMTAB, Macho, MachoError

_NLIST = Struct("<IBBHQ")  # name, type, section, description, value
_N_STAB, _N_TYPE, _N_EXT = 0xE0, 0x0E, 0x01
_N_UNDF = 0
_N_WEAK_REF = 0x40
_REEXPORT, _STUB_AND_RESOLVER = 0x08, 0x10
_SPECIAL = {0: "this file", 0xFE: "any library", 0xFF: "the executable"}  # ordinals that are no library's
_LONGEST_NAME = 1 << 16


@dataclass(frozen=True, slots=True)
class Import:
    """A symbol, as it is written (with the underscore that C's names have), and its library. ``weak``: it may be missing."""

    name: str
    ordinal: int
    library: str
    weak: bool


@dataclass(frozen=True, slots=True)
class Export:
    """A symbol that others may use: its address from the image's beginning, None for one of another library."""

    name: str
    address: int | None
    flags: int


def imports(file: Macho) -> list[Import]:
    """The symbols that the dynamic linker looks for, in the table's order. MachoError for a damaged table.

    They are those of the table of symbols (nlist), which linkers write for every symbol that they bind.
    """
    found = []
    for name, kind, _, description, value in _symbols(file):
        if kind & _N_STAB or not kind & _N_EXT or kind & _N_TYPE != _N_UNDF or value:
            continue
        ordinal = description >> 8
        found.append(Import(name, ordinal, _library(file, ordinal), bool(description & _N_WEAK_REF)))
    return found


def _symbols(file: Macho) -> Iterator[tuple[str, int, int, int, int]]:
    file.only(LC_SYMTAB)
    part, names = file.part("symbols"), file.part("strings")
    if part is None:
        return
    texts = bytes(file.content(names)) if names else b""
    for at, *fields in _NLIST.iter_unpack(file.content(part)):
        end = texts.find(b"\0", at)
        if end < 0:
            raise MachoError("a symbol's name does not end")
        kind, section, description, value = fields
        yield texts[at:end].decode("utf-8", "replace"), kind, section, description, value


def _library(file: Macho, ordinal: int) -> str:
    if ordinal in _SPECIAL:
        return _SPECIAL[ordinal]
    if ordinal > len(file.dylibs):
        raise MachoError(f"a symbol is one of library {ordinal}, of {len(file.dylibs)}")
    return file.dylibs[ordinal - 1].name


def exports(file: Macho) -> list[Export]:
    """The symbols that it exports, by name. MachoError for a damaged trie."""
    part = file.part("exports")
    if part is None:
        return []
    trie = bytes(file.content(part))
    found = []
    seen: set[int] = set()
    pending = [(0, b"")]
    while pending:
        at, name = pending.pop()
        if at in seen or len(name) > _LONGEST_NAME:
            raise MachoError("its exports lead round in circles")
        seen.add(at)
        size, at = _uleb(trie, at)
        if size:
            found.append(_export(trie[: at + size], at, name.decode("utf-8", "replace")))
        at += size
        count, at = _byte(trie, at)
        for _ in range(count):
            edge, at = _until_nul(trie, at)
            child, at = _uleb(trie, at)
            pending.append((child, name + edge))
    return sorted(found, key=lambda one: one.name)


def _export(trie: bytes, at: int, name: str) -> Export:
    flags, at = _uleb(trie, at)
    value, at = _uleb(trie, at)
    if flags & _REEXPORT:
        _until_nul(trie, at)
        return Export(name, None, flags)
    if flags & _STUB_AND_RESOLVER:
        _uleb(trie, at)
    return Export(name, value, flags)


def _byte(data: bytes, at: int) -> tuple[int, int]:
    if not 0 <= at < len(data):
        raise MachoError("its exports end too soon")
    return data[at], at + 1


def _uleb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = _byte(data, at)
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise MachoError("a number of its exports is too large")


def _until_nul(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\0", at)
    if end < 0:
        raise MachoError("a name of its exports does not end")
    return data[at:end], end + 1
