"""Takes the groups out of a launcher that was linked with their ranges: what refers to what, and what is left.

Every reference from outside of a group into it must be to the beginning of one of its functions; it is turned to
the function's thunk. Any other is an error that names it: so a group that is not unpacked is never read.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from struct import Struct

from oxcross.elf import ElfError
from oxcross.squeeze.linked import (
    SHF_EXEC,
    SHT_NOBITS,
    STT_FUNC,
    STT_TLS,
    Linked,
    Relocation,
    Section,
    Symbol,
)
from oxcross.squeeze.machine import MACHINES, THUNK, Machine

_RELA = Struct("<QQq")
_U64 = Struct("<Q")
_I32 = Struct("<i")
_SYMBOL_SIZE, _SYMBOL_VALUE = 24, 8
_KINDS = ("code", "constants", "data", "zero")
_POINTER_TABLES = (".got", ".got.plt")  # of whose data only the group's own code asks


@dataclass(slots=True)
class Group:
    """A group: addresses of its pages, and what is to be done when it is unpacked (addresses of the image)."""

    name: str
    start: int
    constants: int  # where they begin
    data: int
    end: int
    file_end: int  # behind the last byte that is not zero by being .bss
    functions: list[int] = field(default_factory=list)  # those that have thunks, in the thunks' order
    first_thunk: int = 0
    pointers: list[int] = field(default_factory=list)
    imports: list[tuple[int, int, int]] = field(default_factory=list)  # address, import, addend
    content: bytes = b""


class Splitter:
    """Works on ``linked.data`` in place. ``thunks`` is the address where the first thunk will be."""

    def __init__(self, linked: Linked, at_start: frozenset[str]) -> None:
        self.linked = linked
        self.machine: Machine = MACHINES[linked.elf.arch]
        self.at_start = at_start
        self.groups = list(_groups(linked, self.machine.page))
        if not self.groups:
            raise ElfError("the launcher was linked without groups")
        self._starts = [group.start for group in self.groups]
        self.cold = self.groups[0].start
        self.cold_end = self.groups[-1].end
        self.thunk_of: dict[int, int] = {}  # function -> its thunk's number
        self.kept: list[tuple[int, int, int]] = []  # dynamic relocations of what stays
        self.imports: list[tuple[int, int]] = []  # symbol's part of r_info, addend 0: one each

    def group_at(self, address: int) -> Group | None:
        """The group that ``address`` lies in."""
        if not self.cold <= address < self.cold_end:
            return None
        group = self.groups[bisect.bisect_right(self._starts, address) - 1]
        return group if address < group.end else None

    @cached_property
    def _functions(self) -> dict[int, Symbol]:
        return {one.value: one for one in self.linked.symbols if one.kind == STT_FUNC and one.section}

    def split(self, thunks: int) -> None:
        """Find the references, give out the thunks, turn the references to them, take the contents out."""
        for section, one, target in self._references():
            source, group = self.group_at(one.place), self.group_at(target)
            if group is not None and source is not group:
                self._want(target, group, f"{section.name} at {one.place:#x}", pointer=False)
        dynamic = list(self._dynamic())
        for place, kind, _, addend in dynamic:
            group = self.group_at(addend)
            if kind == self.machine.relative and group is not None and self.group_at(place) is not group:
                # Into the midst of a function only that function's own table of labels points.
                pointer = self._in_got(place) or addend < group.constants
                self._want(addend, group, f"the pointer at {place:#x}", pointer=pointer)
        for symbol in self.linked.exported:
            if symbol.section and (group := self.group_at(symbol.value)) is not None:
                self._want(symbol.value, group, f"the exported {symbol.name}", pointer=False)
        self._number()
        self._turn(thunks)
        self._turn_dynamic(dynamic, thunks)
        self._turn_exported(thunks)
        for group in self.groups:
            group.content = self._content(group)

    def _content(self, group: Group) -> bytes:
        """The group's bytes by their addresses: the file has its sections in places of their own."""
        content = bytearray(group.file_end - group.start)
        for section in self.linked.loaded:
            if group.start <= section.address < group.end and section.type != SHT_NOBITS:
                at = section.address - group.start
                stored = self.linked.data[section.offset : section.offset + section.size]
                content[at : at + section.size] = stored
        return bytes(content)

    def _in_got(self, place: int) -> bool:
        section = self.linked.section_at(place)
        return section is not None and section.name in _POINTER_TABLES

    def _want(self, target: int, group: Group, what: str, *, pointer: bool) -> None:
        """Give a function a thunk; ``pointer``: data may be pointed to from there."""
        if target in self._functions and target < group.constants:
            self.thunk_of.setdefault(target, 0)
        elif not pointer and group.name not in self.at_start:
            raise ElfError(
                f"{what} refers to {self._name(target)} of the group {group.name}, no function's beginning"
            )

    def _name(self, address: int) -> str:
        best = max(
            (one for one in self.linked.symbols if one.section and one.name and one.value <= address),
            key=lambda one: one.value,
            default=None,
        )
        return f"{best.name}+{address - best.value:#x}" if best else hex(address)

    def _references(self) -> Iterator[tuple[Section, Relocation, int]]:
        """References by instructions to what lies in a group; and those of data by distance, that are not tables."""
        symbols = self.linked.symbols
        machine = self.machine
        for section, relocations in self.linked.relocations():
            if section.name in (".eh_frame", ".debug_frame"):
                continue
            executable = bool(section.flags & SHF_EXEC)
            for one in relocations:
                symbol = symbols[one.symbol]
                if not symbol.section or symbol.kind == STT_TLS:
                    continue
                target = symbol.value + one.addend
                if one.kind in machine.absolute:
                    continue  # they are all among the dynamic relocations
                if executable:
                    target += machine.bias
                    if self.group_at(target) is not None:
                        yield section, one, target
                elif (
                    one.kind in machine.distances
                    and not self._is_code(symbol.value)
                    and self.group_at(symbol.value) is not self.group_at(one.place)
                ):
                    yield section, one, symbol.value

    def _is_code(self, address: int) -> bool:
        section = self.linked.section_at(address)
        return section is not None and bool(section.flags & SHF_EXEC)

    def _dynamic(self) -> Iterator[tuple[int, int, int, int]]:
        """The dynamic relocations: place, type, symbol, addend."""
        table = self.linked.section(".rela.dyn")
        if table is None:
            return
        for place, info, addend in _RELA.iter_unpack(
            self.linked.elf.view[table.offset : table.offset + table.size]
        ):
            yield place, info & 0xFFFFFFFF, info >> 32, addend

    def _number(self) -> None:
        """Thunks lie in the order of their groups."""
        number = 0
        for group in self.groups:
            group.first_thunk = number
            for function in sorted(self.thunk_of):
                if group.start <= function < group.end:
                    self.thunk_of[function] = number
                    group.functions.append(function)
                    number += 1

    def _turn(self, thunks: int) -> None:
        """Instructions: calls from outside of the group, and wherever a function's address is taken."""
        for section, one, target in self._references():
            number = self.thunk_of.get(target)
            if number is None or not section.flags & SHF_EXEC:
                continue
            inside = self.group_at(one.place) is self.group_at(target)
            if inside and one.kind in self.machine.calls:
                continue
            if one.kind in self.machine.got and not self.machine.bias:
                continue  # they are by way of the table: the launcher is linked without relaxation
            at = self.linked.offset(one.place)
            self.machine.redirect(self.linked.data, at, one.place, one.kind, target, thunks + number * THUNK)

        for function, number in self.thunk_of.items():
            at = self.linked.offset(function)
            code = bytes(self.linked.data[at : at + self._functions[function].size])
            for more in self.machine.own_addresses(code):
                distance = thunks + number * THUNK - function - more - 4
                _I32.pack_into(self.linked.data, at + more, distance)

    def _turn_dynamic(self, dynamic: list[tuple[int, int, int, int]], thunks: int) -> None:
        imports: dict[tuple[int, int], int] = {}
        for place, kind, symbol, addend in dynamic:
            group = self.group_at(place)
            if kind == self.machine.relative:
                number = self.thunk_of.get(addend)
                value = addend if number is None else thunks + number * THUNK
                if group is None:
                    self.kept.append((place, kind, value))
                else:
                    _U64.pack_into(self.linked.data, self.linked.offset(place), value)
                    group.pointers.append(place)
            elif group is None:
                self.kept.append((place, symbol << 32 | kind, addend))
            else:
                group.imports.append((place, imports.setdefault((symbol, kind), len(imports)), addend))
                _U64.pack_into(self.linked.data, self.linked.offset(place), 0)
        self.imports = list(imports)

    def _turn_exported(self, thunks: int) -> None:
        table = self.linked.section(".dynsym")
        for index, symbol in enumerate(self.linked.exported):
            if (
                table is not None
                and symbol.section
                and (number := self.thunk_of.get(symbol.value)) is not None
            ):
                at = table.offset + index * _SYMBOL_SIZE + _SYMBOL_VALUE
                _U64.pack_into(self.linked.data, at, thunks + number * THUNK)


def _groups(linked: Linked, page: int) -> Iterator[Group]:
    found: dict[str, dict[str, Section]] = {}
    for section in linked.loaded:
        if section.name.startswith(".ox."):
            name, _, kind = section.name.removeprefix(".ox.").rpartition(".")
            found.setdefault(name, {})[kind] = section
    for name, kinds in found.items():
        parts = [kinds[kind] for kind in _KINDS if kind in kinds]
        if [one.address for one in parts] != sorted(one.address for one in parts):
            raise ElfError(f"the parts of the group {name} are not in their order")
        end = -(-max(one.end for one in parts) // page) * page
        stored = [one.end for one in parts if one.type != SHT_NOBITS]
        data = next((kinds[kind].address for kind in ("data", "zero") if kind in kinds), end)
        constants = kinds["constants"].address if "constants" in kinds else data
        start = parts[0].address
        if any(address % page for address in (start, constants, data)):
            raise ElfError(f"the group {name} does not lie on pages of its own")
        yield Group(name, start, constants, data, end, max(stored, default=start))
