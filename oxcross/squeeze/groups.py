"""Which pieces of a launcher belong to which group: what only a group's modules lead to.

The pieces are the linker's input sections (a function or a datum each), the edges its relocations. A piece that
anything outside of a group leads to, other than by the group's entries, is no part of it.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from oxcross.elf import ElfError
from oxcross.squeeze.linked import SHF_EXEC, STT_SECTION, STT_TLS, Linked, Piece
from oxcross.squeeze.machine import Machine

REST, START = "rest", "start"
_LIBRARY = "libpython"
_DATA = (".data", ".PyRuntime")
_PREFIX = re.compile(r"^\.text\.((hot|unlikely|unknown|startup|split)\.)?")
_NUMBER = re.compile(r"(\.\d+|\.llvm\.\d+)+$")
_ROOTS = (".init", ".fini", ".init_array", ".fini_array", ".preinit_array", ".tdata")
_SILENT = (
    ".eh_frame",
    ".got",
    ".plt",
    ".got.plt",
    ".debug",
)  # what they refer to is not used because of that


@dataclass(slots=True)
class Graph:
    """Pieces by number, and the pieces that each refers to.

    A linker script tells pieces of one file apart by their names alone: those of one name count as the first of them,
    ``same`` is its number.
    """

    pieces: list[Piece]
    edges: list[set[int]] = field(init=False)
    same: list[int] = field(init=False)
    sizes: list[int] = field(init=False)  # of the largest of one name
    _starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.edges = [set() for _ in self.pieces]
        first: dict[tuple[str, str], int] = {}
        self.same = [first.setdefault((one.file, one.name), n) for n, one in enumerate(self.pieces)]
        self.sizes = [piece.size for piece in self.pieces]
        for number, piece in zip(self.same, self.pieces, strict=True):
            self.sizes[number] = max(self.sizes[number], piece.size)
        self._starts = [piece.address for piece in self.pieces]

    def at(self, address: int) -> int | None:
        """The piece in which ``address`` lies."""
        number = bisect.bisect_right(self._starts, address) - 1
        while number >= 0 and self.pieces[number].end <= address:
            number -= 1
            if self.pieces[number].address + 64 < address:
                return None
        return self.same[number] if number >= 0 and address >= self.pieces[number].address else None

    def between(self, first: int, last: int) -> Iterable[int]:
        """The pieces from ``first`` to ``last``, both addresses."""
        start = max(bisect.bisect_right(self._starts, first) - 1, 0)
        return self.same[start : bisect.bisect_right(self._starts, last)]

    def reach(self, roots: Iterable[int], blocked: set[int]) -> set[int]:
        """What ``roots`` lead to, and they themselves; a way ends before what is ``blocked``."""
        found = set(roots) - blocked
        ahead = list(found)
        while ahead:
            new = self.edges[ahead.pop()] - found - blocked
            found |= new
            ahead.extend(new)
        return found


def graph(linked: Linked, pieces: list[Piece], machine: Machine) -> Graph:
    """The graph of a linked launcher."""
    made = Graph(pieces)
    symbols = linked.symbols
    for section, relocations in linked.relocations():
        if section.name in _SILENT:
            continue
        from_code = bool(section.flags & SHF_EXEC)
        for one in relocations:
            source = made.at(one.place)
            symbol = symbols[one.symbol]
            if source is None or not symbol.section or symbol.kind == STT_TLS:
                continue
            target = symbol.value + one.addend
            edges = made.edges[source]
            if not from_code and one.kind in machine.distances:
                # The distance of something from a table's beginning, as one from this entry: less than it says.
                if (
                    symbol.section < len(linked.sections)
                    and not linked.sections[symbol.section].flags & SHF_EXEC
                ):
                    edges.update(made.between(target - made.sizes[source], target))
                continue
            if one.kind not in machine.absolute:
                target += machine.bias
            ends: tuple[int, ...] = (target,)
            if from_code and symbol.kind == STT_SECTION:
                ends = tuple(target + more for more in machine.behind(linked.data, linked.offset(one.place)))
            if symbol.kind != STT_SECTION:
                ends = (symbol.value,)
            edges.update(number for end in ends if (number := made.at(end)) is not None)
    return made


def assign(
    linked: Linked, whole: Graph, modules: Mapping[str, Iterable[str]], start: frozenset[str]
) -> dict[str, set[int]]:
    """The pieces of each group, by number.

    ``modules`` names the built-in modules that are a group's entries. Two groups more are libpython's: REST has the
    functions that are not named in ``start``, and what only they use; START its data, of which most is zeros and
    pointers.
    """
    value = {symbol.name: symbol.value for symbol in linked.symbols if symbol.section}
    entries: dict[str, set[int]] = {}
    for group, names in modules.items():
        found = {whole.at(value[f"PyInit_{name}"]) for name in names if f"PyInit_{name}" in value}
        entries[group] = {number for number in found if number is not None}
    every = set().union(*entries.values())
    roots = _roots(linked, whole) - every
    hot = whole.reach(roots, every)
    reached = {group: whole.reach(found, every - found) - hot for group, found in entries.items()}
    times: dict[int, int] = {}
    for numbers in reached.values():
        for number in numbers:
            times[number] = times.get(number, 0) + 1
    groups = {group: {one for one in numbers if times[one] == 1} for group, numbers in reached.items()}
    own = {number for number in hot if _LIBRARY in whole.pieces[number].file}
    rest = {number for number in own if _is_rest(whole.pieces[number], start)}
    # Functions that stay may be led to by the rest alone, and the other groups use what is here, too.
    staying = {one for one in hot - rest if one not in own or whole.pieces[one].name.startswith(".text")}
    at_start = whole.reach((staying | roots | every) - rest, rest)
    groups[REST] = rest | {one for one in own - at_start if not whole.pieces[one].name.startswith(".text")}
    groups[START] = {one for one in own & at_start if whole.pieces[one].name.startswith(_DATA)}
    return groups


def _is_rest(piece: Piece, start: frozenset[str]) -> bool:
    """Whether it is a function that the start does without. A number behind a name tells functions of one name apart."""
    if not piece.name.startswith(".text."):
        return False
    name = _PREFIX.sub("", piece.name)
    return name not in start and _NUMBER.sub("", name) not in start


def _roots(linked: Linked, whole: Graph) -> set[int]:
    """Where the process begins, and what other libraries may ask for."""
    found = {whole.at(linked.elf.entry)}
    for number, piece in enumerate(whole.pieces):
        section = linked.section_at(piece.address)
        if section is not None and section.name in _ROOTS:
            found.add(whole.same[number])
    found |= {whole.at(symbol.value) for symbol in linked.exported if symbol.section}
    roots = {number for number in found if number is not None}
    if not roots:
        raise ElfError("the launcher has no beginning")
    return roots
