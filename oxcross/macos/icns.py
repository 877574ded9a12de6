"""A bundle's icon: an ``.icns`` file, or a PNG that becomes one.

The format is a list of images, each with four letters for its kind and its size; those from 128x128 on are PNGs. Source: the
constants of Apple's CarbonCore/IconsCore (``IconServices``), "Icon Composer" and what ``iconutil`` writes.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from struct import Struct
from struct import error as struct_error
from typing import Final

from oxcross.errors import ConfigError

_MAGIC: Final = b"icns"
_ENTRY = Struct(">4sI")  # kind, size with these eight bytes
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_FIRST = Struct(">I4sIIBBBBBI")  # length, IHDR, width, height, five kinds, CRC
_KINDS: Final = {128: b"ic07", 256: b"ic08", 512: b"ic09", 1024: b"ic10"}
_NO_IMAGES: Final = frozenset({b"TOC ", b"icnV", b"name", b"info"})


def load(path: Path) -> bytes:
    """The ``.icns`` file's bytes. ConfigError, which names the file, for what macOS would not show."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    problem, hint = "neither an .icns file nor a PNG", None
    if data.startswith(_PNG):
        size, problem = _png(data)
        if not problem:
            image = _ENTRY.pack(_KINDS[size], _ENTRY.size + len(data)) + data
            return _ENTRY.pack(_MAGIC, _ENTRY.size + len(image)) + image
        hint = "the sizes of icons are 1024x1024, 512x512, 256x256 and 128x128"
    elif data.startswith(_MAGIC):
        problem = _icon(data)
        if not problem:
            return data
    raise ConfigError(f"not an icon for macOS: {problem}", where=str(path), hint=hint)


def _png(data: bytes) -> tuple[int, str]:
    """Its size, and what is wrong with it ("")."""
    try:
        length, kind, width, height, *_, check = _FIRST.unpack_from(data, len(_PNG))
    except struct_error:
        return 0, "it is a PNG that is cut short"
    body = data[len(_PNG) + 4 : len(_PNG) + _FIRST.size - 4]
    if kind != b"IHDR" or length != len(body) - 4 or zlib.crc32(body) != check or b"IEND" not in data[-8:]:
        return 0, "it is a damaged PNG"
    if width != height or width not in _KINDS:
        return 0, f"it is {width}x{height}"
    return width, ""


def _icon(data: bytes) -> str:
    at, images = _ENTRY.size, 0
    if len(data) < at or _ENTRY.unpack_from(data)[1] != len(data):
        return "it is cut short, or something follows it"
    while at < len(data):
        if at + _ENTRY.size > len(data):
            return "it ends in an image"
        kind, size = _ENTRY.unpack_from(data, at)
        if size < _ENTRY.size or at + size > len(data):
            return f"image {kind.decode('latin-1')!r} ends behind the file's end"
        images += kind not in _NO_IMAGES
        at += size
    return "" if images else "it has no image"
