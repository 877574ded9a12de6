"""Verifies the signature in a Mach-O file, whoever made it: every digest, and that all of the file is signed.

Who vouches for a certificate is not looked at; the digests of files outside (Info.plist and resources of a bundle) only
where those are given.
Source: as codesign.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct
from struct import error as struct_error
from typing import NamedTuple

from oxcross.macho import LC_CODE_SIGNATURE, MH_EXECUTE, Macho, Part
from oxcross.macos import codesign
from oxcross.macos.codesign import SignatureError

_KINDS = {1: ("sha1", 20), 3: ("sha256", 20), 2: ("sha256", 32), 4: ("sha384", 48)}  # the best one last
_SPECIALS = range(1, 12)
INFO, RESOURCES = 1, 3  # special slots: what lies outside, Info.plist and the resources of a bundle
_OUTSIDE = (INFO, RESOURCES)
_ENTITLEMENTS, _DER_ENTITLEMENTS = 5, 7
_ALTERNATES = range(codesign.SLOT_ALTERNATE, codesign.SLOT_ALTERNATE + 5)
_SLOTS = {codesign.SLOT_DIRECTORY, *_SPECIALS, *_ALTERNATES, codesign.SLOT_CMS}
_MAGICS = {codesign.SLOT_REQUIREMENTS: codesign.REQUIREMENTS, codesign.SLOT_CMS: codesign.CMS}
_PAGES = range(12, 17)
_MOST_BLOBS = 64
_CDHASH = 20


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that is right. ``adhoc``: it names nobody. ``cdhash``: the digest that macOS knows the program by, hex."""

    identifier: str
    adhoc: bool
    linker_signed: bool  # made by a linker, for tests on the machine that it was linked on
    cdhash: str
    flags: int = 0  # of the code directory
    entitlements: bytes = b""  # a property list
    der_entitlements: bytes = b""  # the same as macOS 12 and later read it

    @property
    def hardened(self) -> bool:
        """Whether it asks for the hardened runtime."""
        return bool(self.flags & codesign.RUNTIME)


class _Directory(NamedTuple):
    magic: int
    size: int
    version: int
    flags: int
    hashes: int
    identifier: int
    specials: int
    pages: int
    limit: int
    digest: int
    kind: int
    platform: int
    page: int
    spare: int
    scatter: int
    team: int
    spare_too: int
    limit64: int
    text_offset: int
    text_size: int
    text_flags: int


def verify(file: Macho, outside: Mapping[int, bytes] | None = None) -> Signature | None:
    """The signature of a file that is signed, None of one that is not. SignatureError when it is not that of the file,
    MachoError for a damaged file. ``outside`` are files that it has to be of, too (INFO, RESOURCES).
    """
    file.only(LC_CODE_SIGNATURE)
    place = file.part("signature")
    if place is None:
        return None
    if place.offset + place.size != len(file.view):
        raise SignatureError("its signature does not end the file")
    blobs = _blobs(file.content(place))
    found = []
    for slot, blob in blobs.items():
        if slot == codesign.SLOT_DIRECTORY or slot in _ALTERNATES:
            directory = _directory(blob)
            _check_pages(file, place, directory, blob)
            _check_specials(directory, blob, blobs)
            _check_outside(directory, blob, outside or {})
            found.append((list(_KINDS).index(directory.kind), directory, blob))
    if codesign.SLOT_DIRECTORY not in blobs:
        raise SignatureError("its signature has no code directory")
    _, directory, blob = max(found, key=lambda one: one[0])
    adhoc = bool(directory.flags & codesign.ADHOC)
    certificate = blobs.get(codesign.SLOT_CMS, b"")
    if adhoc == (len(certificate) > codesign.BLOB.size):
        raise SignatureError("its signature has to name somebody, or say that it is ad hoc")
    return Signature(
        identifier=_identifier(directory, blob),
        adhoc=adhoc,
        linker_signed=bool(directory.flags & codesign.LINKER_SIGNED),
        cdhash=_hash(directory, blob)[:_CDHASH].hex(),
        flags=directory.flags,
        entitlements=bytes(blobs.get(_ENTITLEMENTS, b"")[codesign.BLOB.size :]),
        der_entitlements=bytes(blobs.get(_DER_ENTITLEMENTS, b"")[codesign.BLOB.size :]),
    )


def _unpack(layout: Struct, data: memoryview, offset: int) -> tuple[int, ...]:
    try:
        return layout.unpack_from(data, offset)
    except struct_error as error:
        raise SignatureError("its signature is cut short") from error


