"""`oxcross explain`: every section of docs/errors.md by its name, and every error names one that there is."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminals import on_a_terminal

from oxcross import cli, errors, explain, rooms
from oxcross.errors import ConfigError, ConfigErrors, OxcrossError, UsageError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = explain.sections()
NAMES = {one.name: one for one in SECTIONS}
PARTICULAR = {one.name for one in SECTIONS if one.level == 3}
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, OxcrossError) and "exit_code" in vars(kind)
}


def named() -> Iterator[tuple[str, str]]:
    """What the code calls with a section's name, and the name."""
    for path in (ROOT / "oxcross").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_bytes())):
            given = {word.arg: word.value for word in call.keywords} if isinstance(call, ast.Call) else {}
            match call, given.get("page"):
                case ast.Call(func=callee), ast.Constant(value=str(name)):  # machines have pages, too
                    yield ast.unparse(callee), name


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["explain", *words]) == 0
    return capsys.readouterr().out


def test_names_are_the_anchors_of_the_page() -> None:
    line = [sys.executable, "-m", "markdown", "-x", "toc", "-x", "fenced_code", str(ROOT / "docs/errors.md")]
    html = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert re.findall(r'<h[23] id="([^"]*)"', html) == [one.name for one in SECTIONS]
    assert len(NAMES) == len(SECTIONS)


def test_raised_errors_and_sections_name_each_other() -> None:
    calls = set(named())
    assert {name for _, name in calls} == PARTICULAR
    for callee, name in calls:
        assert callee not in KINDS or NAMES[name].kind == callee, f"{callee} says {name}"


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_class_has_its_section(kind: type[OxcrossError]) -> None:
    section = NAMES[kind("no").page]
    assert (section.status, section.kind, section.level) == (kind.exit_code, kind.__name__, 2)
    assert explain.find(str(kind.exit_code)) == section
    assert kind("no", page="a-warning").page == "a-warning"


def test_several_errors_have_the_section_of_all() -> None:
    one, other = ConfigError("a", page="no-project"), ConfigError("b", page="nothing-to-run")
    assert ConfigErrors([one, one]).page == "no-project"
    assert ConfigErrors([one, other]).page == ConfigError.page


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_section_is_printed(section: explain.Section, capsys: pytest.CaptureFixture[str]) -> None:
    printed = said(capsys, section.name)
    heading, _, text = printed.partition("\n\n")
    assert heading == f"{'#' * section.level} {section.title}"
    if section.level == 3:
        assert printed.rstrip("\n") in PAGE
        assert text.count("```sh") == 1
    else:
        own, _, below = text.partition("\n\nMet most often:\n\n")
        assert f"{heading}\n\n{own.rstrip()}\n" in PAGE
        listed = re.findall(r"^- `(\S+)`: ", below, re.MULTILINE)
        assert listed == [one.name for one in SECTIONS if one.level == 3 and one.status == section.status]
    assert json.loads(said(capsys, section.name, "--json")) == section.document()


def test_an_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "3") == said(capsys, "--name", "3-configerror")
    assert said(capsys, "130").startswith("## 130: stopped by Ctrl-C\n")


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = said(capsys).splitlines()
    assert re.split(" {2,}", head) == ["name", "exit status", "title"]
    assert [re.split(" {2,}", row) for row in rows] == [
        [one.name, str(one.status), one.title] for one in SECTIONS
    ]
    found = json.loads(said(capsys, "--json"))["errors"]
    assert [row["name"] for row in found] == list(NAMES)
    assert {"name", "exit-status", "kind", "title", "text"} == set(found[0])
    kinds = {row["exit-status"]: row["kind"] for row in found}
    assert (kinds[1], kinds[3], kinds[130]) == ("OxcrossError", "ConfigError", None)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("no-projct", "did you mean 'no-project'?"), ("clean", "`oxcross explain` lists"), ("0", "lists")],
)
def test_a_name_that_there_is_not(name: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", name]) == UsageError.exit_code  # also where the word is a task's name
    seen = capsys.readouterr()
    assert seen.out == ""
    assert f"nothing to explain by the name {name!r}\n" in seen.err
    assert hint in seen.err


def test_a_code_block_has_no_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "# Errors\n\n## 3: ConfigError\n\n```sh\n## a comment\n```\n\n### One\n\nText.\n"
    monkeypatch.setattr(rooms, "errors_page", lambda: page)
    assert [one.name for one in explain.sections()] == ["3-configerror", "one"]
    assert "## a comment" in explain.find("3").text


def test_on_a_terminal() -> None:
    line = [sys.executable, "-W", "error", "-m", "oxcross", "explain", "nothing-to-run"]
    drawn = on_a_terminal(line)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", drawn)
    assert plain != drawn
    assert "pyproject.toml:" in plain
    assert "[tool.oxcross]" in plain
    assert "```" not in plain
    coloured = re.compile(r"\x1b\[([0-9]+;)*[349][0-9][;m]")
    assert coloured.search(drawn)
    assert not coloured.search(on_a_terminal(line, {"NO_COLOR": "1"}))
    assert "```" in on_a_terminal(line, {"TERM": "dumb"})
