"""A small reader of PE32+ files (Windows, 64-bit): what oxcross asks of executables, DLLs and extension modules.

As elf.py it is quick to import, and the tests hold it against lief. Source: "PE Format", Microsoft's specification.
Addresses are RVAs, relative to the image's beginning, unless a name says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cached_property
from struct import Struct
from struct import error as struct_error
from typing import NamedTuple

MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64"}
SUBSYSTEMS = {1: "native", 2: "windows", 3: "console"}
FILE_DLL = 0x2000
DYNAMIC_BASE, HIGH_ENTROPY_VA, NX_COMPAT, GUARD_CF = 0x40, 0x20, 0x100, 0x4000  # DllCharacteristics
SCN_DATA, SCN_EXECUTE, SCN_READ, SCN_WRITE = 0x40, 0x20000000, 0x40000000, 0x80000000
DIR_EXPORT, DIR_IMPORT, DIR_RESOURCE, DIR_SECURITY = 0, 1, 2, 4
DIR_DEBUG, DIR_TLS, DIR_LOAD_CONFIG, DIR_DELAY_IMPORT = 6, 9, 10, 13
DEBUG_CODEVIEW = 2

FILE = Struct("<HHIIIHH")
OPTIONAL = Struct("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII")
DIRECTORY = Struct("<II")
SECTION = Struct("<8sIIIIIIHHI")
DEBUG = Struct("<IIHHIIII")  # characteristics, time, major, minor, type, size, address, file offset
_LFANEW = Struct("<I")
_IMPORT = Struct("<IIIII")  # lookup table, time, forwarder chain, name, address table
_DELAY = Struct("<IIIIIIII")  # attributes, name, module, address table, name table, bound, unload, time
_EXPORT = Struct("<IIHHIIIIIII")
_TLS = Struct("<QQQQII")
U32, _U64 = Struct("<I"), Struct("<Q")

_LFANEW_AT = 0x3C
_CHECKSUM_AT = 64  # in the optional header
_PE32_PLUS = 0x20B
_ORDINAL = 1 << 63
_GUARD_FLAGS_AT = 144  # in IMAGE_LOAD_CONFIG_DIRECTORY64
_MOST_NAMES = 1 << 18  # of anything: more is a table that leads round in circles
_LONGEST_NAME = 4096
_PAGE = 4096
_TLS_MARKS = 8  # the pointer that marks where variables begin
# An instruction on gs:[0x58]: prefix, in up to four bytes REX and opcode, ModRM and SIB without a register, displacement;
# or one of those with the displacement alone.
_READS_TLS = re.compile(
    rb"\x65(?:[\0-\xff]{1,4}[\x04\x0c\x14\x1c\x24\x2c\x34\x3c][\x05\x0d\x15\x1d\x25\x2d\x35\x3d\x45\x4d\x55\x5d\x65\x6d"
    rb"\x75\x7d\x85\x8d\x95\x9d\xa5\xad\xb5\xbd\xc5\xcd\xd5\xdd\xe5\xed\xf5\xfd]|[\0-\xff]{0,5}[\xa0-\xa3])\x58\0\0\0"
)


class PeError(ValueError):
    """Not a PE file of this kind, or one whose tables point outside of it."""


class FileHeader(NamedTuple):
    """IMAGE_FILE_HEADER."""

    machine: int
    sections: int
    time: int
    symbols_offset: int
    symbols: int
    optional_size: int
    characteristics: int


class OptionalHeader(NamedTuple):
    """IMAGE_OPTIONAL_HEADER64 up to its data directories; sizes in bytes."""

    magic: int
    linker_major: int
    linker_minor: int
    code_size: int
    data_size: int
    bss_size: int
    entry: int
    code_base: int
    image_base: int
    section_alignment: int
    file_alignment: int
    os_major: int
    os_minor: int
    image_major: int
    image_minor: int
    subsystem_major: int
    subsystem_minor: int
    win32_version: int
    image_size: int
    headers_size: int
    checksum: int
    subsystem: int
    dll_characteristics: int
    stack_reserve: int
    stack_commit: int
    heap_reserve: int
    heap_commit: int
    loader_flags: int
    directories: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section header: ``size`` bytes of memory at ``address``, ``raw_size`` bytes of the file at ``offset``."""

    name: bytes
    size: int
    address: int
    raw_size: int
    offset: int
    relocations_offset: int
    lines_offset: int
    relocations: int
    lines: int
    flags: int

    def pack(self) -> bytes:
        """As it lies in the file."""
        return SECTION.pack(*astuple(self))

    @property
    def label(self) -> str:
        """The name as text."""
        return self.name.rstrip(b"\0").decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Import:
    """A DLL and what is taken from it: names, or ordinals as "#12"."""

    dll: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tls:
    """Static thread-local storage: its ``template`` and zeros in bytes; whether functions run for every thread."""

    template: int
    zeros: int
    callbacks: bool

    @property
    def size(self) -> int:
        """Bytes that every thread has."""
        return self.template + self.zeros


