"""Writes and reads a ``.rsrc`` section: a tree of type, identifier and language, the leaves of which are bytes.

Source: "PE Format", Microsoft's specification, "The .rsrc Section".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from struct import Struct

from oxcross.pack.format import align
from oxcross.pe import DIR_RESOURCE, DIRECTORY, Budget, Pe, PeError

RT_ICON, RT_GROUP_ICON, RT_VERSION, RT_MANIFEST = 3, 14, 16, 24
ENGLISH = 0x0409

_DIRECTORY = Struct("<IIHHHH")  # characteristics, time, major, minor, named entries, numbered entries
_ENTRY = Struct("<II")  # identifier, offset
_LEAF = Struct("<IIII")  # address, size, code page, zero
_LENGTH = Struct("<H")
_BELOW = 1 << 31  # the offset is that of a directory
_ALIGN = 8

Place = tuple[int, int, int]  # type, identifier, language


class Resources:
    """Resources of an executable, by type, identifier and language (numbers)."""

    def __init__(self, leaves: Mapping[Place, bytes] | None = None) -> None:
        self._leaves = dict(leaves or {})

    def add(self, kind: int, identifier: int, data: bytes, language: int = ENGLISH) -> None:
        """Add one; a later one takes the place of an earlier."""
        self._leaves[kind, identifier, language] = data

    def pack(self, address: int) -> bytes:
        """The section, to be loaded at ``address`` (relative to the image). The same resources give the same bytes."""
        places = sorted(self._leaves)
        kinds = [(kind, list(group)) for kind, group in groupby(places, lambda place: place[0])]
        names = [(key, list(group)) for key, group in groupby(places, lambda place: (place[0], place[1]))]
        # Breadth first: the root, a directory for each type, one for each identifier; then what the leaves say; then they.
        second = _DIRECTORY.size + _ENTRY.size * len(kinds)
        third = second + _DIRECTORY.size * len(kinds) + _ENTRY.size * len(names)
        leaves = third + _DIRECTORY.size * len(names) + _ENTRY.size * len(places)
        data = align(leaves + _LEAF.size * len(places), _ALIGN)

        tree = [_head(len(kinds))]
        at = second
        for kind, group in kinds:
            tree.append(_ENTRY.pack(kind, at | _BELOW))
            at += _DIRECTORY.size + _ENTRY.size * len({name for _, name, _ in group})
        at = third
        for kind, _ in kinds:
            own = [(name, group) for (of, name), group in names if of == kind]
            tree.append(_head(len(own)))
            for name, group in own:
                tree.append(_ENTRY.pack(name, at | _BELOW))
                at += _DIRECTORY.size + _ENTRY.size * len(group)
        at = leaves
        for _, group in names:
            tree.append(_head(len(group)))
            for _, _, language in group:
                tree.append(_ENTRY.pack(language, at))
                at += _LEAF.size
        content = bytearray()
        for place in places:
            content += bytes(-len(content) % _ALIGN)
            tree.append(_LEAF.pack(address + data + len(content), len(self._leaves[place]), 0, 0))
            content += self._leaves[place]
        return b"".join(tree).ljust(data, b"\0") + bytes(content)


def _head(count: int) -> bytes:
    return _DIRECTORY.pack(0, 0, 0, 0, 0, count)


def read(file: Pe) -> dict[tuple[int | str, int | str, int | str], bytes]:
    """The resources of an executable, by type, identifier and language (numbers, or the texts of names).

    Raises PeError for a tree that leads out of the file, or round in circles.
    """
    base, _ = file.directory(DIR_RESOURCE)
    if not base:
        return {}
    found: dict[tuple[int | str, int | str, int | str], bytes] = {}
    budget = Budget()
    for kind, names in _entries(file, base, 0, budget):
        for name, languages in _entries(file, base, names, budget):
            for language, leaf in _entries(file, base, languages, budget):
                address, size = file.at(DIRECTORY, base + leaf)
                start = file.file_offset(address)
                if start + size > len(file.view):
                    raise PeError("a resource ends behind the file's end")
                found[kind, name, language] = bytes(file.view[start : start + size])
    return found


def _entries(file: Pe, base: int, at: int, budget: Budget) -> Iterator[tuple[int | str, int]]:
    """A directory's entries: number or name, and the offset of what it leads to."""
    place = base + (at & ~_BELOW)
    *_, named, numbered = file.at(_DIRECTORY, place)
    for number in range(named + numbered):
        budget.spend()
        key, to = file.at(_ENTRY, place + _DIRECTORY.size + number * _ENTRY.size)
        yield _name(file, base + (key & ~_BELOW)) if key & _BELOW else key, to


def _name(file: Pe, address: int) -> str:
    (length,) = file.at(_LENGTH, address)
    start = file.file_offset(address) + _LENGTH.size
    return bytes(file.view[start : start + 2 * length]).decode("utf-16-le", "replace")
