"""The boxes of a treemap: areas as the numbers, nothing overlaps, all within the room."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcross.cost.treemap import Box, squarify

NUMBERS = st.lists(st.integers(1, 10**9), min_size=1, max_size=60).map(
    lambda ones: sorted(ones, reverse=True)
)


@given(NUMBERS, st.integers(10, 2000), st.integers(10, 2000))
def test_areas_are_as_the_numbers_and_fill_the_room(numbers: list[int], width: int, height: int) -> None:
    boxes = squarify(numbers, Box(5, 7, width, height))
    assert len(boxes) == len(numbers)
    for number, box in zip(numbers, boxes, strict=True):
        share = number / sum(numbers)
        assert box.width * box.height == pytest.approx(share * width * height, rel=1e-3, abs=1e-3)
        assert box.x >= 5 - 1e-6
        assert box.y >= 7 - 1e-6
        assert box.x + box.width <= 5 + width + 1e-3
        assert box.y + box.height <= 7 + height + 1e-3
    for one, other in itertools.combinations(boxes, 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert min(across, down) < 1e-3


def test_the_example_of_the_paper() -> None:
    boxes = squarify([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))
    assert [tuple(round(number, 2) for number in box) for box in boxes[:4]] == [
        (0, 0, 3, 2),
        (0, 2, 3, 2),
        (3, 0, 1.71, 2.33),
        (4.71, 0, 1.29, 2.33),
    ]


def test_nothing_to_draw() -> None:
    assert squarify([], Box(0, 0, 9, 9)) == []
    assert squarify([1, 1], Box(2, 3, 0, 9)) == [Box(2, 3, 0, 0)] * 2
    assert Box(0, 0, 4, 4).inside(1, 9) == Box(1, 9, 2, 0)
