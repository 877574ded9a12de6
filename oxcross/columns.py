"""Rows of cells as aligned lines, for terminals of any width and for pipes.

Cells are wrapped between words only, and never cut: a path or a digest can be copied from any terminal, which wraps the line itself where
it is too long.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

_GAP: Final = 2
_LEAST: Final = 16  # a text in a narrower column is hard to read


def laid_out(rows: Sequence[Sequence[str]], width: int | None = None) -> list[list[str]]:
    """The lines of each row. ``width``: that of the terminal; None, or where the columns cannot fit: a line for each row."""
    widths = _widths(rows, width)
    return [_lines(row, widths) for row in rows]


def described(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Names beside their texts; above them where a line is too short for that."""
    lines = [line for lines in laid_out(rows, width) for line in lines]
    if max(map(len, lines)) <= width:
        return lines
    indent = " " * 4
    room = max(width, _LEAST)
    return [
        line
        for name, text in rows
        for line in (
            name.rstrip(),
            *textwrap.wrap(
                text, room, initial_indent=indent, subsequent_indent=indent, break_long_words=False
            ),
        )
    ]


def _widths(rows: Sequence[Sequence[str]], width: int | None) -> list[int]:
    columns = list(zip(*rows, strict=True))
    natural = [max(map(len, cells)) for cells in columns]
    if width is None:
        return natural
    words = [max((len(word) for cell in cells for word in cell.split()), default=0) for cells in columns]
    least = [max(word, min(whole, _LEAST)) for word, whole in zip(words, natural, strict=True)]
    room = width - _GAP * (len(columns) - 1)
    if sum(least) > room:
        return natural
    widths = list(natural)
    while sum(widths) > room:
        widths[max(range(len(widths)), key=lambda at: widths[at] - least[at])] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    cells = [
        [cell]
        if len(cell) <= width
        else textwrap.wrap(cell, width, break_long_words=False, break_on_hyphens=False)
        for cell, width in zip(row, widths, strict=True)
    ]
    return [
        (" " * _GAP).join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip_longest(*cells, fillvalue="")
    ]
