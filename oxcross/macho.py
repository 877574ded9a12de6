"""A small reader of Mach-O files (macOS, 64-bit, little-endian), and of fat files, which hold one for each of several
machines: what oxcross asks of executables, libraries and extension modules.

As elf.py it is quick to import, and the tests hold it against lief. Source: <mach-o/loader.h>, <mach-o/nlist.h> and
<mach-o/fat.h> of Apple's xnu. The tables of symbols are in machosymbols.py. Offsets are those in the file, from the
beginning of the Mach-O file, also where that lies in a fat one; sizes are in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from struct import Struct
from struct import error as struct_error
from typing import NamedTuple

MACHINES = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
UNIVERSAL2 = ("x86_64", "aarch64")  # what a fat file of that name holds, in its order
MH_EXECUTE, MH_DYLIB, MH_BUNDLE = 2, 6, 8
MH_PIE, MH_ALLOW_STACK_EXECUTION, MH_NO_HEAP_EXECUTION = 0x200000, 0x20000, 0x1000000
VM_READ, VM_WRITE, VM_EXECUTE = 1, 2, 4
PLATFORM_MACOS = 1

LC_SYMTAB, LC_DYSYMTAB, LC_LOAD_DYLIB, LC_ID_DYLIB, LC_LOAD_DYLINKER = 0x2, 0xB, 0xC, 0xD, 0xE
LC_SEGMENT_64, LC_UUID, LC_CODE_SIGNATURE, LC_SEGMENT_SPLIT_INFO = 0x19, 0x1B, 0x1D, 0x1E
LC_LAZY_LOAD_DYLIB, LC_DYLD_INFO, LC_VERSION_MIN_MACOSX, LC_FUNCTION_STARTS = 0x20, 0x22, 0x24, 0x26
LC_DATA_IN_CODE, LC_SOURCE_VERSION, LC_DYLIB_CODE_SIGN_DRS = 0x29, 0x2A, 0x2B
LC_LINKER_OPTIMIZATION_HINT, LC_BUILD_VERSION = 0x2E, 0x32
LC_REQ_DYLD = 0x80000000  # a dynamic linker that does not know the command must refuse the file
LC_LOAD_WEAK_DYLIB, LC_RPATH, LC_REEXPORT_DYLIB = 0x80000018, 0x8000001C, 0x8000001F
LC_DYLD_INFO_ONLY, LC_LOAD_UPWARD_DYLIB, LC_MAIN = 0x80000022, 0x80000023, 0x80000028
LC_DYLD_EXPORTS_TRIE, LC_DYLD_CHAINED_FIXUPS = 0x80000033, 0x80000034
COMMANDS = {
    number: name for name, number in globals().items() if name.startswith("LC_") and name != "LC_REQ_DYLD"
}

HEADER = Struct("<8I")
COMMAND = Struct("<II")
SEGMENT = Struct(
    "<II16sQQQQ4I"
)  # command, size, name, address, size, offset, size there, protections, sections, flags
SECTION = Struct("<16s16sQQ8I")
LINKEDIT = Struct("<4I")  # command, size, offset, size there
MAIN = Struct("<IIQQ")
_STRING = Struct("<III")  # command, size, where in the command the text begins
_DYLIB = Struct("<6I")  # command, size, where the name begins, time, current version, oldest compatible one
_BUILD = Struct("<6I")  # command, size, platform, oldest system, SDK, tools
_VERSION_MIN = Struct("<4I")  # command, size, oldest system, SDK
UUID = Struct("<II16s")
_SOURCE = Struct("<IIQ")
FAT, FAT_ARCH, FAT_ARCH_64 = Struct(">II"), Struct(">5I"), Struct(">IIQQII")

FAT_MAGIC, FAT_MAGIC_64 = 0xCAFEBABE, 0xCAFEBABF
MAGIC = 0xFEEDFACF
_THIN = MAGIC.to_bytes(4, "little")
_MOST_SLICES = 40  # the magic is that of Java's classes, too, whose versions begin with 45
_LARGEST_ALIGN = 15

# What lies in __LINKEDIT: for each command, name, where in the command its offset is (the number of items follows), bytes
# of an item, and the alignment that dyld demands (dyld, mach_o/Image.cpp: Image::validStructureLinkedit).
_INFO = tuple(
    (name, 8 + 8 * n, 1, 8) for n, name in enumerate(("rebase", "bind", "weak bind", "lazy bind", "exports"))
)
_PARTS: dict[int, tuple[tuple[str, int, int, int], ...]] = {
    LC_SYMTAB: (("symbols", 8, 16, 8), ("strings", 16, 1, 1)),
    LC_DYSYMTAB: (
        ("table of contents", 32, 8, 8),
        ("modules", 40, 56, 8),
        ("references", 48, 4, 4),
        ("indirect symbols", 56, 4, 4),
        ("external relocations", 64, 8, 8),
        ("local relocations", 72, 8, 8),
    ),
    LC_DYLD_INFO: _INFO,
    LC_DYLD_INFO_ONLY: _INFO,
    LC_CODE_SIGNATURE: (("signature", 8, 1, 16),),
    LC_SEGMENT_SPLIT_INFO: (("split info", 8, 1, 8),),
    LC_FUNCTION_STARTS: (("function starts", 8, 1, 8),),
    LC_DATA_IN_CODE: (("data in code", 8, 1, 8),),
    LC_DYLIB_CODE_SIGN_DRS: (("libraries' requirements", 8, 1, 8),),
    LC_LINKER_OPTIMIZATION_HINT: (("optimization hints", 8, 1, 8),),
    LC_DYLD_EXPORTS_TRIE: (("exports", 8, 1, 8),),
    LC_DYLD_CHAINED_FIXUPS: (("chained fixups", 8, 1, 8),),
}  # fmt: skip
_DYLIBS = {
    LC_LOAD_DYLIB: "load",
    LC_LOAD_WEAK_DYLIB: "weak",
    LC_REEXPORT_DYLIB: "reexport",
    LC_LAZY_LOAD_DYLIB: "lazy",
    LC_LOAD_UPWARD_DYLIB: "upward",
}

Version = tuple[int, int, int]


class MachoError(ValueError):
    """Not a Mach-O file of this kind, or one whose tables point outside of it."""


class Header(NamedTuple):
    """``struct mach_header_64``; ``commands_size`` in bytes."""

    magic: int
    cpu: int
    subtype: int
    type: int
    commands: int
    commands_size: int
    flags: int
    reserved: int


class Command(NamedTuple):
    """A load command: its number (LC_…), its place in the file, its size."""

    kind: int
    at: int
    size: int

    @property
    def name(self) -> str:
        """LC_…, or its number."""
        return COMMANDS.get(self.kind, hex(self.kind))


@dataclass(frozen=True, slots=True)
class Section:
    """A section: ``size`` bytes at ``address``, and at ``offset`` of the file where it is not of zeros. ``align`` is 2**n."""

    name: str
    address: int
    size: int
    offset: int
    align: int
    flags: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment; ``at`` is its command's place. ``protection`` is that at the start, ``most`` the most it may get (VM_…)."""

    at: int
    name: str
    address: int
    size: int
    offset: int
    file_size: int
    most: int
    protection: int
    flags: int
    sections: tuple[Section, ...]

    @property
    def file_end(self) -> int:
        """Where it ends in the file."""
        return self.offset + self.file_size


