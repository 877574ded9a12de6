"""Quirks: what a line is compiled as, for which versions, and what quirks.toml may not say."""

from __future__ import annotations

import pytest

from oxcross.collect import quirks
from oxcross.errors import OxcrossError

ONE = '[[quirk]]\npath = "a/b.py"\nold = "x = f()"\nnew = "x = 1"\nwhy = "f cannot be right"\n'


def test_known_quirks_change_one_line() -> None:
    for path, quirk in quirks.known().items():
        source = f"first = 1\n{quirk.old}\nlast = 2\n".encode()
        assert quirks.compiled(path, source) == f"first = 1\n{quirk.new}\nlast = 2\n".encode()
        assert quirks.compiled(f"other/{path}", source) == source


@pytest.mark.parametrize("count", [0, 2])
def test_another_version_is_compiled_as_it_is(count: int) -> None:
    path, quirk = next(iter(quirks.known().items()))
    source = f"{quirk.old}\n".encode() * count
    assert quirks.compiled(path, source) == source


def test_a_quirk_is_read() -> None:
    assert quirks.parse(ONE, "quirks.toml") == {
        "a/b.py": quirks.Quirk("a/b.py", "x = f()", "x = 1", "f cannot be right")
    }


@pytest.mark.parametrize(
    "text",
    [
        ONE.replace("why = ", "reason = "),
        ONE.replace('"x = 1"', "1"),
        ONE.replace('"x = 1"', '"x = f() or 1"'),
        ONE.replace('"x = 1"', '"""x =\n1"""'),
        ONE.replace('"x = 1"', '""'),
        ONE + ONE,
    ],
)
def test_what_is_no_quirk_is_refused(text: str) -> None:
    with pytest.raises(OxcrossError, match=r"^quirks\.toml: "):
        quirks.parse(text, "quirks.toml")
