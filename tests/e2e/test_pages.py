"""The documentation's pages, done as they stand there: settings set, files written, commands run, what they print compared."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pages import pattern
from program import REPOSITORY
from reader import PROJECT, Reader, set_in

DOCS = REPOSITORY / "docs"


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


def example(folder: Path) -> Path:
    """The project of somebody who reads a page: a program ``myapp``, without a word about oxcross."""
    (folder / "src" / "myapp").mkdir(parents=True)
    (folder / "src" / "myapp" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "src" / "myapp" / "cli.py").write_text(
        "import sys\n\n\ndef main() -> None:\n    print('myapp', *sys.argv[1:])\n", encoding="utf-8"
    )
    (folder / PROJECT).write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
        '[project]\nname = "myapp"\nversion = "1.0"\nrequires-python = ">=3.11"\n\n'
        '[project.scripts]\nmyapp = "myapp.cli:main"\n',
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize("page", ["migrate/nuitka.md", "migrate/pyinstaller.md"])
def test_page(page: str, tmp_path: Path) -> None:
    """Those of commands that any project will do for."""
    reader = Reader(tmp_path, folder=example(tmp_path / "myapp"))
    reader.follow((DOCS / page).read_text(encoding="utf-8"))