class Part(NamedTuple):
    """Something in __LINKEDIT. ``field`` is the place of the 32-bit number in the file that is its offset."""

    name: str
    command: int
    field: int
    offset: int
    size: int
    align: int


class Dylib(NamedTuple):
    """A library that it needs. ``kind``: "load", "weak" (it may be missing), "reexport", "lazy" or "upward"."""

    name: str
    kind: str
    current: Version
    compatible: Version


class Build(NamedTuple):
    """The platform that it was built for, the oldest version of it that it starts on, and the SDK's version."""

    platform: int
    oldest: Version
    sdk: Version


class Main(NamedTuple):
    """LC_MAIN: the offset of the first function, the main thread's stack in bytes (0: what the system gives)."""

    at: int
    entry: int
    stack_size: int


class Slice(NamedTuple):
    """A Mach-O file in a fat one. ``align``: the offset is a multiple of 2**align."""

    cpu: int
    subtype: int
    offset: int
    size: int
    align: int


def is_fat(data: bytes | memoryview) -> bool:
    """Whether these are the first bytes of a fat file."""
    if len(data) < FAT.size:
        return False
    magic, count = FAT.unpack_from(data)
    return magic in (FAT_MAGIC, FAT_MAGIC_64) and count < _MOST_SLICES


def is_macho(data: bytes | memoryview) -> bool:
    """Whether these are the first bytes (8 do) of a Mach-O file of this kind, or of a fat file."""
    return bytes(data[:4]) == _THIN or is_fat(data)


