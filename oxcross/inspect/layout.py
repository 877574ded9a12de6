"""Whether the parts of an executable for macOS lie where its kernel, its dynamic linker and its tools want them to lie.

Nothing here runs it, so this is more than dyld asks for: what any of them has ever demanded. Source: mach_o/UnsafeHeader.cpp
and mach_o/Image.cpp (validSegment, validSemanticsSegments, validStructureLinkedit) of Apple's dyld, bsd/kern/mach_loader.c of
xnu.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from struct import Struct

from oxcross import macho
from oxcross.inspect import macos
from oxcross.inspect.locating import Locator
from oxcross.macho import Macho, Segment

PAGES = {"x86_64": 1 << 12, "aarch64": 1 << 14}
_STACK_PAGE = 1 << 14
_READ_ONLY = 0x10  # SG_READ_ONLY: once it is relocated
_ZEROS = {0x1, 0xC, 0x12}  # section types without bytes in the file
_DYLD = "/usr/lib/dyld"
_INDICES = Struct(
    "<8I"
)  # LC_DYSYMTAB's: command, size; first and number of local, exported and undefined symbols
_PROTECTIONS = {
    "__PAGEZERO": 0,
    "__TEXT": macho.VM_READ | macho.VM_EXECUTE,
    "__DATA_CONST": macho.VM_READ | macho.VM_WRITE,
    "__DATA": macho.VM_READ | macho.VM_WRITE,
    "__OXBLOB": macho.VM_READ,
    "__LINKEDIT": macho.VM_READ,
}
_ORDER = (
    "rebase", "bind", "weak bind", "lazy bind", "chained fixups", "exports", "function starts", "data in code", "symbols",
    "indirect symbols", "strings", "signature",
)  # fmt: skip


def problems(file: Macho, blob: Locator) -> Iterator[str]:
    """What is wrong with an executable's layout, in words; ``blob`` is what its locator says. Raises MachoError for a damaged
    file.
    """
    if file.header.type != macho.MH_EXECUTE:
        yield "it is no executable"
    names = (command.name for command in file.commands)
    if foreign := sorted({name for name in names if name not in macos.allowed("commands")}):
        yield f"it has {', '.join(foreign)}, which an executable of oxcross has no use for"
    yield from _segments(file)
    yield from _sections(file)
    yield from _linkedit(file)
    yield from _start(file)
    yield from _blob(file, blob)


def _segments(file: Macho) -> Iterator[str]:
    page = PAGES.get(file.arch, max(PAGES.values()))
    names = [segment.name for segment in file.segments]
    if names != [name for name in _PROTECTIONS if name in names] or not {"__PAGEZERO", "__TEXT"} <= set(
        names
    ):
        yield f"its segments are {', '.join(names)}"
    if names[-2:] != ["__OXBLOB", "__LINKEDIT"]:
        yield "its last segments are not __OXBLOB and __LINKEDIT"
    for one in file.segments:
        if one.protection != _PROTECTIONS.get(one.name) or one.most != one.protection:
            yield f"{one.name} has another protection ({one.protection}, {one.most})"
        file_size = 0 if one.name == "__LINKEDIT" else one.file_size
        if any(number % page for number in (one.address, one.size, one.offset, file_size)):
            yield f"{one.name} does not begin and end with a page"
        if one.file_size > one.size or one.file_end > len(file.view):
            yield f"{one.name} has more bytes than room"
    if names[:1] == ["__PAGEZERO"] and _place(file.segments[0]) != (0, 1 << 32, 0, 0):
        yield "__PAGEZERO is not the first 4 GB"
    text, const = file.segment("__TEXT"), file.segment("__DATA_CONST")
    if text and (text.offset or text.file_size < file.commands_end):
        yield "__TEXT does not begin with the file's headers"
    if const and not const.flags & _READ_ONLY:
        yield "__DATA_CONST stays writable"
    for before, after in pairwise(file.segments):
        if after.address != before.address + before.size:
            yield f"{after.name} does not follow {before.name} in memory"
        if after.offset != before.file_end:
            yield f"{after.name} does not follow {before.name} in the file"
    if file.segments and file.segments[-1].file_end != len(file.view):
        yield f"{names[-1]} does not end the file"


def _place(segment: Segment) -> tuple[int, int, int, int]:
    return segment.address, segment.size, segment.offset, segment.file_size


def _sections(file: Macho) -> Iterator[str]:
    for segment in file.segments:
        for one in segment.sections:
            start, end = segment.address, segment.address + segment.size
            if not start <= one.address <= one.address + one.size <= end:
                yield f"section {one.name} lies outside of {segment.name} in memory"
            if one.flags & 0xFF not in _ZEROS and one.size:
                if not segment.offset <= one.offset <= one.offset + one.size <= segment.file_end:
                    yield f"section {one.name} lies outside of {segment.name} in the file"
                elif one.offset - segment.offset != one.address - segment.address:
                    yield f"section {one.name} lies elsewhere in memory than in the file"


def _linkedit(file: Macho) -> Iterator[str]:
    linkedit = file.segment("__LINKEDIT")
    if linkedit is None:
        return
    kinds = {command.kind for command in file.commands}
    if macho.LC_DYLD_INFO_ONLY in kinds and macho.LC_DYLD_CHAINED_FIXUPS in kinds:
        yield "it has fixups of two kinds"
    end, rank = linkedit.offset, -1
    for part in sorted((part for part in file.parts if part.size), key=lambda part: part.offset):
        if part.offset < end:
            yield f"in __LINKEDIT, {part.name} overlaps what is before it"
        if part.offset % part.align:
            yield f"in __LINKEDIT, {part.name} is not aligned"
        end = max(end, part.offset + part.size)
        place = _ORDER.index(part.name) if part.name in _ORDER else -1
        if place <= rank:
            yield f"in __LINKEDIT, {part.name} is in another order"
        rank = place
    if end > linkedit.file_end:
        yield "__LINKEDIT ends before what is in it"
    command, symbols = file.only(macho.LC_DYSYMTAB), file.part("symbols")
    if command:
        _, _, local, locals_, exported, exports, undefined, rest = file.fields(_INDICES, command)
        count = symbols.size // 16 if symbols else 0
        if (local, exported, undefined, undefined + rest) != (0, locals_, locals_ + exports, count):
            yield "its symbols are not in the order of LC_DYSYMTAB"


def _start(file: Macho) -> Iterator[str]:
    text, main = file.segment("__TEXT"), file.main
    code = [one for one in text.sections if one.name == "__text"] if text else []
    if main is None or not any(one.offset <= main.entry < one.offset + one.size for one in code):
        yield "it does not begin in its code"
    elif main.stack_size % _STACK_PAGE:
        yield "its stack does not end with a page"
    if file.dylinker != _DYLD:
        yield f"its dynamic linker is {file.dylinker}"
    if file.uuid is None:
        yield "it has no LC_UUID"
    if file.build is None or file.build.platform != macho.PLATFORM_MACOS:
        yield "it is not for macOS"


def _blob(file: Macho, blob: Locator) -> Iterator[str]:
    room, text = file.segment("__OXBLOB"), file.segment("__TEXT")
    if room is None or text is None:
        return
    sizes = [section.size for section in room.sections]
    if (blob.address, blob.offset, [blob.size]) != (room.address - text.address, room.offset, sizes):
        yield "its locator does not lead to all of __OXBLOB"
