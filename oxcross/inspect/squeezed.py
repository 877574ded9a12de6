"""Looks at the parts of a launcher that are stored compressed (launcher/groups.h)."""

from __future__ import annotations

import zstandard

from oxcross.elf import ElfError
from oxcross.squeeze import table


def groups(launcher: memoryview) -> tuple[str, ...]:
    """The names of the groups in ``launcher`` (the file up to its blob), each of which was unpacked to see whether it
    can be; empty for a launcher that is stored as it is. Groups that were left out are not among them.

    Raises ElfError when one is damaged.
    """
    found = table.find(launcher)
    if found is None:
        return ()
    data = bytes(launcher[found.at : found.at + found.head.size])
    names = []
    for row in found.rows:
        if row.flags == table.GONE:
            continue
        _unpack(data, row.content, row.content_frame, row.content_size, row.name)
        _unpack(data, row.index, row.index_frame, row.index_size, row.name)
        names.append(row.name)
    return tuple(names)


def _unpack(data: bytes, offset: int, stored: int, size: int, name: str) -> None:
    frame = data[offset : offset + stored]
    try:
        if len(frame) != stored or zstandard.frame_content_size(frame) != size:
            raise ElfError(f"the part {name} of its program code has another size than its table says")
        if len(zstandard.ZstdDecompressor().decompress(frame)) != size:
            raise ElfError(f"the part {name} of its program code is cut short")
    except (zstandard.ZstdError, ValueError) as error:
        raise ElfError(f"the part {name} of its program code: {error}") from error