def slices(data: bytes | memoryview) -> list[Slice]:
    """What a fat file holds, in its order. MachoError for one that is damaged, or is not fat."""
    if not is_fat(data):
        raise MachoError("not a fat file")
    magic, count = FAT.unpack_from(data)
    layout = FAT_ARCH if magic == FAT_MAGIC else FAT_ARCH_64
    end = FAT.size + count * layout.size
    if end > len(data):
        raise MachoError("its table of slices ends behind the file's end")
    found = [Slice(*layout.unpack_from(data, FAT.size + n * layout.size)[:5]) for n in range(count)]
    for one in sorted(found, key=lambda one: one.offset):
        if one.align > _LARGEST_ALIGN or one.offset % (1 << one.align):
            raise MachoError("a slice is not aligned")
        if one.offset < end:
            raise MachoError("a slice overlaps what is before it")
        end = one.offset + one.size
    if end > len(data):
        raise MachoError("a slice ends behind the file's end")
    return found


def dotted(version: Version) -> str:
    """The version as Apple writes it: 11.0, 13.0.1."""
    return ".".join(map(str, version if version[2] else version[:2]))


class Macho:
    """A thin Mach-O file in memory. Raises MachoError for what is none, and for tables that lie outside."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.view = memoryview(data)
        if bytes(self.view[:4]) != _THIN:
            raise MachoError("not a 64-bit Mach-O file")
        self.header = Header(*self._unpack(HEADER, 0))
        self.commands_end = HEADER.size + self.header.commands_size
        self.commands = list(self._commands())

    def _unpack(self, layout: Struct, offset: int) -> tuple[int, ...]:
        try:
            return layout.unpack_from(self.view, offset)
        except struct_error as error:
            raise MachoError(f"a table points behind the file's end ({offset})") from error

    def _commands(self) -> Iterator[Command]:
        at = HEADER.size
        for _ in range(self.header.commands):
            kind, size = self._unpack(COMMAND, at)
            if size < COMMAND.size or size % 8 or at + size > min(self.commands_end, len(self.view)):
                raise MachoError("a load command does not end where it may")
            yield Command(kind, at, size)
            at += size
        if at != self.commands_end:
            raise MachoError("its load commands end elsewhere than its header says")

    def fields(self, layout: Struct, command: Command) -> tuple[int, ...]:
        """A command's fields, of which the first two are its number and its size."""
        if command.size < layout.size:
            raise MachoError(f"{command.name} is too short")
        return layout.unpack_from(self.view, command.at)

    def of_kind(self, *kinds: int) -> list[Command]:
        """The commands with these numbers."""
        return [command for command in self.commands if command.kind in kinds]

    def only(self, *kinds: int) -> Command | None:
        """The one command of these numbers, None when there is none. MachoError when there are more."""
        found = self.of_kind(*kinds)
        if len(found) > 1:
            raise MachoError(f"it has {found[0].name} twice")
        return found[0] if found else None

    def _text(self, command: Command, start: int) -> str:
        text, end, _ = bytes(self.view[command.at + start : command.at + command.size]).partition(b"\0")
        if start < COMMAND.size or not end:
            raise MachoError(f"the text of {command.name} does not end in it")
        return text.decode("utf-8", "replace")

    @property
    def arch(self) -> str:
        """The machine: "x86_64", "aarch64", or its number."""
        return MACHINES.get(self.header.cpu, hex(self.header.cpu))

    @property
    def pie(self) -> bool:
        """Whether it can lie anywhere in memory."""
        return bool(self.header.flags & MH_PIE)

    @cached_property
    def segments(self) -> list[Segment]:
        """Its segments, with their sections."""
        return [self._segment(command) for command in self.of_kind(LC_SEGMENT_64)]

    def _segment(self, command: Command) -> Segment:
        _, _, name, address, size, offset, file_size, most, protection, count, flags = self.fields(
            SEGMENT, command
        )
        if SEGMENT.size + count * SECTION.size > command.size:
            raise MachoError("a segment's sections do not end in its command")
        found = []
        for number in range(count):
            at = command.at + SEGMENT.size + number * SECTION.size
            title, _, start, length, where, align, _, _, kind, *_ = SECTION.unpack_from(self.view, at)
            found.append(Section(_name(title), start, length, where, align, kind))
        return Segment(
            command.at, _name(name), address, size, offset, file_size, most, protection, flags, tuple(found)
        )  # fmt: skip

    def segment(self, name: str) -> Segment | None:
        """The first segment of that name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def content(self, place: Segment | Part) -> memoryview:
        """The bytes of a segment, or of a part of __LINKEDIT, in the file."""
        size = place.file_size if isinstance(place, Segment) else place.size
        if place.offset + size > len(self.view):
            raise MachoError(f"{place.name} ends behind the file's end")
        return self.view[place.offset : place.offset + size]

    @cached_property
    def parts(self) -> list[Part]:
        """What its commands say lies in __LINKEDIT, also what has no bytes."""
        found = []
        for command in self.commands:
            for name, at, item, align in _PARTS.get(command.kind, ()):
                if command.size < at + COMMAND.size:
                    raise MachoError(f"{command.name} is too short")
                offset, count = COMMAND.unpack_from(self.view, command.at + at)
                found.append(Part(name, command.kind, command.at + at, offset, count * item, align))
        return found

    def part(self, name: str) -> Part | None:
        """The part of __LINKEDIT with that name that has bytes."""
        found = [part for part in self.parts if part.name == name and part.size]
        if len(found) > 1:
            raise MachoError(f"it has {name} twice")
        return found[0] if found else None

    @cached_property
    def dylibs(self) -> list[Dylib]:
        """The libraries that it needs; the ordinals of imported symbols begin with 1 for the first."""
        found = []
        for command in self.of_kind(*_DYLIBS):
            _, _, start, _, current, compatible = self.fields(_DYLIB, command)
            name = self._text(command, start)
            found.append(Dylib(name, _DYLIBS[command.kind], _version(current), _version(compatible)))
        return found

    @property
    def id(self) -> str | None:
        """A library's own name."""
        return self._string(LC_ID_DYLIB)

    @property
    def dylinker(self) -> str | None:
        """The dynamic linker that an executable asks for."""
        return self._string(LC_LOAD_DYLINKER)

    def _string(self, kind: int) -> str | None:
        command = self.only(kind)
        return self._text(command, self.fields(_STRING, command)[2]) if command else None

    @property
    def rpaths(self) -> list[str]:
        """Where libraries whose names begin with @rpath are looked for."""
        return [self._text(command, self.fields(_STRING, command)[2]) for command in self.of_kind(LC_RPATH)]

    @property
    def uuid(self) -> bytes | None:
        """Its LC_UUID, 16 bytes."""
        command = self.only(LC_UUID)
        if command is None:
            return None
        self.fields(UUID, command)
        return bytes(self.view[command.at + COMMAND.size : command.at + UUID.size])

    @property
    def main(self) -> Main | None:
        """Where an executable begins."""
        command = self.only(LC_MAIN)
        return Main(command.at, *self.fields(MAIN, command)[2:]) if command else None

    @property
    def build(self) -> Build | None:
        """What it was built for; None when it does not say."""
        command = self.only(LC_BUILD_VERSION, LC_VERSION_MIN_MACOSX)
        if command is None:
            return None
        if command.kind == LC_BUILD_VERSION:
            platform, oldest, sdk = self.fields(_BUILD, command)[2:5]
        else:
            platform, (oldest, sdk) = PLATFORM_MACOS, self.fields(_VERSION_MIN, command)[2:]
        return Build(platform, _version(oldest), _version(sdk))

    @property
    def source_version(self) -> tuple[int, ...] | None:
        """LC_SOURCE_VERSION: five numbers."""
        command = self.only(LC_SOURCE_VERSION)
        if command is None:
            return None
        value = self.fields(_SOURCE, command)[2]
        return (value >> 40, *(value >> shift & 0x3FF for shift in (30, 20, 10, 0)))


def _name(raw: int | bytes) -> str:
    return bytes(raw).rstrip(b"\0").decode("ascii", "replace")


def _version(packed: int) -> Version:
    return packed >> 16, packed >> 8 & 0xFF, packed & 0xFF
