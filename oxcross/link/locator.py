"""struct ox_locator of launcher/resources.h: where the launcher reads what is to be found where."""

from __future__ import annotations

from oxcross.pack.format import LOCATOR, LOCATOR_MAGIC


class LocatorError(ValueError):
    """A launcher without a locator, with two, or with one that is filled in."""


def fill(image: bytearray, address: int, size: int, offset: int, end: int) -> None:
    """Write the blob's place into the launcher: its address relative to the image's beginning, its size, its offset in
    the file, and where the file ends.
    """
    first = image.find(LOCATOR_MAGIC)
    if first < 0 or image.find(LOCATOR_MAGIC, first + 1) >= 0:
        raise LocatorError("it must have exactly one ox_locator")
    if any(image[first + len(LOCATOR_MAGIC) : first + LOCATOR.size]):
        raise LocatorError("it has a blob already")
    LOCATOR.pack_into(image, first, LOCATOR_MAGIC, address, size, offset, end)
