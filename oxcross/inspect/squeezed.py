"""Looks at the parts of a launcher that are stored compressed (launcher/groups.h)."""

from __future__ import annotations

from struct import Struct

import zstandard

from oxcross.elf import ElfError

MAGIC = b"OXCROSS-GROUPS1\n"
_HEAD = Struct(
    "<16s5Q4I"
)  # magic, size, cold, cold_size, thunks, imports, thunk_count, import_count, count, zero
_ROW = Struct("<16s7Q6I")


def groups(launcher: memoryview) -> tuple[str, ...]:
    """The names of the groups in ``launcher`` (the file up to its blob), each of which was unpacked to see whether it
    can be; empty for a launcher that is stored as it is.

    Raises ElfError when one is damaged.
    """
    data = bytes(launcher)
    at = _table(data)
    if at is None:
        return ()
    head = _HEAD.unpack_from(data, at)
    names = []
    for number in range(head[8]):
        row = _ROW.unpack_from(data, at + _HEAD.size + number * _ROW.size)
        name = row[0].rstrip(b"\0").decode("ascii", "replace")
        content_size, content, content_frame = row[5:8]
        index, index_frame, index_size = row[8:11]
        for offset, stored, size in (
            (content, content_frame, content_size),
            (index, index_frame, index_size),
        ):
            _unpack(data[at : at + head[1]], offset, stored, size, name)
        names.append(name)
    return tuple(names)


def _table(data: bytes) -> int | None:
    """Where the table is: the magic is in the program's own constants, too, where no table follows."""
    at = data.find(MAGIC)
    while at >= 0:
        if at + _HEAD.size <= len(data):
            _, size, _, _, _, _, _, _, count, zero = _HEAD.unpack_from(data, at)
            if not zero and at + size <= len(data) and _HEAD.size + count * _ROW.size <= size:
                return at
        at = data.find(MAGIC, at + 1)
    return None


def _unpack(table: bytes, offset: int, stored: int, size: int, name: str) -> None:
    frame = table[offset : offset + stored]
    try:
        if len(frame) != stored or zstandard.frame_content_size(frame) != size:
            raise ElfError(f"the part {name} of its program code has another size than its table says")
        if len(zstandard.ZstdDecompressor().decompress(frame)) != size:
            raise ElfError(f"the part {name} of its program code is cut short")
    except (zstandard.ZstdError, ValueError) as error:
        raise ElfError(f"the part {name} of its program code: {error}") from error
