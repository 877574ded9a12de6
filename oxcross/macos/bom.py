"""Writes a Bom (bill of materials): the list of what a package installs, with modes, sizes and checksums.

A file of blocks, which refer to each other by number, and of a few that have names. Apple documents none of it; source: the
descriptions of github.com/hogliux/bomutils and of apple-bom in github.com/indygreg/apple-platform-rs, and man 1 cksum for
the checksum. The same inputs give the same bytes. Integers are big-endian.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from struct import Struct
from typing import Final

_HEADER = Struct(
    ">8s6I"
)  # magic, version, blocks, where their table is, its size, where the names are, their size
_HEADER_ROOM: Final = 512
_POINTER = Struct(">II")  # where, size
_COUNT = Struct(">I")
_INFO = Struct(">3I4I")  # version, paths and one, entries; one: machine, three that are unknown
_TREE = Struct(">4sIIIIB")  # magic, version, the block of paths, their size, paths, zero
_PATHS = Struct(">HHII")  # whether it is a leaf, count, the next block, the previous one
_PAIR = Struct(">II")  # of a leaf: the block of a path's number, that of its name
_RECORD = Struct(
    ">BBHHIIIIBII"
)  # kind, 1, machines, mode, user, group, time, size, 1, checksum, size of a link's text
_VINDEX = Struct(">IIIB")
_IN_LEAF: Final = 256
_BLOCK: Final = 4096
_FILE, _FOLDER = 1, 2
_MACHINES: Final = 15
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Entry:
    """A path: "." for the root, "./NAME/…" for what is in it. ``mode`` has the kind, too; ``checksum`` is cksum's."""

    path: str
    mode: int
    size: int = 0
    checksum: int = 0


class Cksum:
    """The checksum of POSIX's ``cksum``: a CRC-32 that begins with the highest bit, over the data and its length.

    zlib's begins with the lowest one: with the bits of each byte in the other order it is the same.
    """

    def __init__(self) -> None:
        self._crc, self._length = 0xFFFFFFFF, 0  # which zlib inverts

    def update(self, data: bytes) -> None:
        """Go on with more data."""
        self._crc = zlib.crc32(data.translate(_REVERSED), self._crc)
        self._length += len(data)

    @property
    def value(self) -> int:
        """The checksum of all so far."""
        length = self._length.to_bytes((self._length.bit_length() + 7) // 8, "little")
        return int(f"{zlib.crc32(length.translate(_REVERSED), self._crc):032b}"[::-1], 2)


class _Blocks:
    def __init__(self) -> None:
        self.blocks: list[bytes] = [b""]
        self.names: list[tuple[str, int]] = []

    def add(self, data: bytes) -> int:
        """Its number."""
        self.blocks.append(data)
        return len(self.blocks) - 1

    def name(self, name: str, data: bytes) -> None:
        self.names.append((name, self.add(data)))

    def tree(self, child: int, block: int = _BLOCK, count: int = 0) -> bytes:
        return _TREE.pack(b"tree", 1, child, block, count, 0)

    def empty(self) -> int:
        return self.add(_PATHS.pack(1, 0, 0, 0))

    def content(self) -> bytes:
        names = _COUNT.pack(len(self.names))
        for name, number in self.names:
            names += _COUNT.pack(number) + bytes([len(name)]) + name.encode("ascii")
        at = _HEADER_ROOM + len(names)
        table = _COUNT.pack(len(self.blocks))
        for block in self.blocks:
            table += _POINTER.pack(at if block else 0, len(block))
            at += len(block)
        table += _COUNT.pack(0) + _POINTER.pack(0, 0) * 2  # room that is free: none
        header = _HEADER.pack(b"BOMStore", 1, len(self.blocks) - 1, at, len(table), _HEADER_ROOM, len(names))
        return header.ljust(_HEADER_ROOM, b"\0") + names + b"".join(self.blocks) + table


def build(entries: Iterable[Entry]) -> bytes:
    """The Bom of paths; each folder is among them, before what is in it."""
    rows = sorted(entries, key=lambda entry: (len(PurePosixPath(entry.path).parts), entry.path))
    blocks = _Blocks()
    blocks.name("BomInfo", _INFO.pack(1, len(rows) + 1, 1, 0, 0, 0, 0))
    blocks.name("Paths", blocks.tree(_paths(blocks, rows), count=len(rows)))
    blocks.name("HLIndex", blocks.tree(blocks.empty()))
    blocks.name("VIndex", _VINDEX.pack(1, blocks.add(blocks.tree(blocks.empty(), 128)), 0, 0))
    blocks.name("Size64", blocks.tree(blocks.empty()))
    return blocks.content()


def _paths(blocks: _Blocks, rows: Sequence[Entry]) -> int:
    """The block that leads to all paths."""
    numbers: dict[str, int] = {}
    pairs = []
    for number, row in enumerate(rows, 1):
        folder, _, name = row.path.rpartition("/")
        numbers[row.path] = number
        record = blocks.add(_record(row))
        named = _COUNT.pack(numbers[folder] if folder else 0) + name.encode("utf-8") + b"\0"
        pairs.append((blocks.add(_PAIR.pack(number, record)), blocks.add(named)))
    groups = [pairs[at : at + _IN_LEAF] for at in range(0, len(pairs), _IN_LEAF)]
    first = len(blocks.blocks)
    for at, group in enumerate(groups):
        after = first + at + 1 if at + 1 < len(groups) else 0
        before = first + at - 1 if at else 0
        leaf = _PATHS.pack(1, len(group), after, before)
        blocks.add(leaf + b"".join(_PAIR.pack(*pair) for pair in group))
    if len(groups) == 1:
        return first
    ends = b"".join(_PAIR.pack(first + at, group[-1][1]) for at, group in enumerate(groups))
    return blocks.add(_PATHS.pack(0, len(groups), 0, 0) + ends)


def _record(row: Entry) -> bytes:
    kind = _FOLDER if stat.S_ISDIR(row.mode) else _FILE
    return _RECORD.pack(kind, 1, _MACHINES, row.mode, 0, 0, 0, row.size, 1, row.checksum, 0)
