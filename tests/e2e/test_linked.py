"""Extension modules that are built from source and linked in do what those of wheels do in an environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import APPS, build, oxcross, reference_python

from oxcross import elf, targets

Project = Callable[..., Path]
TARGETS = ("linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl")
PARTS = ("used", "looks", "versions")  # of what the application says, by distribution
MOST = "linux-x64-musl"  # which has all of the packages

pytestmark = pytest.mark.usefixtures("emulated")


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the test application, with its lock."""
    folder = tmp_path_factory.mktemp("linked") / "linked"
    shutil.copytree(APPS / "linked", folder)
    return folder


@pytest.fixture(scope="module")
def expected(application: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the application says in a virtual environment, of wheels."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([reference_python(), "-I", "-m", "venv", "--without-pip", folder / "made"], check=True)
    lock = tomllib.loads((application / "oxcross.lock").read_text(encoding="utf-8"))
    requirements = folder / "requirements.txt"
    requirements.write_text("\n".join(lock["targets"][MOST]["requirements"]), encoding="utf-8")
    python = folder / "made" / "bin" / "python"
    line = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*line, "--only-binary", ":all:", "--python", python, "-r", requirements], check=True)
    return _run([str(python), str(application / "linked.py")])


def _run(command: list[str]) -> dict[str, Any]:
    # The module `random` of the C library's locale and the hash seed must not show.
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    printed, brace, document = done.stdout.partition("{")
    found: dict[str, Any] = json.loads(brace + document)
    return {**found, "printed": printed}


def _having(expected: dict[str, Any], distributions: set[str]) -> dict[str, Any]:
    """What is expected with these distributions only."""
    return {
        part: {name: one for name, one in found.items() if name in distributions} if part in PARTS else found
        for part, found in expected.items()
    }


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_as_in_an_environment(application: Path, expected: dict[str, Any], target: str) -> None:
    lock = (application / "oxcross.lock").read_bytes()
    executable = build(application, target=target)
    assert (application / "oxcross.lock").read_bytes() == lock, "oxcross.lock is not the committed one"
    row = targets.get(target)
    found = _run([*row.runner, str(executable)])
    assert found == _having(expected, set(found["versions"]))
    assert set(expected["versions"]) - set(found["versions"]) == (set() if target == MOST else {"frozenlist"})
    file = elf.Elf(executable.read_bytes())
    assert file.arch == row.arch
    assert (file.interpreter is None) == row.static
    assert bool(file.needed) == (not row.static)


def test_inspect_names_them(application: Path) -> None:
    executable = build(application, target="linux-x64-musl")
    done = oxcross("inspect", str(executable), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    linked = {module["name"] for module in report["modules"] if module["kind"] == "linked"}
    assert {"markupsafe._speedups", "simplejson._speedups", "yaml._yaml", "regex._regex"} <= linked
    assert not any(module["kind"] == "extension" for module in report["modules"])
    licences = {one["name"]: one["licence"] for one in (*report["libraries"], *report["distributions"])}
    assert licences["libyaml"] == "MIT"
    assert licences["MarkupSafe"] == "BSD-3-Clause"
    text = oxcross("inspect", str(executable)).stdout
    assert "linked in" in text


def test_an_edit_links_nothing_anew(application: Path) -> None:
    before = build(application, target="linux-x64-musl").read_bytes()
    script = application / "linked.py"
    text = script.read_text(encoding="utf-8")
    try:
        script.write_text(f"{text}# changed\n", encoding="utf-8")
        done = oxcross(
            "build", "--project", str(application), "--targets", "linux-x64-musl", "--json", "--verbose"
        )
        assert done.returncode == 0, done.stderr
        assert "building" not in done.stderr
    finally:
        script.write_text(text, encoding="utf-8")
    assert build(application, target="linux-x64-musl").read_bytes() == before


def test_compressed(application: Path, expected: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    shutil.copytree(application, folder, ignore=shutil.ignore_patterns("build"))
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(
        text.replace("[tool.oxcross]\n", '[tool.oxcross]\ncompression = "zstd"\n'), encoding="utf-8"
    )
    found = _run([str(build(folder))])
    assert found == _having(expected, set(found["versions"]))


def test_some_are_linked_in_and_others_loaded(project: Project) -> None:
    folder = project("linked", link='["markupsafe", "simplejson"]')
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(text.replace('link = "static"\n', ""), encoding="utf-8")
    done = oxcross("inspect", str(build(folder)), "--json")
    kinds = {module["name"]: module["kind"] for module in json.loads(done.stdout)["modules"]}
    assert kinds["markupsafe._speedups"] == kinds["simplejson._speedups"] == "linked"
    assert kinds["regex._regex"] == kinds["yaml._yaml"] == "extension"


def test_what_cannot_be_linked_in(project: Project) -> None:
    folder = project("linked")
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8").replace('"frozenlist"', '"pydantic-core", "numpy"')
    assert "numpy" in text
    configuration.write_text(text, encoding="utf-8")
    done = oxcross("build", "--project", str(folder), "--targets", "linux-x64-musl")
    assert done.returncode == 4
    for words in (
        "pydantic-core",
        "its build needs maturin (Rust)",
        "numpy",
        "its build needs meson-python (Meson)",
        "linux-x64, which loads the extension modules of wheels",
    ):
        assert words in done.stderr
    assert "Traceback" not in done.stderr
