"""Rectangles whose areas are as the numbers that they stand for, as near to squares as can be.

Source: Bruls, Huizing, van Wijk, "Squarified Treemaps", 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle: its upper left corner, width and height."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, edge: float, top: float) -> Box:
        """What is left of it within an edge, and a heading at its top."""
        return Box(
            self.x + edge,
            self.y + top,
            max(self.width - 2 * edge, 0.0),
            max(self.height - top - edge, 0.0),
        )


def squarify(numbers: Sequence[float], room: Box) -> list[Box]:
    """A box for each number, in their order; together they fill ``room``. The numbers are positive and descend."""
    boxes: list[Box] = []
    total = sum(numbers)
    if not total or room.width <= 0 or room.height <= 0:
        return [Box(room.x, room.y, 0.0, 0.0) for _ in numbers]
    scale = room.width * room.height / total
    areas = [number * scale for number in numbers]
    at = 0
    while at < len(areas):
        side = min(room.width, room.height)
        end, worst = at + 1, _worst(areas[at], areas[at], areas[at], side)
        row = areas[at]
        while end < len(areas):
            longer = row + areas[end]
            if (ratio := _worst(longer, areas[at], areas[end], side)) > worst:
                break
            row, worst, end = longer, ratio, end + 1
        room = _lay(areas[at:end], row, room, boxes)
        at = end
    return boxes


def _worst(row: float, most: float, least: float, side: float) -> float:
    """The greatest ratio of two sides of a box, in a row of this area along ``side``."""
    if not row or not least or not side:
        return float("inf")
    return max(side * side * most / (row * row), row * row / (side * side * least))


def _lay(areas: Sequence[float], row: float, room: Box, boxes: list[Box]) -> Box:
    """Put a row at the left or at the top of ``room``; what is left of it."""
    x, y = room.x, room.y
    if room.width >= room.height:
        width = min(row / room.height, room.width) if room.height else 0.0
        for area in areas:
            height = area / width if width else 0.0
            boxes.append(Box(x, y, width, height))
            y += height
        return Box(x + width, room.y, max(room.width - width, 0.0), room.height)
    height = min(row / room.width, room.height) if room.width else 0.0
    for area in areas:
        width = area / height if height else 0.0
        boxes.append(Box(x, y, width, height))
        x += width
    return Box(room.x, y + height, room.width, max(room.height - height, 0.0))
