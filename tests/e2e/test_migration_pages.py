"""The pages on migration: what they name of other tools is there, and PyOxidizer's project is built as it stands and moved over.

What the pages on PyInstaller and Nuitka do is done in test_pages.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from program import REPOSITORY
from reader import Reader

MIGRATE = REPOSITORY / "docs" / "migrate"
LOCK = REPOSITORY / "bench" / "requirements.lock"
# What starts each, and what it consists of.
PEERS = {
    "pyinstaller.md": ("PyInstaller", ("pyinstaller", "pyinstaller-hooks-contrib", "altgraph", "packaging", "setuptools")),
    "nuitka.md": ("nuitka", ("nuitka",)),
}  # fmt: skip


def test_pyoxidizer(tmp_path: Path) -> None:
    reader = Reader(tmp_path, folder=tmp_path)
    reader.follow((MIGRATE / "pyoxidizer.md").read_text(encoding="utf-8"))


def told(module: str, parts: tuple[str, ...], folder: Path) -> str:
    """What ``--help`` of the tool says, in the version that is measured."""
    rows = re.findall(
        r"^([\w-]+)(==.*?)(?=^\w|\Z)", LOCK.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    wanted = "".join(name + rest for name, rest in rows if name in parts)
    (folder / "requirements.txt").write_text(wanted, encoding="utf-8")
    line = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*line, "--target", folder / "peer", "-r", folder / "requirements.txt"], check=True)
    environment = {**os.environ, "PYTHONPATH": str(folder / "peer")}
    asked = [sys.executable, "-m", module, "--help"]
    return subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout


def unknown(text: str, page: str) -> list[str]:
    """The flags in a page's table and comments, and their words, that a help text does not have."""
    spans = [
        span
        for row in re.findall(r"^\| (`.*) \| ", page, re.MULTILINE)
        for span in re.findall(r"`([^`]+)`", row)
    ]
    spans += re.findall(r"# (?:nuitka-project: )?(--\S+)", page)
    missing = []
    for span in spans:
        flag, _, value = span.partition("=")
        if flag.startswith("--"):
            word = f'"{value}"' if flag in {"--mode", "--python-flag"} else ""
            there = re.search(rf"(?<!\S){flag.split()[0]}(?![\w-])", text) and word in text
            missing += [] if there else [span]
    return missing


@pytest.mark.parametrize("page", PEERS)
def test_options(page: str, tmp_path: Path) -> None:
    """Those on the left are the tool's."""
    found = told(*PEERS[page], tmp_path)
    text = (MIGRATE / page).read_text(encoding="utf-8")
    assert not unknown(found, text)


def test_options_that_there_are_not() -> None:
    text = '--name=NAME  its name\n--mode=MODE  "one" or "folder"; not "another", though\n--names  others\n'
    assert not unknown(text, "| `--name`, `--mode=one` | |\n# nuitka-project: --mode=folder\n")
    page = "| `--nam`, `--mode=two` | `name` |\n# --name\n# nuitka-project: --main=a\n"
    assert unknown(text, page) == ["--nam", "--mode=two", "--main=a"]
