"""What a manifest says of the build: the same on every machine, and read again with care."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from configuring import Write, load, writer
from gits import git, repository

import oxcross
from oxcross.build import Artifact
from oxcross.publish import buildinfo, dist


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "app").mkdir()
    return writer(tmp_path / "app")


def released(root: Path, into: Path) -> dict[str, Any]:
    """The manifest of a release of an executable that is only a few bytes."""
    project = load(root)
    path = into / "executable"
    path.write_bytes(b"executable")
    artifact = Artifact(
        target="linux-x64",
        path=path,
        sha256=hashlib.sha256(b"executable").hexdigest(),
        size=10,
        seconds=1.0,
        steps={"linux-x64/cpython": "1" * 64, "linux-x64/launcher": "2" * 64},
    )
    done = dist.release(
        into / "dist",
        project.name,
        project.version,
        [artifact],
        [buildinfo.addition(project)],
    )
    manifest: dict[str, Any] = json.loads((done.path / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def test_in_a_repository(write: Write, tmp_path: Path) -> None:
    root = write('[tool.oxcross]\nrun-file = "app.py"\n')
    (root / "oxcross.lock").write_text("version = 1\n", encoding="utf-8")
    head = repository(tmp_path)
    (root / "build").mkdir()
    build = released(root, root / "build")["build"]
    assert build == {
        "oxcross": oxcross.__version__,
        "source": {"commit": head, "path": "app", "dirty": False},
        "config": hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest(),
        "lock": hashlib.sha256(b"version = 1\n").hexdigest(),
        "steps": {"linux-x64": {"linux-x64/cpython": "1" * 64, "linux-x64/launcher": "2" * 64}},
    }


def test_the_same_of_every_clone(write: Write, tmp_path: Path) -> None:
    root = write('[tool.oxcross]\nrun-file = "app.py"\n')
    repository(root)
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    found = []
    for folder, name in ((root, "one"), (tmp_path / "clone", "two")):
        (tmp_path / name).mkdir()
        found.append(released(folder, tmp_path / name))
    assert found[0] == found[1]


def test_outside_of_a_repository(write: Write, tmp_path: Path) -> None:
    manifest = released(write('[tool.oxcross]\nrun-file = "app.py"\n'), tmp_path)
    assert manifest["build"]["source"] is None
    assert manifest["build"]["lock"] is None
    found = buildinfo.parse(manifest)
    assert found
    assert found.source is None
    assert found.steps["linux-x64"]["linux-x64/launcher"] == "2" * 64


GOOD: dict[str, Any] = {
    "oxcross": "1.0",
    "source": {"commit": "a" * 40, "path": "sub", "dirty": False},
    "config": "b" * 64,
    "lock": None,
    "steps": {"linux-x64": {"linux-x64/launcher": "c" * 64}},
}


def test_parse() -> None:
    found = buildinfo.parse({"build": GOOD})
    assert found
    assert found.source
    assert found.source.document() == GOOD["source"]
    assert buildinfo.parse({}) is None
    assert buildinfo.parse({"build": []}) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("commit", "--output=/etc/passwd"),
        ("commit", "HEAD"),
        ("commit", "a" * 41),
        ("path", "../other"),
        ("path", "/etc"),
        ("path", None),
    ],
)
def test_what_git_must_not_be_asked(key: str, value: object) -> None:
    bad = copy.deepcopy(GOOD)
    bad["source"][key] = value
    assert buildinfo.parse({"build": bad}) is None
