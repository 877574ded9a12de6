"""The documentation's pages, done as they stand there: settings set, files written, commands run, what they print compared."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import prepared
import pytest
from pages import pattern
from program import REPOSITORY
from reader import PROJECT, set_in
from tools import need

DOCS = REPOSITORY / "docs"
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("a\n", "b\n"), ("a …\n", "b c\n"), ("…\na\n", "b\n"), ("a\n", "a\nb\n"), ("a\nb\n", "a\n"), ("a …\n", "a\nb\n")],
)  # fmt: skip
def test_other_output_is_found(shown: str, printed: str) -> None:
    assert not re.fullmatch(pattern(shown), printed)


def test_the_same_output_is_taken() -> None:
    assert re.fullmatch(pattern("…\na  … c\n…\n"), "x\ny\n  a b c\n")


def test_settings_are_set(tmp_path: Path) -> None:
    project = tmp_path / PROJECT
    project.write_text('[project]\nname = "a"\n[tool.oxcross]\ntargets = ["linux-x64"]\n', encoding="utf-8")
    set_in(project, 'targets = ["win-x64"]\ndata = [{ from = "a", to = "b" }]\n')
    set_in(project, '[tool.oxcross.windows]\nicon = "a.ico"\n')
    table = {"targets": ["win-x64"], "data": [{"from": "a", "to": "b"}], "windows": {"icon": "a.ico"}}
    assert tomllib.loads(project.read_text(encoding="utf-8")) == {
        "project": {"name": "a"},
        "tool": {"oxcross": table},
    }


PAGES: dict[str, prepared.Preparation] = {
    "configuration.md": prepared.project,
    "guide/application.md": prepared.project,
    "guide/analyze.md": prepared.project,
    "guide/cache.md": prepared.builder,
    "guide/ci.md": prepared.with_invoke,
    "guide/extension-modules.md": prepared.project,
    "guide/licences.md": prepared.project,
    "guide/releases.md": prepared.bucket,
    "guide/reproduce.md": prepared.repository,
    "guide/signing.md": prepared.signer,
    "migrate/nuitka.md": prepared.project,
    "migrate/pyinstaller.md": prepared.project,
}


@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, tmp_path: Path) -> None:
    with PAGES[page](tmp_path) as reader:
        reader.follow((DOCS / page).read_text(encoding="utf-8"))


def test_readme(tmp_path: Path) -> None:
    """What it begins with is done by test_invoke.py; here the project is a reader's own."""
    with prepared.project(tmp_path) as reader:
        reader.follow(own_section())


def own_section() -> str:
    """README's section for those who have an application."""
    return README.partition("\n## Your application\n")[2].partition("\n## ")[0]


def test_the_page_on_shells(tmp_path: Path) -> None:
    """And what it has written into their files is heard."""
    need(zsh="zsh", fish="fish")
    with prepared.project(tmp_path) as reader:
        reader.follow((DOCS / "guide" / "shell.md").read_text(encoding="utf-8"))
        assert reader.type("zsh -i -c 'print $_comps[oxcross]'") == "_oxcross_complete\n"
        assert "--print-completion-script" in reader.type("fish -c 'complete -C \"oxcross --pr\"'")
