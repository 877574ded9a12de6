"""Why two files that should be the same are not: by what oxcross knows of its executables, else by their lines or bytes."""

from __future__ import annotations

import difflib
import filecmp
import json
import operator
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final

from oxcross import report
from oxcross.errors import InspectError
from oxcross.publish import contained, packed
from oxcross.publish.contained import Contained, Pieces

_CHUNK: Final = 1 << 20
_MOST_NAMES: Final = 12  # of a kind of pieces that are told by name
_MOST_LINES: Final = 30  # of a text


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Lines for people, and the pieces that differ: those of the released file, and of the one that was built again.

    ``complete``: the lines say all there is to say.
    """

    lines: tuple[str, ...]
    complete: bool
    released: Pieces
    rebuilt: Pieces


def explain(released: Path, rebuilt: Path) -> Explained:
    """What differs between the two files."""
    seen: dict[str, Contained] = {}
    wrong = []
    for name, path in (("released", released), ("rebuilt", rebuilt)):
        try:
            seen[name] = contained.read(path)
        except InspectError as error:
            wrong.append(f"the {name} one: {error.message}")
    first = seen.get("released")
    lines = list(_bytes(released, rebuilt, first))
    if len(wrong) == 2:  # no executables of ours, both of them
        if (archives := _archives(released, rebuilt)) is not None:
            return replace(archives, lines=(*lines, *archives.lines))
        text = list(_text(released, rebuilt))
        complete = 0 < len(text) <= _MOST_LINES
        return Explained(lines=(*lines, *_cut(text)), complete=complete, released={}, rebuilt={})
    if first is None or "rebuilt" not in seen:
        return Explained(lines=(*lines, *wrong), complete=False, released={}, rebuilt={})
    one, other = first.pieces, seen["rebuilt"].pieces
    differing = [piece for piece in {**one, **other} if one.get(piece) != other.get(piece)]
    return Explained(
        lines=(*lines, *_pieces(one, other, differing)),
        complete=False,
        released={piece: one[piece] for piece in differing if piece in one},
        rebuilt={piece: other[piece] for piece in differing if piece in other},
    )


def _archives(released: Path, rebuilt: Path) -> Explained | None:
    """Two archives by their members; None when they are none, or no member differs."""
    with tempfile.TemporaryDirectory(prefix="oxcross-") as name:
        one = packed.unpack(released, Path(name, "released"))
        other = packed.unpack(rebuilt, Path(name, "rebuilt"))
        if one is None or other is None:
            return None
        found: list[Explained] = []
        lines: list[str] = []
        for member in dict.fromkeys([*one, *other]):
            if member not in other or member not in one:
                lines.append(f"{member}: {'not' if member in one else 'only'} in the rebuilt one")
                continue
            left, right = one[member], other[member]
            if left.header != right.header:
                lines.append(f"{member}: {left.header}, rebuilt {right.header}")
            if not filecmp.cmp(left.path, right.path, shallow=False):
                found.append(explain(left.path, right.path))
                lines += [f"{member}: {line}" for line in found[-1].lines]
    if not lines:
        return None
    return Explained(
        lines=tuple(lines),
        complete=all(part.complete for part in found),
        released={piece: part.released[piece] for part in found for piece in part.released},
        rebuilt={piece: part.rebuilt[piece] for part in found for piece in part.rebuilt},
    )


def _bytes(released: Path, rebuilt: Path, seen: Contained | None) -> Iterator[str]:
    """Sizes, and where the first and the last different byte are."""
    sizes = released.stat().st_size, rebuilt.stat().st_size
    if sizes[0] != sizes[1]:
        yield f"{report.megabytes(sizes[0])} ({sizes[0]} bytes), rebuilt {sizes[1] - sizes[0]:+} bytes"
    first = last = -1
    count = 0
    with released.open("rb") as one, rebuilt.open("rb") as other:
        at = 0
        while (left := one.read(_CHUNK)) and (right := other.read(_CHUNK)):
            if left != right:
                places = [at + n for n, differs in enumerate(map(operator.ne, left, right)) if differs]
                if places:
                    first, last = (places[0] if first < 0 else first), places[-1]
                    count += len(places)
            at += _CHUNK
    if first < 0:
        yield f"the first {min(sizes)} bytes are the same"
        return
    where = f", in {seen.region(first)}" if seen else ""
    if sizes[0] != sizes[1]:
        yield f"the first different byte is at {first:#x}{where}"
        return
    until = f", in {seen.region(last)}" if seen else ""
    yield f"{count} bytes differ, the first at {first:#x}{where}, the last at {last:#x}{until}"


def _pieces(one: Pieces, other: Pieces, differing: list[tuple[str, str]]) -> Iterator[str]:
    if not differing:
        yield "all that is inside is the same: only where it lies, or how it is stored, differs"
    kinds = list(dict.fromkeys(kind for kind, _ in (*one, *other)))
    for kind, group in groupby(
        sorted(differing, key=lambda piece: kinds.index(piece[0])), key=lambda piece: piece[0]
    ):
        names = []
        for piece in group:
            if piece not in other:
                names.append(f"{piece[1]} (not in the rebuilt one)")
            elif piece not in one:
                names.append(f"{piece[1]} (only in the rebuilt one)")
            elif kind in ("distribution", "component"):
                versions = (str(json.loads(side[piece]).get("version")) for side in (one, other))
                names.append(f"{piece[1]} ({', rebuilt '.join(versions)})")
            elif kind == contained.CODE and len(one[piece]) == len(other[piece]):
                count = sum(map(operator.ne, one[piece], other[piece]))
                names.append(f"{piece[1]} ({count} bytes of {len(one[piece])})")
            else:
                names.append(piece[1])
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield f"{kind}: {', '.join(names[:_MOST_NAMES])}{more}"


def _text(released: Path, rebuilt: Path) -> Iterator[str]:
    """The lines that differ, when both files are text."""
    try:
        one, other = (path.read_text(encoding="utf-8").splitlines() for path in (released, rebuilt))
    except UnicodeDecodeError:
        return
    yield from difflib.unified_diff(one, other, "released", "rebuilt", n=1, lineterm="")


def _cut(lines: list[str]) -> list[str]:
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"… and {left} lines more"] if left > 0 else lines
