"""Where an executable's blob lies, by its locator; in a fat file, each machine's."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import NamedTuple

from oxcross.elf import is_elf
from oxcross.errors import InspectError
from oxcross.macho import MachoError, is_fat, is_macho, slices
from oxcross.pack.format import LOCATOR, LOCATOR_MAGIC
from oxcross.pe import is_pe

HINT = "the file was changed or cut short after it was built: build or download it again"
_ENOUGH = 1 << 12  # bytes to know a file by, and its slices


class Locator(NamedTuple):
    """What ``struct ox_locator`` says (launcher/resources.h)."""

    address: int
    size: int
    offset: int
    end: int


class Place(NamedTuple):
    """An executable in a file, from ``start`` to ``end``: all of it, or a slice of a fat one. ``blob``'s offsets are those from
    its start.
    """

    start: int
    end: int
    blob: Locator


def locate(data: mmap.mmap | bytes, path: Path) -> tuple[int, int]:
    """Offset and size of the (first) blob in the file."""
    place = places(data, path)[0]
    return place.start + place.blob.offset, place.blob.size


def places(data: mmap.mmap | bytes, path: Path) -> list[Place]:
    """Every executable in a file. InspectError unless each has a blob, and all of it."""
    head = data[:_ENOUGH]
    if not (is_elf(head) or is_pe(head) or is_macho(head)):
        raise InspectError("not an oxcross executable", where=str(path), page="not-made-by-oxcross")
    if not is_fat(head):
        return [Place(0, len(data), _locator(data, 0, len(data), path))]
    try:
        with memoryview(data) as view:
            found = slices(view)
    except MachoError as error:
        raise InspectError(f"damaged: {error}", where=str(path), hint=HINT) from error
    if not found:
        raise InspectError("not an oxcross executable", where=str(path), page="not-made-by-oxcross")
    ranges = [(one.offset, one.offset + one.size) for one in found]
    return [Place(start, end, _locator(data, start, end, path)) for start, end in ranges]


def _locator(data: mmap.mmap | bytes, start: int, end: int, path: Path) -> Locator:
    """The first locator counts: the launcher comes first, and a blob may hold anything."""
    at = data.find(LOCATOR_MAGIC, start, end)
    if at < 0 or at + LOCATOR.size > end:
        raise InspectError("not an oxcross executable", where=str(path), page="not-made-by-oxcross")
    found = Locator(*LOCATOR.unpack_from(data, at)[1:])
    if not found.address:
        raise InspectError("a launcher without a blob, not an executable", where=str(path))
    there = end - start
    if there < found.end or found.offset + found.size > there:
        raise InspectError(
            f"damaged: truncated ({there} of {found.end} bytes are there)", where=str(path), hint=HINT
        )
    return found
