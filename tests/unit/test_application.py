"""What goes in of a project that nothing builds a wheel of."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest

from oxcross import project as projects
from oxcross.collect import application, wheel
from oxcross.store import Store

PROJECT = """\
[project]
name = "my.app"
version = "1.2"
description = "Does things"
requires-python = ">=3.11"
license = "MIT"
dependencies = ["six>=1.16", 'docopt; python_version < "3.9"']

[project.scripts]
my-app = "myapp.cli:main"

[project.entry-points."my.plugins"]
one = "myapp.cli"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


def lay(folder: Path, text: str = PROJECT) -> Path:
    (folder / "myapp").mkdir(parents=True)
    (folder / "myapp" / "__init__.py").touch()
    (folder / "myapp" / "cli.py").write_text("def main(): ...\n", encoding="utf-8")
    (folder / "LICENSE").write_text("Do what you like.\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def distribution(folder: Path, files: dict[str, bytes]) -> importlib.metadata.Distribution:
    """What Python says of files that are installed in a folder."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    [information] = folder.glob("*.dist-info")
    return importlib.metadata.Distribution.at(information)


def test_metadata_are_those_of_a_wheel(tmp_path: Path, store: Store) -> None:
    """Of one that setuptools builds, as pip has it do where nothing is said (PEP 517)."""
    project = projects.load(lay(tmp_path / "project"))
    files = application.installed(project, application.tree(project))
    ours = distribution(tmp_path / "ours", {path: entry.read() for path, entry in files.items()})
    theirs = distribution(tmp_path / "theirs", dict(wheel.build(project.root, store).files))
    for side in (ours, theirs):
        assert (side.name, side.version) == ("my.app", "1.2")
    for field in (
        "Summary",
        "Requires-Python",
        "License-Expression",
        "License-File",
        "Requires-Dist",
    ):
        assert ours.metadata.get_all(field) == theirs.metadata.get_all(field), field
    assert sorted(ours.entry_points) == sorted(theirs.entry_points)
    assert len(list(ours.entry_points)) == 2
    listed = {str(path) for path in ours.files or ()}
    assert listed == files.keys()
    assert "my_app-1.2.dist-info/licenses/LICENSE" in listed
    for path in ours.files or ():
        assert path.hash is None or path.size == len(path.read_binary())


def test_without_entry_points_there_are_none(tmp_path: Path) -> None:
    head = PROJECT.partition("[project.scripts]")[0]
    root = lay(tmp_path, f'{head}[tool.oxcross]\nrun-module = "myapp.cli"\n')
    project = projects.load(root)
    files = application.tree(project)
    assert application.installed(project, files) == files
    assert "myapp/cli.py" in files
