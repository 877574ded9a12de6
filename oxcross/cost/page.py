"""The costs of an executable as one HTML file that needs nothing else: no network, no fonts, and no script to be read.

The same costs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from oxcross.cost.content import Content, Piece
from oxcross.cost.total import Cost
from oxcross.cost.treemap import Box, squarify
from oxcross.report import megabytes

_TEMPLATE: Final = Path(__file__).with_name("page.html.j2")
_ROOM: Final = Box(0.0, 0.0, 1200.0, 720.0)
_HEADING: Final = 15.0
_EDGE: Final = 1.5
_LEAST: Final = 14.0  # the area from which on a piece has a box of its own
_LETTER: Final = 6.2  # about as wide as one is
_MOST_DATA: Final = 30
_CLASSES: Final = {
    "bytecode": "bytecode",
    "source text": "source",
    "extension module": "native",
    "shared library": "native",
    "program code": "program",
    "compressed program code": "program",
    "data": "data",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A box with what it says; ``label`` is as much of its name as fits, "" for none."""

    box: Box
    name: str
    title: str
    style: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPart:
    """A part of the executable, and its pieces inside."""

    head: Drawn
    leaves: tuple[Drawn, ...]


def page(cost: Cost) -> bytes:
    """The file's content, UTF-8."""
    imports = cost.imports or ()
    end = max((one.begin + one.total for one in imports), default=0)
    text: str = _template().render(
        cost=cost,
        content=cost.content,
        parts=list(cost.content.parts.items()),
        drawn=list(drawing(cost.content)),
        room=_ROOM,
        pieces=sorted(cost.content.pieces, key=lambda one: (-one.stored, one.name, one.arch)),
        data=cost.largest_data[:_MOST_DATA],
        imports=imports,
        end=end or 1,
        style=style,
    )
    return text.encode("utf-8", "backslashreplace")


def style(kind: str) -> str:
    """The class of a kind of pieces, which gives it its colour."""
    return _CLASSES.get(kind, "rest")


def drawing(content: Content) -> Iterator[DrawnPart]:
    """The treemap: a box for each part, in which there is one for each piece; small ones have one together."""
    parts = [(name, stored) for name, (stored, _) in content.parts.items() if stored]
    for (name, stored), box in zip(parts, squarify([one[1] for one in parts], _ROOM), strict=True):
        share = stored / content.size
        title = f"{name}: {megabytes(stored)}, {share:.1%}"
        headed = box.height > 3 * _HEADING and box.width > 3 * _HEADING
        head = Drawn(
            box=box,
            name=name,
            title=title,
            style="part",
            label=_fitting(f"{name} {megabytes(stored)}", box.width) if headed else "",
        )
        inner = box.inside(_EDGE, _HEADING if headed else _EDGE)
        mine = sorted(
            (piece for piece in content.pieces if piece.part == name and piece.stored),
            key=lambda one: (-one.stored, one.name, one.arch),
        )
        yield DrawnPart(head=head, leaves=tuple(_leaves(mine, inner, stored)))


def _leaves(pieces: list[Piece], room: Box, total: int) -> Iterator[Drawn]:
    scale = room.width * room.height / total
    large = [piece for piece in pieces if piece.stored * scale >= _LEAST]
    small = sum(piece.stored for piece in pieces[len(large) :])
    numbers = [piece.stored for piece in large]
    # Where together they are more than the smallest of the others, they stand where their size puts them.
    at = next((number for number, one in enumerate(numbers) if one < small), len(numbers))
    boxes = squarify([*numbers[:at], *([small] if small else []), *numbers[at:]], room)
    if small:
        count = len(pieces) - len(large)
        box = boxes.pop(at)
        yield Drawn(
            box=box,
            name="",
            title=f"{count} smaller ones: {megabytes(small)}",
            style="rest",
            label=_fitting(f"{count} smaller", box.width) if box.height > _HEADING else "",
        )
    for piece, box in zip(large, boxes, strict=True):
        yield Drawn(
            box=box,
            name=piece.name,
            title=_title(piece),
            style=style(piece.kind),
            label=_fitting(piece.name, box.width, end=True) if box.height > _HEADING else "",
        )


def _title(piece: Piece) -> str:
    unpacked = f" ({megabytes(piece.size)} unpacked)" if piece.size != piece.stored else ""
    arch = f", {piece.arch}" if piece.arch else ""
    return f"{piece.name}, {piece.kind}{arch}: {megabytes(piece.stored)}{unpacked}"


def _fitting(text: str, width: float, *, end: bool = False) -> str:
    """As much of a text as fits: its beginning, or its end, which is what tells modules of a package apart."""
    room = int((width - 6) / _LETTER)
    if len(text) <= room:
        return text
    if room < 4:
        return ""
    return f"…{text[1 - room :]}" if end else f"{text[: room - 1]}…"


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True
    )
    environment.filters["megabytes"] = megabytes
    environment.filters["milliseconds"] = lambda number: f"{number / 1000:.1f} ms"
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
