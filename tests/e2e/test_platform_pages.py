"""The pages on platforms, done as they stand there. What a page can only name is prepared: another machine, certificates, Apple."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from program import REPOSITORY
from reader import Reader
from test_pages import example

PLATFORMS = REPOSITORY / "docs" / "platforms"

pytestmark = pytest.mark.usefixtures("emulated")


def read(page: str) -> str:
    return (PLATFORMS / page).read_text(encoding="utf-8")


def other_machine(reader: Reader) -> None:
    """The pages' other machine, by ssh: it is this one, whose kernel runs programs of every target but Windows."""
    lines = {"scp": 'cp "$2" "$HOME/${3#*:}"', "ssh": 'shift; cd "$HOME"; exec sh -c "$*"'}
    for name, line in lines.items():
        (reader.tools / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (reader.tools / name).chmod(0o755)


def test_targets(tmp_path: Path) -> None:
    reader = Reader(tmp_path, folder=example(tmp_path / "myapp"))
    other_machine(reader)
    reader.follow(read("targets.md"))


def test_linux(tmp_path: Path) -> None:
    image = f"oxcross-test-page-{os.getpid()}"
    own = {"--tag myapp": f"--tag {image}", "--rm myapp": f"--rm {image}"}
    text = read("linux.md")
    for shown, done in own.items():
        assert shown in text
        text = text.replace(shown, done)
    reader = Reader(tmp_path, folder=example(tmp_path / "myapp"))
    try:
        reader.follow(text)
    finally:
        subprocess.run(["docker", "image", "rm", "--force", image], check=True, capture_output=True)
