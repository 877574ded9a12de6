"""The table of the groups in a compressed launcher (launcher/groups.h): its records, and an executable without some of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import astuple, dataclass, replace
from struct import Struct

from oxcross.elf import PT_LOAD, SEGMENT, Elf, ElfError

MAGIC = b"OXCROSS-GROUPS1\n"
AT_START, GONE = 1, 2
_HEAD = Struct("<16s5Q4I")
_ROW = Struct("<16s7Q6I")


@dataclass(frozen=True, slots=True)
class Head:
    """``struct ox_groups``. Addresses are of the image, sizes in bytes."""

    size: int
    cold: int
    cold_size: int
    thunks: int
    imports: int
    thunk_count: int
    import_count: int
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """``struct ox_group``. ``start`` is an address, ``content`` and ``index`` are offsets from the head."""

    name: str
    start: int
    code: int
    constants: int
    data: int
    content_size: int
    content: int
    content_frame: int
    index: int
    index_frame: int
    index_size: int
    first_thunk: int
    thunk_count: int
    flags: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the bytes of a launcher: ``at`` is its offset there."""

    at: int
    head: Head
    rows: tuple[Row, ...]


def first_frame(count: int) -> int:
    """The offset of the first frame in a table of ``count`` groups."""
    return _HEAD.size + count * _ROW.size


def pack(head: Head, rows: Collection[Row], frames: bytes) -> bytes:
    """The table; the head's size and the offsets in ``rows`` are right already."""
    records = [_ROW.pack(row.name.encode("ascii"), *astuple(row)[1:]) for row in rows]
    return _HEAD.pack(MAGIC, *astuple(head), 0) + b"".join(records) + frames


def find(data: bytes | bytearray | memoryview) -> Table | None:
    """The table of a compressed launcher, None in any other. The magic alone is in the program's own constants, too."""
    data = bytes(data)
    at = data.find(MAGIC)
    while at >= 0:
        if at + _HEAD.size <= len(data):
            _, *fields, zero = _HEAD.unpack_from(data, at)
            head = Head(*fields)
            if not zero and at + head.size <= len(data) and first_frame(head.count) <= head.size:
                rows = (_ROW.unpack_from(data, at + first_frame(n)) for n in range(head.count))
                named = (Row(row[0].rstrip(b"\0").decode("ascii", "replace"), *row[1:]) for row in rows)
                return Table(at, head, tuple(named))
        at = data.find(MAGIC, at + 1)
    return None


def without(launcher: bytes, names: Collection[str]) -> bytes:
    """A compressed launcher with the groups ``names`` gone: their frames, no more; nothing else moves.

    Any other launcher comes back as it is. ElfError when the table is not where oxcross/squeeze puts it.
    """
    table = find(launcher) if names else None
    if table is None:
        return launcher
    if table.at + table.head.size != len(launcher):
        raise ElfError("the table of its groups is not at its end")
    frames = bytearray()
    rows = []
    for row in table.rows:
        if row.name in names:
            rows.append(
                replace(row, content=0, content_frame=0, index=0, index_frame=0, index_size=0, flags=GONE)
            )
            continue
        places = []
        for offset, size in ((row.content, row.content_frame), (row.index, row.index_frame)):
            places.append(first_frame(len(table.rows)) + len(frames))
            frames += launcher[table.at + offset : table.at + offset + size]
        rows.append(replace(row, content=places[0], index=places[1]))
    head = replace(table.head, size=first_frame(len(rows)) + len(frames))
    image = bytearray(launcher[: table.at] + pack(head, rows, bytes(frames)))
    _cut(image, table.at, len(launcher) - len(image))
    return bytes(image)


def _cut(image: bytearray, at: int, less: int) -> None:
    """Let the segment that has the offset ``at`` in it end ``less`` bytes sooner."""
    file = Elf(bytes(image))
    for number, segment in enumerate(file.segments):
        if segment.type == PT_LOAD and segment.offset <= at < segment.offset + segment.filesz:
            smaller = replace(segment, filesz=segment.filesz - less, memsz=segment.memsz - less)
            place = file.segments_offset + number * SEGMENT.size
            image[place : place + SEGMENT.size] = smaller.pack()
            return
    raise ElfError("no segment has the table of its groups")
