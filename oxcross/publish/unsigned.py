"""Executables without the signatures of certificates: nobody can build those again who does not have the key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from oxcross import macho, pe
from oxcross.macho import MachoError
from oxcross.pe import Pe, PeError
from oxcross.project import Project

_ALIGN = 8  # a signature of Windows begins at a multiple of it


def project(one: Project) -> Project:
    """The same project without certificates; signatures that name nobody stay."""
    macos = one.macos
    if macos.sign and macos.sign.identity:
        macos = replace(macos, sign=None)
    package = replace(macos.package, identity=None)
    return replace(one, windows=replace(one.windows, sign=None), macos=replace(macos, package=package))


def equal(released: Path, rebuilt: Path) -> bool:
    """Whether the released executable is the other one with the signature of a certificate in the place of its own, or of none."""
    one, other = released.read_bytes(), rebuilt.read_bytes()
    try:
        if pe.is_pe(one) and pe.is_pe(other):
            return Pe(one).signature != (0, 0) and _windows(one) == _windows(other)
        if (macho.is_macho(one) or macho.is_fat(one)) and macho.is_fat(one) == macho.is_fat(other):
            return _macos(one, other)
    except (PeError, MachoError):
        return False
    return False


def _windows(data: bytes) -> bytes:
    """The file up to its signature, with zeros for the checksum and for where the signature is. PeError when it does not
    end the file.
    """
    file = Pe(data)
    offset, size = file.signature
    if size and offset + size != len(data):
        raise PeError("its signature does not end it")
    content = bytearray(data[:offset] if size else data + bytes(-len(data) % _ALIGN))
    content[file.checksum_at : file.checksum_at + 4] = bytes(4)
    place = file.directories_at + pe.DIR_SECURITY * pe.DIRECTORY.size
    content[place : place + pe.DIRECTORY.size] = bytes(pe.DIRECTORY.size)
    return bytes(content)


def _macos(one: bytes, other: bytes) -> bool:
    from oxcross.macos.sign import machos, without_signature
    from oxcross.macos.verify import verify

    released, rebuilt = machos(one), machos(other)
    if macho.is_fat(one) and _around(one) != _around(other):
        return False
    signatures = [verify(file) for file in released]
    if any(seen is None or seen.adhoc for seen in signatures):
        return False
    return all(without_signature(a) == without_signature(b) for a, b in zip(released, rebuilt, strict=True))


def _around(data: bytes) -> tuple[list[tuple[int, int, int]], bool]:
    """What a fat file says of its slices but for their places and sizes, and whether there is nothing else in it."""
    found = macho.slices(data)
    ends = [macho.FAT.size + len(found) * macho.FAT_ARCH.size, *(one.offset + one.size for one in found)]
    gaps = [data[end : one.offset] for end, one in zip(ends, found, strict=False)]
    empty = data.startswith(macho.FAT_MAGIC.to_bytes(4, "big")) and ends[-1] == len(data)
    return [(one.cpu, one.subtype, one.align) for one in found], empty and not any(map(any, gaps))
