"""A small reader of 64-bit little-endian ELF files: what oxcross asks of executables and libraries.

lief reads far more, but to import it costs a quarter of a second, too much for a rebuild that must
take less than two; the tests hold this reader against it. Source: elf(5), the System V gABI, and the
Linux Standard Base for symbol versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from struct import Struct
from struct import error as struct_error

HEADER = Struct("<16sHHIQQQIHHHHHH")
SEGMENT = Struct("<IIQQQQQQ")  # type, flags, offset, vaddr, paddr, filesz, memsz, align
SECTION = Struct("<IIQQQQIIQQ")  # name, type, flags, addr, offset, size, link, info, align, entsize
_DYNAMIC = Struct("<qQ")
_NOTE = Struct("<III")
_VERNEED = Struct("<HHIII")
_VERNAUX = Struct("<IHHII")

ET_EXEC, ET_DYN = 2, 3
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PT_GNU_STACK, PT_GNU_RELRO = 0x6474E551, 0x6474E552
PF_X, PF_W, PF_R = 1, 2, 4
SHT_PROGBITS = 1
SHF_ALLOC = 2
MACHINES = {62: "x86_64", 183: "aarch64"}

_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME = 1, 5, 10, 14
_DT_RPATH, _DT_RUNPATH, _DT_BIND_NOW, _DT_FLAGS = 15, 29, 24, 30
_DT_FLAGS_1, _DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFB, 0x6FFFFFFE, 0x6FFFFFFF
_DF_BIND_NOW, _DF_1_NOW, _DF_1_PIE = 0x8, 0x1, 0x08000000

_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.(\d+))?")
_DT_RELR_GLIBC = (2, 36)  # the first glibc that takes GLIBC_ABI_DT_RELR


class ElfError(ValueError):
    """Not an ELF file of this kind, or one whose tables point outside of it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header; sizes and offsets in bytes."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int

    def pack(self) -> bytes:
        """As it lies in the file."""
        return SEGMENT.pack(
            self.type,
            self.flags,
            self.offset,
            self.vaddr,
            self.paddr,
            self.filesz,
            self.memsz,
            self.align,
        )


def is_elf(data: bytes | memoryview) -> bool:
    """Whether these are the first bytes of an ELF file of any kind."""
    return bytes(data[:4]) == b"\x7fELF"


