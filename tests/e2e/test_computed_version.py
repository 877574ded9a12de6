"""A project that asks for its own version: one that its build backend knows only, from version control, and one that nothing builds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from gits import commit, git, repository
from program import oxcross

PROJECT = """\
[build-system]
requires = ["setuptools==80.9.0", "setuptools-scm==9.2.2"]
build-backend = "setuptools.build_meta"

[project]
name = "tagged"
dynamic = ["version"]
scripts = { tagged = "tagged:main" }

[tool.setuptools_scm]
"""
CODE = """\
import importlib.metadata


def main():
    print(importlib.metadata.version("tagged"))
"""


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A project at its tag 1.2, without a word about oxcross."""
    folder = tmp_path / "tagged"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (folder / "tagged.py").write_text(CODE, encoding="utf-8")
    (folder / ".gitignore").write_text("build/\ndist/\n*.egg-info/\n", encoding="utf-8")
    repository(folder)
    git(folder, "tag", "v1.2")
    return folder


def done(*arguments: str) -> Any:
    ran = oxcross(*arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def said(executable: str) -> str:
    return subprocess.run([executable], check=True, capture_output=True, text=True).stdout.strip()


def test_a_release_is_that_of_the_tag(tagged: Path) -> None:
    """In the name of the release and inside; a build of another machine is the same."""
    project = ("--project", str(tagged))
    [artifact] = done("build", *project)["artifacts"]
    assert said(artifact["path"]) == "1.2"
    commit(tagged)  # oxcross.lock
    git(tagged, "tag", "v1.3")
    document = done("release", *project)
    assert (document["version"], Path(document["path"]).name) == ("1.3", "1.3")
    assert said(str(tagged / "dist" / "tagged" / "1.3" / "tagged-1.3-linux-x64")) == "1.3"
    again = done("reproduce", "1.3", *project)
    assert {row["state"] for row in again["files"]} == {"equal"}


def test_the_store_that_is_named_has_its_wheel(tagged: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    ran = oxcross("build", "--dry-run", "--project", str(tagged), "--store", str(store))
    assert ran.returncode == 0, ran.stderr
    kinds = [path.name for path in (store / "entries").iterdir()]
    assert len([name for name in kinds if name.startswith("wheel-")]) == 1


def test_without_a_build_system(tagged: Path) -> None:
    """What [project] says is what the program finds."""
    (tagged / "pyproject.toml").write_text(
        '[project]\nname = "tagged"\nversion = "2.0"\nscripts = { tagged = "tagged:main" }\n',
        encoding="utf-8",
    )
    [artifact] = done("build", "--project", str(tagged))["artifacts"]
    assert said(artifact["path"]) == "2.0"
