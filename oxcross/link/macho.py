"""Mach-O: the blob grows a segment that the launcher has for it, __OXBLOB, the last one before __LINKEDIT.

What the dynamic linker reads lies in __LINKEDIT, which comes last: it moves back, in the file and in memory, and the load
commands' offsets into it with it; nothing else refers to it. Then the file gets an LC_UUID that is a digest of all of it,
and an ad-hoc signature. The launcher is linked with ``-sectcreate __OXBLOB __blob FILE -segprot __OXBLOB r r`` (any small
file) and ``-adhoc_codesign``.
"""

from __future__ import annotations

import hashlib
import mmap
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from struct import Struct

from oxcross import macho
from oxcross.link.locator import fill
from oxcross.macho import Macho, MachoError, Part, Segment
from oxcross.macos import codesign
from oxcross.pack.format import align

SEGMENT_NAME, SECTION_NAME = "__OXBLOB", "__blob"
PAGE = 1 << 14  # of arm64; those of x86-64 are 4096 bytes
_LARGEST = (1 << 32) - 1  # offsets into __LINKEDIT, and those of a fat file, have 32 bits
_HIGHEST = 1 << 47  # address
_SIGNATURE_ALIGN = 16
_U32, _U64, _PLACE = Struct("<I"), Struct("<Q"), Struct("<4Q")
_SIZE_IN_SECTION = 40
_PLACE_IN_SEGMENT = 24
_STACK_IN_MAIN = 16
_UUID_IN_COMMAND = 8
# What refers to nothing that moves, apart from what macho.py knows as parts of __LINKEDIT.
_MOVABLE = frozenset({
    macho.LC_SEGMENT_64, macho.LC_SYMTAB, macho.LC_DYSYMTAB, macho.LC_DYLD_INFO_ONLY, macho.LC_DYLD_CHAINED_FIXUPS,
    macho.LC_DYLD_EXPORTS_TRIE, macho.LC_FUNCTION_STARTS, macho.LC_DATA_IN_CODE, macho.LC_CODE_SIGNATURE, macho.LC_UUID,
    macho.LC_BUILD_VERSION, macho.LC_SOURCE_VERSION, macho.LC_MAIN, macho.LC_LOAD_DYLINKER, macho.LC_LOAD_DYLIB,
    macho.LC_LOAD_WEAK_DYLIB,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """``identifier``: what macOS knows the program by (its signature's). ``stack_size`` of the main thread, in bytes, a
    multiple of 16 KiB; None: the launcher's own.
    """

    identifier: str = "oxcross.application"
    stack_size: int | None = 1 << 24


def prepare(image: bytearray, blob: Path, blob_size: int, settings: Settings) -> bytes:
    """Make the launcher's image ready (up to the blob); what goes behind the blob: __LINKEDIT with the signature.

    Raises MachoError or LocatorError for an image that is no launcher, OSError for a blob that cannot be read.
    """
    file = Macho(bytes(image))
    room, linkedit, text = _segments(file)
    signature = _signature(file, linkedit)
    content = bytes(file.view[linkedit.offset : signature.offset])
    content = content.ljust(align(len(content), _SIGNATURE_ALIGN), b"\0")

    whole = align(max(blob_size, 1), PAGE)
    start = room.offset + whole
    limit = start + len(content)
    signed = codesign.size(settings.identifier, limit)
    end = limit + signed
    if end > _LARGEST:
        raise MachoError("with the blob it is larger than 4 GB, which no program for macOS can be")
    for part in file.parts:
        if part.offset:
            _U32.pack_into(image, part.field, part.offset - linkedit.offset + start)
    macho.COMMAND.pack_into(image, signature.field, limit, signed)
    _place(image, replace(room, size=whole, file_size=whole))
    _U64.pack_into(image, room.at + macho.SEGMENT.size + _SIZE_IN_SECTION, blob_size)
    _place(
        image,
        replace(
            linkedit,
            address=room.address + whole,
            size=align(end - start, PAGE),
            offset=start,
            file_size=end - start,
        ),
    )
    if settings.stack_size is not None and file.main:
        _U64.pack_into(image, file.main.at + _STACK_IN_MAIN, settings.stack_size)
    del image[room.offset :]
    # The signature is not counted: that which its owner puts in its place may be shorter.
    fill(image, room.address - text.address, blob_size, room.offset, limit)
    after = bytes(whole - blob_size) + content
    code = codesign.Code(settings.identifier, limit, text.offset, text.file_size)
    return after + codesign.build(code, _digests(image, file, blob, blob_size, after))


def _place(image: bytearray, segment: Segment) -> None:
    """Write where a segment lies."""
    fields = (segment.address, segment.size, segment.offset, segment.file_size)
    _PLACE.pack_into(image, segment.at + _PLACE_IN_SEGMENT, *fields)


def _digests(image: bytearray, file: Macho, blob: Path, blob_size: int, after: bytes) -> list[bytes]:
    """The digests of all pages, when LC_UUID has become a digest of those that they were without it."""
    command = file.only(macho.LC_UUID)
    if command is None:
        raise MachoError("it has no LC_UUID")
    at = command.at + _UUID_IN_COMMAND
    image[at : at + 16] = bytes(16)
    with blob.open("rb") as stream, ExitStack() as stack:
        pages: bytes | mmap.mmap = b""
        if blob_size:
            pages = stack.enter_context(mmap.mmap(stream.fileno(), blob_size, access=mmap.ACCESS_READ))
        view = stack.enter_context(memoryview(pages))
        cut = blob_size // codesign.PAGE * codesign.PAGE
        with view[:cut] as most:
            found = list(codesign.digests(image, most, bytes(view[cut:]) + after))
    image[at : at + 16] = _uuid(b"".join(found))
    for number in {at // codesign.PAGE, (at + 15) // codesign.PAGE}:
        page = image[number * codesign.PAGE : (number + 1) * codesign.PAGE]
        found[number] = hashlib.sha256(page).digest()
    return found


def _uuid(data: bytes) -> bytes:
    """A digest in the form of a UUID of version 8 (RFC 9562, section 5.8)."""
    value = bytearray(hashlib.sha256(data).digest()[:16])
    value[6] = value[6] & 0x0F | 0x80
    value[8] = value[8] & 0x3F | 0x80
    return bytes(value)


def _segments(file: Macho) -> tuple[Segment, Segment, Segment]:
    """The blob's segment, __LINKEDIT and __TEXT of a launcher."""
    if file.header.type != macho.MH_EXECUTE:
        raise MachoError("it is no executable")
    if foreign := [command.name for command in file.commands if command.kind not in _MOVABLE]:
        raise MachoError(f"it has {foreign[0]}, which may refer to what moves")
    text = file.segment("__TEXT")
    names = [segment.name for segment in file.segments]
    if text is None or names[-2:] != [SEGMENT_NAME, "__LINKEDIT"] or text.offset:
        raise MachoError(
            "its last segments are not __OXBLOB and __LINKEDIT: link it with -sectcreate __OXBLOB __blob"
        )
    room, linkedit = file.segments[-2:]
    if [section.name for section in room.sections] != [SECTION_NAME]:
        raise MachoError("its segment __OXBLOB has other sections than __blob")
    if room.protection != macho.VM_READ or room.most != macho.VM_READ:
        raise MachoError("its segment __OXBLOB is not for reading only: link it with -segprot __OXBLOB r r")
    if room.offset % codesign.PAGE or room.file_end != linkedit.offset or linkedit.file_end != len(file.view):
        raise MachoError("its segments __OXBLOB and __LINKEDIT do not end the file")
    if room.offset < file.commands_end or room.sections[0].offset != room.offset:
        raise MachoError("its segment __OXBLOB does not begin with __blob")
    if not text.address < room.address < linkedit.address < _HIGHEST:
        raise MachoError("its segments are not in the order of their addresses")
    if any(segment.file_end > room.offset for segment in file.segments[:-2]):
        raise MachoError("a segment lies behind __OXBLOB")
    return room, linkedit, text


def _signature(file: Macho, linkedit: Segment) -> Part:
    """The launcher's signature, behind all else that is in __LINKEDIT."""
    signature = file.part("signature")
    if signature is None:
        raise MachoError(
            "it has no signature that another could take the place of: link it with -adhoc_codesign"
        )
    for part in file.parts:
        inside = linkedit.offset <= part.offset <= part.offset + part.size <= linkedit.file_end
        if not inside and (part.offset or part.size):
            raise MachoError(f"its {part.name} lie outside of __LINKEDIT")
        if part is not signature and part.offset + part.size > signature.offset:
            raise MachoError(f"its signature does not follow its {part.name}")
    return signature
