"""The tables of the pages on migration: what stands in oxcross's column is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from parsing import parse
from pydantic import ValidationError
from test_docs import DOCS, commands, valid

PAGES = ("nuitka.md", "pyinstaller.md")
OTHERS = {"tkinter"}  # what is named, and is no setting
_CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")
TABLES = {
    title.strip("[]"): set(re.findall(r"^\| \[?`([\w-]+)`", text, re.MULTILINE))
    for title, text in re.findall(
        r"^## `([^`]+)`\n(.*?)(?=^## |\Z)", _CONFIGURATION, re.DOTALL | re.MULTILINE
    )
}


def cells(page: str) -> list[str]:
    """oxcross's column of a page's table."""
    text = (DOCS / "migrate" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| .* \| (.*) \|$", text, re.MULTILINE)
    return [row for row in rows if row != "oxcross"]


def settings(cell: str) -> Iterator[tuple[str, str]]:
    """The settings that a cell names, each with its table: a key, or a key and its value, or "" for the table itself."""
    table = "tool.oxcross"
    for span in re.findall(r"`([^`]+)`", cell):
        if span in OTHERS or span.startswith("oxcross "):
            continue
        if found := re.fullmatch(r"\[([\w.-]+)\] ?(.*)", span):
            table = found[1]
            yield table, found[2]
        else:
            yield table, span


def check(table: str, setting: str) -> None:
    """AssertionError or ValidationError for a setting that there is not."""
    assert table in TABLES, table
    key, equals, _ = setting.partition(" = ")
    assert not key or key in TABLES[table], f"[{table}] {key}"
    if equals:
        valid(f"[{table}]\n{setting}\n")


@pytest.mark.parametrize("page", PAGES)
def test_settings(page: str) -> None:
    found = [one for cell in cells(page) for one in settings(cell)]
    assert len(found) > 15
    for table, setting in found:
        check(table, setting)


@pytest.mark.parametrize("page", PAGES)
def test_commands(page: str) -> None:
    for cell in cells(page):
        for line in commands(cell):
            parse(line)


@pytest.mark.parametrize(
    "cell", ["`nmae`", "`[tool.oxcross.window] icon`", "`[tool.oxcross.windows] icno`", "`optimize = 3`"]
)
def test_settings_that_there_are_not(cell: str) -> None:
    [(table, setting)] = settings(cell)
    with pytest.raises((AssertionError, ValidationError)):
        check(table, setting)
