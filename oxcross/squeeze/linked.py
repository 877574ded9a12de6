"""Reads a launcher that was linked with ``--emit-relocs``: sections, symbols, relocations, pieces.

Source: elf(5), the psABIs' relocation types, and lld's map file.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from struct import Struct

from oxcross.elf import SECTION, Elf, ElfError

SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_NOBITS, SHT_DYNSYM, SHT_RELR = 1, 2, 3, 4, 8, 11, 19
SHF_WRITE, SHF_ALLOC, SHF_EXEC, SHF_TLS = 1, 2, 4, 0x400
STT_FUNC, STT_SECTION, STT_TLS = 2, 3, 6
_SYMBOL = Struct("<IBBHQQ")
_RELA = Struct("<QQq")
_MAP_LINE = re.compile(r" *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +\d+ (.*)")
_INPUT = re.compile(r"(.*):\((.+)\)$")


@dataclass(frozen=True, slots=True)
class Section:
    """A section header, with its name."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol; ``section`` is the number of its section, 0 when it is not defined here."""

    name: str
    kind: int
    section: int
    value: int
    size: int


@dataclass(frozen=True, slots=True)
class Relocation:
    """An emitted relocation: ``place`` is an address, ``symbol`` a number of the symbol table."""

    place: int
    kind: int
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class Piece:
    """An input section as it lies in the output: ``file`` and ``name`` are the linker's words for it."""

    address: int
    size: int
    file: str
    name: str

    @property
    def end(self) -> int:
        return self.address + self.size


class Linked:
    """A linked launcher in memory; ``data`` may be changed, the tables are those of the file as it was."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        self.elf = Elf(data)

    @cached_property
    def sections(self) -> list[Section]:
        """All sections, by number."""
        elf = self.elf
        rows = [
            SECTION.unpack_from(elf.view, elf.sections_offset + n * SECTION.size)
            for n in range(elf.section_count)
        ]
        names = rows[elf.names_section]
        text = bytes(elf.view[names[4] : names[4] + names[5]])
        return [
            Section(text[row[0] : text.index(b"\0", row[0])].decode(), row[1], row[2], *row[3:8])
            for row in rows
        ]

    def section(self, name: str) -> Section | None:
        """The section of that name."""
        return next((one for one in self.sections if one.name == name), None)

    @cached_property
    def loaded(self) -> list[Section]:
        """Sections that have addresses of their own, in their order."""
        found = [s for s in self.sections if s.flags & SHF_ALLOC and s.size and not self._is_tbss(s)]
        return sorted(found, key=lambda one: one.address)

    @staticmethod
    def _is_tbss(section: Section) -> bool:
        return bool(section.flags & SHF_TLS) and section.type == SHT_NOBITS

    @cached_property
    def _starts(self) -> list[int]:
        return [section.address for section in self.loaded]

    def section_at(self, address: int) -> Section | None:
        """The section that ``address`` lies in, or directly behind."""
        number = bisect.bisect_right(self._starts, address) - 1
        if number < 0 or address > self.loaded[number].end:
            return None
        return self.loaded[number]

    @cached_property
    def symbols(self) -> list[Symbol]:
        """The symbol table."""
        table = next((one for one in self.sections if one.type == SHT_SYMTAB), None)
        if table is None:
            raise ElfError("the launcher was linked without symbols")
        return list(self._symbols(table))

    def _symbols(self, table: Section) -> Iterator[Symbol]:
        strings = self.sections[table.link]
        text = bytes(self.elf.view[strings.offset : strings.offset + strings.size])
        for name, info, _, section, value, size in _SYMBOL.iter_unpack(
            self.elf.view[table.offset : table.offset + table.size]
        ):
            yield Symbol(
                text[name : text.index(b"\0", name)].decode("utf-8", "replace"),
                info & 15,
                section,
                value,
                size,
            )

    @cached_property
    def exported(self) -> list[Symbol]:
        """The dynamic symbols; those of other libraries have no section."""
        table = next((one for one in self.sections if one.type == SHT_DYNSYM), None)
        return list(self._symbols(table)) if table else []

    def symbol(self, name: str) -> Symbol:
        """The defined symbol of that name. ElfError when there is none."""
        for one in self.symbols:
            if one.name == name and one.section:
                return one
        raise ElfError(f"the launcher has no {name}")

    def relocations(self) -> Iterator[tuple[Section, list[Relocation]]]:
        """The emitted relocations, by the section that they are for."""
        for table in self.sections:
            if table.type != SHT_RELA or table.flags & SHF_ALLOC:
                continue
            rows = _RELA.iter_unpack(self.elf.view[table.offset : table.offset + table.size])
            yield (
                self.sections[table.info],
                [Relocation(place, info & 0xFFFFFFFF, info >> 32, addend) for place, info, addend in rows],
            )

    def offset(self, address: int) -> int:
        """Where the byte at ``address`` lies in the file. ElfError when the file has none."""
        section = self.section_at(address)
        if section is None or section.type == SHT_NOBITS or address >= section.end:
            raise ElfError(f"no byte of the launcher is at {address:#x}")
        return section.offset + address - section.address


def read_map(path: Path) -> list[Piece]:
    """The pieces that lld's map file lists, in the order of their addresses; strings are merged into one.

    What is not loaded (an output section at address 0) has none; thread-local zeros share others' addresses.
    """
    found = []
    first = last = 0
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            row = _MAP_LINE.match(line)
            if row is None:
                continue
            address, size, text = int(row[1], 16), int(row[2], 16), row[3]
            indented = len(text) - len(text.lstrip(" "))
            if indented == 0:
                first, last = address, address + size
            elif indented == 8 and size and (one := _INPUT.match(text.strip())) is not None:
                inside = first and first <= address and address + size <= last
                if inside and not one[2].startswith(".tbss"):
                    found.append(Piece(address, size, one[1], one[2]))
    return sorted(found, key=lambda piece: (piece.address, piece.size))
