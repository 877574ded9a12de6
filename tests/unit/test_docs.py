"""The documentation: its commands are tasks and flags that there are, its settings valid, its links lead somewhere, and it can be built."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from parsing import parse
from pydantic import ValidationError

from oxcross.config import reference, schema
from oxcross.errors import UsageError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
}
RIGHT = [
    page for page in PAGES if page != "docs/errors.md"
]  # tests/e2e/test_errors_page.py does what stands there
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(?:[A-Z_]+=\S+ )*oxcross ([a-z-][^`\n]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
ELSEWHERE = ("https://", "http://")
PLACEHOLDER = "RWQ…"  # a public key


def commands(text: str) -> Iterator[str]:
    """oxcross's own commands on a page, in its blocks and its text, without the program's name."""
    for kind, block in FENCE.findall(text):
        for line in block.splitlines() if kind == "sh" else ():
            for one in re.split(r"\|\|? |&& |> |\$\(|<\(", line.partition(" #")[0]):
                if found := re.match(r"(?:[A-Z_]+=\S+ )*oxcross (.+)", one):
                    yield found[1].rstrip(") ")
    for one in INLINE.findall(FENCE.sub("", text)):
        yield one if re.search(r"[^a-z ]", one) else f"{one} --help"  # a task's name, without what it needs


def snippets(text: str) -> Iterator[str]:
    """The blocks of a page with settings."""
    for kind, block in FENCE.findall(text):
        if kind == "toml":
            yield block


def valid(block: str) -> None:
    """ValidationError for settings that there are not."""
    block = block.replace(PLACEHOLDER, "RW" + "A" * 54).replace("m0Zq…=", "A" * 43 + "=")
    # A block that begins with keys is about [tool.oxcross].
    document = tomllib.loads(block if block.startswith("[") else f"[tool.oxcross]\n{block}")
    schema.Config.model_validate(document.get("tool", {}).get("oxcross", {}))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as MkDocs and the forges make them."""
    found = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("page", RIGHT)
def test_commands(page: str) -> None:
    for line in commands(PAGES[page].read_text(encoding="utf-8")):
        parse(line)


@pytest.mark.parametrize("line", ["biuld", "build --nothing", "cache rpune", "promote", "inspect a b"])
def test_a_command_that_there_is_not(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line)


def test_commands_are_found() -> None:
    lines = [
        "A=1 oxcross build --push   # a word",
        "source <(oxcross --list)",
        "oxcross check > a && oxcross targets || b",
    ]
    text = "\n".join(["`oxcross run` or", "```sh", *lines, "```", ""])
    assert list(commands(text)) == ["build --push", "--list", "check", "targets", "run --help"]
    found = [one for page in RIGHT for one in commands(PAGES[page].read_text(encoding="utf-8"))]
    assert len(found) > 120


@pytest.mark.parametrize("page", RIGHT)
def test_settings(page: str) -> None:
    for block in snippets(PAGES[page].read_text(encoding="utf-8")):
        valid(block)


def test_settings_that_there_are_not() -> None:
    with pytest.raises(ValidationError):
        valid('[tool.oxcross]\ncompresion = "zstd"\n')
    with pytest.raises(ValidationError):
        valid("optimize = 3\n")


@pytest.mark.parametrize("page", PAGES)
def test_links(page: str) -> None:
    path = PAGES[page]
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if link.startswith(ELSEWHERE):
            continue
        file, _, anchor = link.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.is_file(), f"{page}: {link}"
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), f"{page}: {link}"


def test_places() -> None:
    """What the architecture names lies there."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    found = re.findall(r"`([\w./-]+(?:/|\.py|\.toml|\.h))`", text)
    assert len(found) > 20
    assert not [one for one in found if not ((ROOT / one).exists() or (ROOT / "oxcross" / one).exists())]


def test_the_reference_is_made_of_the_models() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == reference.page(), "run ./invoke docs"


def test_it_can_be_built(tmp_path: Path) -> None:
    """Without a warning, and of nothing that lies elsewhere."""
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "site").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        fetched = re.findall(
            r"<(?:script|img|iframe)[^>]* src=\"?([^\" >]+)|<link[^>]* href=\"?([^\" >]+)", text
        )
        assert not [one for pair in fetched for one in pair if one.startswith(ELSEWHERE)], path.name
