"""Not test_arithmetic.py: the tests of oxcross must not find it."""

import pytest


@pytest.fixture
def number():
    return 3


def test_right(number, tmp_path):
    assert number == 3 and tmp_path.is_dir()


def test_wrong(number):
    values = [1, number]
    assert values == [1, 2]