class Elf:
    """An ELF file in memory; tables are read when they are asked for.

    Raises ElfError for what is not ELF64 little-endian, and for tables that lie outside.
    """

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.view = memoryview(data)
        if not is_elf(self.view) or len(self.view) < HEADER.size:
            raise ElfError("not an ELF file")
        if bytes(self.view[4:6]) != b"\x02\x01":
            raise ElfError("not a 64-bit little-endian ELF file")
        (
            _ident,
            self.type,
            self.machine,
            _version,
            self.entry,
            self.segments_offset,
            self.sections_offset,
            self.flags,
            _header_size,
            segment_size,
            self.segment_count,
            section_size,
            self.section_count,
            self.names_section,
        ) = HEADER.unpack_from(self.view)
        if self.segment_count and segment_size != SEGMENT.size:
            raise ElfError(f"program headers of {segment_size} bytes")
        if self.section_count and section_size != SECTION.size:
            raise ElfError(f"section headers of {section_size} bytes")

    @property
    def arch(self) -> str:
        """The machine: "x86_64", "aarch64", or its number."""
        return MACHINES.get(self.machine, str(self.machine))

    def _unpack(self, layout: Struct, offset: int) -> tuple[int, ...]:
        try:
            return layout.unpack_from(self.view, offset)
        except struct_error as error:
            raise ElfError(f"a table points behind the file's end ({offset})") from error

    @cached_property
    def segments(self) -> list[Segment]:
        """The program headers."""
        return [
            Segment(*self._unpack(SEGMENT, self.segments_offset + number * SEGMENT.size))
            for number in range(self.segment_count)
        ]

    def of_type(self, kind: int) -> list[Segment]:
        """The segments of one type."""
        return [segment for segment in self.segments if segment.type == kind]

    def content(self, segment: Segment) -> memoryview:
        """The segment's bytes in the file."""
        if segment.offset + segment.filesz > len(self.view):
            raise ElfError("a segment ends behind the file's end")
        return self.view[segment.offset : segment.offset + segment.filesz]

    def file_offset(self, address: int) -> int:
        """Where the byte loaded at ``address`` lies in the file."""
        for segment in self.of_type(PT_LOAD):
            if segment.vaddr <= address < segment.vaddr + segment.filesz:
                return segment.offset + address - segment.vaddr
        raise ElfError(f"no byte of the file is loaded at {address:#x}")

    @cached_property
    def dynamic(self) -> list[tuple[int, int]]:
        """The dynamic section's (tag, value) pairs; empty in a static file."""
        found: list[tuple[int, int]] = []
        for segment in self.of_type(PT_DYNAMIC):
            content = self.content(segment)
            whole = len(content) // _DYNAMIC.size * _DYNAMIC.size
            for tag, value in _DYNAMIC.iter_unpack(content[:whole]):
                if tag == 0:
                    break
                found.append((tag, value))
        return found

    def _values(self, tag: int) -> list[int]:
        return [value for known, value in self.dynamic if known == tag]

    @cached_property
    def _strings(self) -> bytes:
        address, size = self._values(_DT_STRTAB), self._values(_DT_STRSZ)
        if not address or not size:
            return b""
        start = self.file_offset(address[0])
        return bytes(self.view[start : start + size[0]])

    def _string(self, offset: int) -> str:
        end = self._strings.find(b"\0", offset)
        if end < 0:
            raise ElfError("a name lies outside of the string table")
        return self._strings[offset:end].decode("utf-8", "replace")

    @property
    def needed(self) -> list[str]:
        """DT_NEEDED: the libraries it asks the loader for, in order."""
        return [self._string(value) for value in self._values(_DT_NEEDED)]

    @property
    def soname(self) -> str | None:
        """DT_SONAME."""
        values = self._values(_DT_SONAME)
        return self._string(values[0]) if values else None

    @property
    def runpaths(self) -> list[str]:
        """The folders of DT_RUNPATH and DT_RPATH."""
        values = self._values(_DT_RUNPATH) + self._values(_DT_RPATH)
        return [folder for value in values for folder in self._string(value).split(":") if folder]

    @property
    def bind_now(self) -> bool:
        """Whether every symbol is bound before the program starts."""
        flags = sum(self._values(_DT_FLAGS)) & _DF_BIND_NOW
        flags_1 = sum(self._values(_DT_FLAGS_1)) & _DF_1_NOW
        return bool(flags or flags_1 or self._values(_DT_BIND_NOW))

    @property
    def pie(self) -> bool:
        """Whether it is a position-independent executable (rather than a library)."""
        marked = any(value & _DF_1_PIE for value in self._values(_DT_FLAGS_1))
        return self.type == ET_DYN and (marked or bool(self.of_type(PT_INTERP)))

    @property
    def interpreter(self) -> str | None:
        """PT_INTERP: the dynamic loader's path."""
        found = self.of_type(PT_INTERP)
        return bytes(self.content(found[0])).rstrip(b"\0").decode() if found else None

    @cached_property
    def versions(self) -> Mapping[str, list[str]]:
        """The symbol versions that it needs, by library: {"libc.so.6": ["GLIBC_2.17", …]}."""
        found: dict[str, list[str]] = {}
        at = self._values(_DT_VERNEED)
        offset = self.file_offset(at[0]) if at else 0
        for _ in range(sum(self._values(_DT_VERNEEDNUM)) if at else 0):
            _version, count, file, auxiliary, following = self._unpack(_VERNEED, offset)
            names = found.setdefault(self._string(file), [])
            entry = offset + auxiliary
            for _ in range(count):
                _hash, _flags, _other, name, next_entry = self._unpack(_VERNAUX, entry)
                names.append(self._string(name))
                entry += next_entry
            offset += following
        return found

    @property
    def glibc(self) -> tuple[int, ...] | None:
        """The oldest glibc that has every symbol version it needs; None when it needs none."""
        floors = [
            floor for names in self.versions.values() for floor in map(glibc_of, names) if floor is not None
        ]
        return max(floors, default=None)

    def notes(self, segment: Segment) -> Iterator[tuple[str, int, bytes]]:
        """The (owner, type, description) of every note in a PT_NOTE segment."""
        content = bytes(self.content(segment))
        step = 8 if segment.align == 8 else 4
        at = 0
        while at + _NOTE.size <= len(content):
            name_size, size, kind = _NOTE.unpack_from(content, at)
            name = content[at + _NOTE.size : at + _NOTE.size + name_size]
            start = _up(at + _NOTE.size + name_size, step)
            yield name.rstrip(b"\0").decode("ascii", "replace"), kind, content[start : start + size]
            at = _up(start + size, step)


def glibc_of(version: str) -> tuple[int, ...] | None:
    """The glibc that a symbol version names: "GLIBC_2.2.5" is (2, 2, 5)."""
    if version == "GLIBC_ABI_DT_RELR":
        return _DT_RELR_GLIBC
    match = _GLIBC.fullmatch(version)
    return tuple(int(part) for part in match.groups() if part is not None) if match else None


def _up(offset: int, alignment: int) -> int:
    return (offset + alignment - 1) // alignment * alignment
