"""An executable's icon, from an ``.ico`` file or a PNG.

In the file a directory of images leads to them by offset; in an executable by the number of a resource each. Source:
"Icons", Microsoft's documentation of Win32, and for PNG images in icons "The evolution of the ICO file format".
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from struct import error as struct_error

from oxcross.errors import ConfigError
from oxcross.windows.resources import RT_GROUP_ICON, RT_ICON, Resources

_DIRECTORY = Struct("<HHH")  # zero, 1 for icons, images
_IN_FILE = Struct("<BBBBHHII")  # width, height, colours, zero, planes, bits, size, offset
_IN_GROUP = Struct("<BBBBHHIH")  # the same, with a resource's number for the offset
_BITMAP = Struct("<IiiHHIIiiII")
_LENGTH = Struct(">I")
_IHDR = Struct(">IIBBBBB")  # width, height, depth, colour type, compression, filter, interlace
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST = 256
_RGBA = 6
_DEPTHS = (1, 4, 8, 16, 24, 32)
_AS_PNG = "save it as PNG with 8 bits for each of red, green, blue and alpha (magick in.png PNG32:out.png)"


@dataclass(frozen=True, slots=True)
class Image:
    """One size of an icon; ``data`` is a PNG, or a bitmap without the header that files have."""

    width: int
    height: int
    colours: int
    planes: int
    bits: int
    data: bytes

    def entry(self, number: int) -> bytes:
        """Its entry in the group: 0 stands for 256."""
        return _IN_GROUP.pack(
            self.width & 0xFF,
            self.height & 0xFF,
            self.colours,
            0,
            self.planes,
            self.bits,
            len(self.data),
            number,
        )


def load(path: Path) -> tuple[Image, ...]:
    """The images of an icon file. ConfigError, which names file and entry, for one that Windows would not show."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    try:
        if data.startswith(_PNG):
            return (_png(data),)
        return _icon(data)
    except _IconError as error:
        raise ConfigError(f"not an icon for Windows: {error}", where=str(path), hint=error.hint) from None


def add(images: tuple[Image, ...], resources: Resources) -> None:
    """Make the images the program's icon: the group with the lowest number is what Windows shows."""
    for number, image in enumerate(images, 1):
        resources.add(RT_ICON, number, image.data)
    entries = b"".join(image.entry(number) for number, image in enumerate(images, 1))
    resources.add(RT_GROUP_ICON, 1, _DIRECTORY.pack(0, 1, len(images)) + entries)


class _IconError(ValueError):
    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def _icon(data: bytes) -> tuple[Image, ...]:
    if len(data) < _DIRECTORY.size or data[:4] != b"\0\0\1\0":
        raise _IconError("neither an .ico file nor a PNG")
    _, _, count = _DIRECTORY.unpack_from(data)
    if not count:
        raise _IconError("it has no image")
    return tuple(_entry(data, number) for number in range(count))


def _entry(data: bytes, number: int) -> Image:
    try:
        return _read(data, *_IN_FILE.unpack_from(data, _DIRECTORY.size + number * _IN_FILE.size))
    except struct_error:
        raise _IconError(f"entry {number + 1} is cut short") from None
    except _IconError as error:
        raise _IconError(f"entry {number + 1} {error}", error.hint) from None


def _read(
    data: bytes, width: int, height: int, colours: int, _: int, planes: int, bits: int, size: int, offset: int
) -> Image:
    content = data[offset : offset + size]
    if len(content) != size:
        raise _IconError("ends behind the file's end")
    width, height = width or _LARGEST, height or _LARGEST
    if not content.startswith(_PNG):
        return _bitmap(content, width, height, colours, planes or 1, bits)
    image = _png(content)
    if (image.width, image.height) != (width, height):
        raise _IconError(f"is {image.width}x{image.height}, listed as {width}x{height}")
    return image


def _bitmap(content: bytes, width: int, height: int, colours: int, planes: int, bits: int) -> Image:
    head, wide, high, _, depth, compression, *_, used, _ = _BITMAP.unpack_from(content)
    if head != _BITMAP.size:
        raise _IconError("is neither a PNG nor a bitmap")
    if (wide, high) != (width, 2 * height):
        raise _IconError(f"is {wide}x{high // 2}, listed as {width}x{height}")
    if depth not in _DEPTHS or compression:
        raise _IconError("is a bitmap of a kind that icons cannot have", "save the icon with 32 bits a pixel")
    palette = 4 * (used or 1 << depth) if depth <= 8 else 0
    rows = (width * depth + 31) // 32 * 4 + (
        width + 31
    ) // 32 * 4  # colours, and the mask of what is transparent
    if len(content) < _BITMAP.size + palette + rows * height:
        raise _IconError("is cut short")
    return Image(width, height, colours, planes, bits or depth, content)


def _png(content: bytes) -> Image:
    at = len(_PNG)
    chunks: list[bytes] = []
    try:
        while not chunks or not chunks[-1].startswith(b"IEND"):
            (length,) = _LENGTH.unpack_from(content, at)
            chunks.append(content[at + 4 : at + 8 + length])
            (check,) = _LENGTH.unpack_from(content, at + 8 + length)
            if zlib.crc32(chunks[-1]) != check:
                raise _IconError("is a damaged PNG")
            at += 12 + length
        width, height, depth, colour, *_ = _IHDR.unpack(chunks[0][4:])
    except struct_error:
        raise _IconError("is a PNG that is cut short") from None
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        raise _IconError(f"is a PNG of {width}x{height}: the largest icon is 256x256", "make it smaller")
    if (depth, colour) != (8, _RGBA):
        raise _IconError("is a PNG without the colours that Windows takes in icons", _AS_PNG)
    return Image(width, height, 0, 1, 32, content)
