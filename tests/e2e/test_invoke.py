"""`./invoke` in a fresh clone: it makes its own environment, from locked files, says what it lacks, and does what README begins with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pages import blocks
from program import REPOSITORY


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows, as they are in the work tree."""
    folder = tmp_path_factory.mktemp("fresh clone") / "oxcross"
    known = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in known.decode().rstrip("\0").split("\0"):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


def invoke(clone: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VIRTUAL_ENV")}
    return subprocess.run(
        [str(clone / "invoke"), *arguments],
        cwd="/",
        env={**environment, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture
def poor_python(tmp_path: Path) -> str:
    """A Python without ensurepip, as Debian's python3 is without python3-venv."""
    script = tmp_path / "poor-python"
    script.write_text(
        f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"\n', encoding="utf-8"
    )
    script.chmod(0o755)
    return str(script)


def test_without_venv(clone: Path, poor_python: str) -> None:
    done = invoke(clone, "targets", PYTHON=poor_python)
    assert done.returncode == 7
    assert "apt-get install python3-venv" in done.stderr
    assert not (clone / ".venv").exists()


def test_without_python(clone: Path) -> None:
    done = invoke(clone, "targets", PYTHON="no-such-python")
    assert done.returncode == 7
    assert "no Python 3.11 or later found as PYTHON=no-such-python" in done.stderr


def test_fresh_clone(clone: Path) -> None:
    running = [
        subprocess.Popen([str(clone / "invoke"), "targets"], cwd="/", stdout=subprocess.PIPE, text=True)
        for _ in range(2)  # two first runs at once
    ]
    for process in running:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0
        assert output.startswith("target ")
    begun = time.monotonic()
    done = invoke(clone, "targets")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - begun < 10  # nothing is installed again
    where = subprocess.run(
        [str(clone / ".venv/bin/python"), "-c", "import oxcross; print(oxcross.__file__)"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.strip() == str(clone / "oxcross/__init__.py")


def test_changed_lock(clone: Path) -> None:
    lock = clone / "requirements-dev.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    done = invoke(clone, "--version")
    assert done.returncode == 0
    assert "making" in done.stderr
    assert done.stdout.startswith("oxcross ")


def test_what_readme_begins_with(clone: Path) -> None:
    """The first of its commands is run, the second is CI's, and this test is part of it."""
    first = blocks((REPOSITORY / "README.md").read_text(encoding="utf-8"))[0].text.splitlines()
    release, checks = (line.partition("#")[0].split() for line in first)
    assert release[0] == checks[0] == "./invoke"
    done = invoke(clone, *release[1:], "--project", str(clone))
    assert done.returncode == 0, done.stderr
    [executable] = (clone / "dist").glob("oxcross/*/oxcross-*-linux-x64")
    said = subprocess.run([str(executable), "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("oxcross ")
    ci = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in ci if line.split()[: len(checks)] == checks]
