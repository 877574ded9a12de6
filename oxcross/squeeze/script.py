"""The linker script that gives each group a range of its own, behind everything else."""

from __future__ import annotations

from collections.abc import Mapping

from oxcross.squeeze.groups import Graph
from oxcross.squeeze.linked import SHF_EXEC, SHF_TLS, SHT_NOBITS, Linked, Piece

# What a group consists of, in its order: code, what is constant once it is relocated, the rest; and the input sections
# of each kind. The first pattern that fits takes a section.
_INPUTS = {
    "code": (".text", ".text.*"),
    "constants": (".rodata", ".rodata.*", ".data.rel.ro", ".data.rel.ro.*"),
    "data": (".data", ".data.*"),
    "zero": (".bss", ".bss.*", "COMMON"),
}
_INTERNAL = "<internal>"
_UNWINDING = (".eh_frame", ".debug_frame")


def script(linked: Linked, whole: Graph, groups: Mapping[str, set[int]], page: int) -> str:
    """The script: for each group of ``groups`` (numbers of pieces) an output section a kind."""
    complete = _complete(linked, whole, groups)
    lines = ["SECTIONS {"]
    for group, numbers in groups.items():
        wanted: dict[str, dict[str, set[str]]] = {kind: {} for kind in _INPUTS}
        for number in numbers:
            piece = whole.pieces[number]
            kind = _kind(linked, piece)
            if kind is not None and piece.file not in complete:
                wanted[kind].setdefault(_pattern(piece.file), set()).add(piece.name)
        for file, owner in complete.items():
            if owner == group:  # with its strings, which are nobody's once they are merged with others
                for kind, patterns in _INPUTS.items():
                    wanted[kind][_pattern(file)] = set(patterns)
        for kind, files in wanted.items():
            inputs = [f"{file}({' '.join(sorted(names))})" for file, names in sorted(files.items())]
            lines.append(f"  .ox.{group}.{kind} : ALIGN({page}) {{ {' '.join(inputs)} }}")
    lines.append("} INSERT AFTER .bss;")
    return "\n".join(lines) + "\n"


def _kind(linked: Linked, piece: Piece) -> str | None:
    """Which part of a group a piece goes to; None for what stays where it is."""
    section = linked.section_at(piece.address)
    if section is None or section.flags & SHF_TLS or piece.file == _INTERNAL or section.name in _UNWINDING:
        return None
    if section.flags & SHF_EXEC:
        return "code"
    if piece.name.startswith((".rodata", ".data.rel.ro")):
        return "constants"
    return "zero" if section.type == SHT_NOBITS else "data"


def _complete(linked: Linked, whole: Graph, groups: Mapping[str, set[int]]) -> dict[str, str]:
    """Files of which every piece is in one group, and in which."""
    group_of = {number: group for group, numbers in groups.items() for number in numbers}
    found: dict[str, set[str]] = {}
    for number, piece in enumerate(whole.pieces):
        if _kind(linked, piece) is not None:
            found.setdefault(piece.file, set()).add(group_of.get(whole.same[number], ""))
    return {
        file: next(iter(owners)) for file, owners in found.items() if len(owners) == 1 and "" not in owners
    }


def _pattern(file: str) -> str:
    """A pattern for a file as the map names it: ``folder/libx.a(y.o)`` or ``folder/y.o``."""
    archive, bracket, member = file.partition("(")
    name = archive.rpartition("/")[2]
    return f"*{name}:{member.rstrip(')')}" if bracket else f"*{name}"
