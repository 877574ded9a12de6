"""A fat file (universal binary): several finished Mach-O files, one for each machine, behind one header.

macOS runs the one that fits the machine best. Their signatures stay as they are: each is that of its own file. Source:
<mach-o/fat.h> of Apple's xnu.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oxcross import macho
from oxcross.macho import Macho, MachoError
from oxcross.pack.format import align

ALIGN = 14  # 2**14 bytes: pages of arm64
_LARGEST = (1 << 32) - 1
_HEADERS = 1 << 16  # bytes: more than any load commands have


@dataclass(frozen=True, slots=True)
class Thin:
    """A Mach-O file: what its header says of the machine, its size in bytes."""

    cpu: int
    subtype: int
    size: int


def thin(path: Path) -> Thin:
    """What is to be known of an executable. MachoError for what is no Mach-O executable, or does not end with a signature;
    OSError for a file that cannot be read.
    """
    with path.open("rb") as stream:
        file = Macho(stream.read(_HEADERS))
        size = stream.seek(0, os.SEEK_END)
    signature = file.part("signature")
    if file.header.type != macho.MH_EXECUTE or signature is None or signature.offset + signature.size != size:
        raise MachoError("not a signed executable")
    return Thin(file.header.cpu, file.header.subtype, size)


def layout(files: Sequence[Thin]) -> list[bytes]:
    """What goes before each of the files: the header, and padding. MachoError when they are too large for one file, are for
    the same machine, or are not in the order of machines' numbers, as ``lipo`` has them (x86-64, then arm64).
    """
    if [one.cpu for one in files] != sorted({one.cpu for one in files}):
        raise MachoError("a fat file has one executable for each machine, x86-64 first")
    header = macho.FAT.pack(macho.FAT_MAGIC, len(files))
    at = end = macho.FAT.size + len(files) * macho.FAT_ARCH.size
    padding = []
    for one in files:
        at = align(end, 1 << ALIGN)
        padding.append(bytes(at - end))
        end = at + one.size
        if end > _LARGEST:
            raise MachoError("it is larger than 4 GB, which no program for macOS can be")
        header += macho.FAT_ARCH.pack(one.cpu, one.subtype, at, one.size, ALIGN)
    padding[:1] = [header + first for first in padding[:1]]
    return padding