@dataclass(frozen=True, slots=True)
class Debug:
    """An entry of the debug directory; ``at`` is its place in the file, ``path`` the PDB file that CodeView names."""

    at: int
    time: int
    type: int
    size: int
    address: int
    offset: int
    path: str


def is_pe(data: bytes | memoryview) -> bool:
    """Whether these are the first bytes of a program for DOS or Windows."""
    return bytes(data[:2]) == b"MZ"


class Pe:
    """A PE32+ file in memory; tables are read when they are asked for.

    Raises PeError for what is not PE32+, and for tables that lie outside.
    """

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.view = memoryview(data)
        if not is_pe(self.view):
            raise PeError("not a PE file")
        (self.header_at,) = self._unpack(_LFANEW, _LFANEW_AT)
        if bytes(self.view[self.header_at : self.header_at + 4]) != b"PE\0\0":
            raise PeError("not a PE file")
        self.file = FileHeader(*self._unpack(FILE, self.header_at + 4))
        self.optional_at = self.header_at + 4 + FILE.size
        self.optional = OptionalHeader(*self._unpack(OPTIONAL, self.optional_at))
        if self.optional.magic != _PE32_PLUS:
            raise PeError("not a 64-bit PE file (PE32+)")
        self.directories_at = self.optional_at + OPTIONAL.size
        self.checksum_at = self.optional_at + _CHECKSUM_AT
        self.sections_at = self.optional_at + self.file.optional_size
        if self.directories_at + self.optional.directories * DIRECTORY.size > self.sections_at:
            raise PeError("its data directories do not end before its section headers")

    def _unpack(self, layout: Struct, offset: int) -> tuple[int, ...]:
        try:
            return layout.unpack_from(self.view, offset)
        except struct_error as error:
            raise PeError(f"a table points behind the file's end ({offset})") from error

    @property
    def arch(self) -> str:
        """The machine: "x86_64", "aarch64", or its number."""
        return MACHINES.get(self.file.machine, hex(self.file.machine))

    @property
    def dll(self) -> bool:
        """Whether it is a library."""
        return bool(self.file.characteristics & FILE_DLL)

    @property
    def subsystem(self) -> str:
        """ "console", "windows", or its number."""
        return SUBSYSTEMS.get(self.optional.subsystem, str(self.optional.subsystem))

    def allows(self, flag: int) -> bool:
        """Whether a flag of DllCharacteristics is set."""
        return bool(self.optional.dll_characteristics & flag)

    def directory(self, number: int) -> tuple[int, int]:
        """Address and size of a data directory; (0, 0) where there is none. That of DIR_SECURITY is a file offset."""
        if number >= self.optional.directories:
            return 0, 0
        address, size = self._unpack(DIRECTORY, self.directories_at + number * DIRECTORY.size)
        return (address, size) if address else (0, 0)

    @cached_property
    def sections(self) -> list[Section]:
        """The section headers."""
        found = []
        for number in range(self.file.sections):
            fields = self._unpack(SECTION, self.sections_at + number * SECTION.size)
            found.append(Section(*fields))  # type: ignore[arg-type] # the first is bytes
        return found

    def section(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.label == name), None)

    def content(self, section: Section) -> memoryview:
        """The section's bytes in the file."""
        if section.offset + section.raw_size > len(self.view):
            raise PeError(f"section {section.label} ends behind the file's end")
        return self.view[section.offset : section.offset + section.raw_size]

    @property
    def raw_end(self) -> int:
        """Where headers and sections end in the file: behind it are symbols, a signature, or nothing."""
        ends = [section.offset + section.raw_size for section in self.sections if section.raw_size]
        return max([self.optional.headers_size, *ends])

    def file_offset(self, address: int) -> int:
        """Where the byte loaded at ``address`` lies in the file."""
        for section in self.sections:
            if section.address <= address < section.address + section.raw_size:
                return section.offset + address - section.address
        if 0 <= address < min(self.optional.headers_size, len(self.view)):
            return address
        raise PeError(f"no byte of the file is loaded at {address:#x}")

    def at(self, layout: Struct, address: int) -> tuple[int, ...]:
        """The structure at an address."""
        return self._unpack(layout, self.file_offset(address))

    def _text(self, address: int) -> str:
        start = self.file_offset(address)
        text, end, _ = bytes(self.view[start : start + _LONGEST_NAME]).partition(b"\0")
        if not end:
            raise PeError("a name does not end")
        return text.decode("ascii", "replace")

    @cached_property
    def imports(self) -> list[Import]:
        """What the loader looks up before the program starts."""
        found: list[Import] = []
        budget = Budget()
        at, _ = self.directory(DIR_IMPORT)
        while at:
            lookup, _time, _chain, name, table = self.at(_IMPORT, at)
            if not name:
                break
            budget.spend()
            found.append(Import(self._text(name), tuple(self._thunks(lookup or table, budget))))
            at += _IMPORT.size
        return found

    @cached_property
    def delay_imports(self) -> list[Import]:
        """What is looked up when it is called first."""
        found: list[Import] = []
        budget = Budget()
        at, _ = self.directory(DIR_DELAY_IMPORT)
        while at:
            attributes, name, _module, _table, names, *_rest = self.at(_DELAY, at)
            if not name:
                break
            if not attributes & 1:
                raise PeError("a delayed import with addresses of an older kind")
            budget.spend()
            found.append(Import(self._text(name), tuple(self._thunks(names, budget))))
            at += _DELAY.size
        return found

    def _thunks(self, at: int, budget: Budget) -> Iterator[str]:
        while (value := self.at(_U64, at)[0]) != 0:
            budget.spend()
            yield f"#{value & 0xFFFF}" if value & _ORDINAL else self._text((value & 0x7FFFFFFF) + 2)
            at += _U64.size

    @property
    def needed(self) -> list[str]:
        """The DLLs of imports and delayed imports, in order."""
        return list(dict.fromkeys(one.dll for one in (*self.imports, *self.delay_imports)))

    @cached_property
    def exports(self) -> list[str]:
        """The names that it exports."""
        at, _ = self.directory(DIR_EXPORT)
        if not at:
            return []
        fields = self.at(_EXPORT, at)
        count, names = fields[7], fields[9]
        budget = Budget()
        return [self._text(self.at(U32, names + 4 * n)[0]) for n in range(count) if budget.spend()]

    @property
    def export_name(self) -> str | None:
        """The DLL's own name, as its export table has it."""
        at, _ = self.directory(DIR_EXPORT)
        name = self.at(_EXPORT, at)[4] if at else 0
        return self._text(name) if name else None

    @property
    def tls(self) -> Tls | None:
        """Its static thread-local storage."""
        at, _ = self.directory(DIR_TLS)
        if not at:
            return None
        start, end, _index, callbacks, zeros, _flags = self.at(_TLS, at)
        if end < start:
            raise PeError("its thread-local storage ends before it begins")
        runs = bool(callbacks) and self.at(_U64, callbacks - self.optional.image_base) != (0,)
        return Tls(end - start, zeros, runs)

    @property
    def has_variables(self) -> bool:
        """Whether there are variables of which each thread has its own: such a library Windows itself must load.

        The launcher's rule (launcher/pe_map_windows.c): run times make the directory of thread-local storage for its
        callbacks alone, too, and then no code reads where a thread has its variables.
        """
        if self.directory(DIR_TLS) == (0, 0):
            return False
        tls = self.tls
        return (
            tls is None
            or tls.size > _TLS_MARKS
            or any(
                _READS_TLS.search(
                    self.content(section)[: -(-(section.size or section.raw_size) // _PAGE) * _PAGE]
                )
                for section in self.sections
                if section.flags & SCN_EXECUTE
            )
        )

    @property
    def guard_flags(self) -> int | None:
        """GuardFlags of the load configuration (Control Flow Guard); None without one."""
        at, _ = self.directory(DIR_LOAD_CONFIG)
        if not at:
            return None
        (size,) = self.at(U32, at)
        return self.at(U32, at + _GUARD_FLAGS_AT)[0] if size >= _GUARD_FLAGS_AT + 4 else 0

    @property
    def signature(self) -> tuple[int, int]:
        """Offset and size of the attribute certificates (Authenticode) in the file; (0, 0) when it is not signed."""
        offset, size = self.directory(DIR_SECURITY)
        if offset + size > len(self.view):
            raise PeError("its signature ends behind the file's end")
        return offset, size

    @cached_property
    def debug(self) -> list[Debug]:
        """The debug directory."""
        at, size = self.directory(DIR_DEBUG)
        found = []
        for number in range(size // DEBUG.size):
            place = self.file_offset(at + number * DEBUG.size)
            _flags, time, _major, _minor, kind, length, address, offset = self._unpack(DEBUG, place)
            path = bytes(self.view[offset : offset + length])[24:] if kind == DEBUG_CODEVIEW else b""
            text = path.partition(b"\0")[0].decode("utf-8", "replace")
            found.append(Debug(place, time, kind, length, address, offset, text))
        return found


class Budget:
    """Ends what tables that lead to themselves would never end."""

    def __init__(self) -> None:
        self._left = _MOST_NAMES

    def spend(self) -> bool:
        """One more row. PeError when there were too many; else True."""
        self._left -= 1
        if not self._left:
            raise PeError("a table leads round in circles")
        return True
