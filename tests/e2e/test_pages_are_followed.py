"""No page has commands that no test types, save those that are counted here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import Block, blocks
from program import HERE
from test_pages import DOCS, PAGES, README, own_section

ALL = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")}
SHELLS = {
    "bash",
    "bat",
    "console",
    "fish",
    "powershell",
    "shell",
    "zsh",
}  # with a title, a file that a reader writes
# Commands that a page shows and no reader of the tests' types: for another terminal, which a test has; for systems that are not here.
ELSEWHERE = [
    ("guide/releases.md", "powershell", ""),
    ("tutorial.md", "sh", "in another terminal, in the folder of s3.json"),
]


def typed(text: str) -> list[Block]:
    return [block for block in blocks(text) if block.kind == "sh" and not block.title]


def followers(page: str) -> Iterator[Path]:
    """The files of tests that read pages and name this one."""
    names = f'"{page}"', f'"{Path(page).name}"'
    for path in HERE.glob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        reads = re.search(r"^from (?:pages|reader) import", text, re.MULTILINE)
        if reads and path != Path(__file__) and any(name in text for name in names):
            yield path


@pytest.mark.parametrize("page", [page for page, text in ALL.items() if typed(text) and page not in PAGES])
def test_a_page_with_commands_has_a_test(page: str) -> None:
    assert list(followers(page)), f"no test follows docs/{page}"


def test_the_table_has_nothing_else() -> None:
    assert PAGES.keys() <= {page for page, text in ALL.items() if typed(text)}


def test_readme_has_no_other_commands() -> None:
    """Its first block is test_invoke.py's, those of one section test_pages.py's."""
    assert typed(README)[1:] == typed(own_section())


def test_what_is_not_typed() -> None:
    found = [
        (page, block.kind, block.title)
        for page, text in sorted(ALL.items())
        for block in blocks(text)
        if (block.kind == "sh") == bool(block.title) and block.kind in {"sh", *SHELLS}
    ]
    assert found == ELSEWHERE


@pytest.mark.parametrize("page", ALL)
def test_every_block_is_read(page: str) -> None:
    """One that the reader's pattern passes over would be followed by nobody."""
    assert 2 * len(blocks(ALL[page])) == len(re.findall(r"^ *```", ALL[page], re.MULTILINE))
