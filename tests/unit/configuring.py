"""Projects written for a test, and what is wrong with them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from oxcross import project as projects
from oxcross.errors import ConfigErrors
from oxcross.project import Project

Write = Callable[..., Path]

HEAD = '[project]\nname = "app"\nversion = "1.0"\n'


def writer(folder: Path) -> Write:
    """A function that writes a project into ``folder``: the text below [project], and further files by path."""

    def make(text: str, *, head: str = HEAD, **files: str) -> Path:
        (folder / "pyproject.toml").write_text(head + textwrap.dedent(text), encoding="utf-8")
        for name, content in {"app.py": "def main(): ...\n", **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return folder

    return make


def load(folder: Path) -> Project:
    return projects.load(folder)


def errors(folder: Path) -> list[str]:
    """Every error of a project, as the user reads it."""
    with pytest.raises(ConfigErrors) as caught:
        projects.load(folder)
    assert caught.value.exit_code == 3
    return [str(error) for error in caught.value.errors]


def error(folder: Path) -> str:
    found = errors(folder)
    assert len(found) == 1, found
    return found[0]
