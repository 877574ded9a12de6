"""``oxidized_importer`` in an executable: what PyOxidizer documents of it, and pkg_resources beside it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from program import APPS, build

SOURCE = APPS / "oxidized"
CHECKS = [
    "documented",
    "own_finder",
    "own_resources",
    "attributes",
    "indexed",
    "distributions",
    "paths",
    "collected",
    "interpreter",
    "archives",
    "packages",
    "distutils",
]


@pytest.fixture(scope="session")
def executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oxidized") / "oxidized"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", "build"))
    return build(folder)


@pytest.mark.parametrize("check", CHECKS)
def test_oxidized_importer(executable: Path, check: str) -> None:
    done = subprocess.run([executable, check], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