def _blobs(data: memoryview) -> dict[int, memoryview]:
    """What a signature consists of, by slot."""
    magic, size, count = _unpack(codesign.SUPER, data, 0)
    if magic != codesign.SUPERBLOB or size > len(data) or count > _MOST_BLOBS:
        raise SignatureError("its signature is none")
    if any(data[size:]):
        raise SignatureError("something follows its signature")
    whole = data[:size]
    found: dict[int, memoryview] = {}
    ranges = [(0, codesign.SUPER.size + count * codesign.INDEX.size)]
    for number in range(count):
        slot, at = _unpack(codesign.INDEX, whole, codesign.SUPER.size + number * codesign.INDEX.size)
        magic, length = _unpack(codesign.BLOB, whole, at)
        if length < codesign.BLOB.size or at + length > size or slot in found:
            raise SignatureError("a part of its signature lies outside, or is there twice")
        if slot not in _SLOTS or magic != _MAGICS.get(slot, magic):
            raise SignatureError(f"part {slot:#x} of its signature is of an unknown kind")
        found[slot] = whole[at : at + length]
        ranges.append((at, at + length))
    for (_, end), (start, _) in pairwise(sorted(ranges)):
        if start < end or any(whole[end:start]):
            raise SignatureError("the parts of its signature overlap, or there is something between them")
    return found


def _directory(blob: memoryview) -> _Directory:
    found = _Directory(*_unpack(codesign.DIRECTORY, blob, 0))
    if found.magic != codesign.CODE_DIRECTORY or found.version < codesign.VERSION:
        raise SignatureError("its code directory is of an older kind")
    if found.kind not in _KINDS or found.digest != _KINDS[found.kind][1]:
        raise SignatureError("its code directory has digests of an unknown kind")
    if found.page not in _PAGES or found.scatter:
        raise SignatureError("its code directory has pages of an unknown kind")
    start, end = found.hashes - found.specials * found.digest, found.hashes + found.pages * found.digest
    if start < codesign.DIRECTORY.size or end > len(blob):
        raise SignatureError("the digests of its code directory lie outside")
    return found


def _check_pages(file: Macho, place: Part, directory: _Directory, blob: memoryview) -> None:
    """That each page up to the signature is the one that was signed, and __TEXT that of the file."""
    limit, page = directory.limit64 or directory.limit, 1 << directory.page
    if limit != place.offset or directory.pages != -(-limit // page):
        raise SignatureError("its signature is not for all of the file")
    for number in range(directory.pages):
        at = number * page
        digest = _hash(directory, file.view[at : min(at + page, limit)])
        if digest != _digest(directory, blob, number):
            raise SignatureError(f"it was changed after it was signed, at {at:#x}")
    text = file.segment("__TEXT")
    if file.header.type == MH_EXECUTE and (
        text is None
        or (directory.text_offset, directory.text_size) != (text.offset, text.file_size)
        or not directory.text_flags & codesign.EXECSEG_MAIN_BINARY
    ):
        raise SignatureError("its signature has another place for the program's code")


def _check_specials(directory: _Directory, blob: memoryview, blobs: dict[int, memoryview]) -> None:
    """That the signature's other parts (requirements, entitlements) are those that were signed."""
    for slot in _SPECIALS:
        there = blobs.get(slot)
        digest = _digest(directory, blob, -slot) if slot <= directory.specials else bytes(directory.digest)
        wanted = bytes(directory.digest) if there is None else _hash(directory, there)
        if digest != wanted and not (there is None and slot in _OUTSIDE):
            raise SignatureError(f"part {slot} of its signature is not the one that was signed")


def _check_outside(directory: _Directory, blob: memoryview, outside: Mapping[int, bytes]) -> None:
    """That the files around it are those that were signed."""
    for slot, data in outside.items():
        wanted = _hash(directory, memoryview(data))
        if slot > directory.specials or _digest(directory, blob, -slot) != wanted:
            raise SignatureError(
                f"its signature is not for {'Info.plist' if slot == INFO else 'CodeResources'}"
            )


def _digest(directory: _Directory, blob: memoryview, number: int) -> bytes:
    at = directory.hashes + number * directory.digest
    return bytes(blob[at : at + directory.digest])


def _hash(directory: _Directory, data: memoryview) -> bytes:
    name, size = _KINDS[directory.kind]
    return hashlib.new(name, data, usedforsecurity=False).digest()[:size]


def _identifier(directory: _Directory, blob: memoryview) -> str:
    text, end, _ = bytes(blob[directory.identifier :]).partition(b"\0")
    if not end or directory.identifier < codesign.DIRECTORY.size:
        raise SignatureError("its identifier does not end")
    return text.decode("utf-8", "replace")
