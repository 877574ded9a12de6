"""Looks into a launcher that is stored compressed behind its stub (launcher/stub/image.h)."""

from __future__ import annotations

from struct import Struct

import zstandard

from oxcross.elf import Elf, ElfError

MAGIC = b"OXCROSS-SQUEEZED"
_SQUEEZED = Struct("<16sQQQQ")  # magic, offset (from the magic), stored, size, locator


def unpack(launcher: memoryview) -> Elf | None:
    """The program inside ``launcher`` (the file up to its blob); None for one that is not compressed.

    Raises ElfError when the compressed program is damaged.
    """
    data = bytes(launcher)
    at = data.find(MAGIC)
    if at < 0:
        return None
    try:
        _, offset, stored, size, _ = _SQUEEZED.unpack_from(data, at)
        frame = data[at + offset : at + offset + stored]
        if zstandard.frame_content_size(frame) != size:
            raise ElfError("its compressed program code has another size than its stub says")
        image = zstandard.ZstdDecompressor().decompress(frame)
    except (zstandard.ZstdError, ValueError) as error:
        raise ElfError(f"its compressed program code: {error}") from error
    return Elf(image)
