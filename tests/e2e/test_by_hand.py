"""Releases are checked without oxcross as docs/guide/signing.md says: its commands, as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import publishing
import pytest
from pages import blocks
from program import REPOSITORY
from tools import need

from oxcross.publish.minisign import SecretKey

KEY = SecretKey.generate()
PLACEHOLDER = re.compile(r"^key=RWQ….*$", re.MULTILINE)


def commands(tool: str) -> str:
    """The page's commands that check a release with that tool, and the project's key in them."""
    page = (REPOSITORY / "docs" / "guide" / "signing.md").read_text(encoding="utf-8")
    found = [block.text for block in blocks(page) if block.kind == "sh" and PLACEHOLDER.search(block.text)]
    [text] = [one for one in found if tool in one.splitlines()[1]]
    return PLACEHOLDER.sub(f"key={KEY.public}", text)


def run(tool: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = ["sh", "-e", "-c", commands(tool)]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """What a user downloads of a release: not all of it."""
    made = publishing.make(
        tmp_path / "project",
        "myapp",
        "1.0",
        "http://127.0.0.1:9",
        publishing.contents(1, large=False),
        secret=KEY,
    )
    folder = tmp_path / "download"
    folder.mkdir()
    for name in ("SHA256SUMS", "SHA256SUMS.minisig", "myapp-1.0-linux-x64"):
        shutil.copy(made.folder / name, folder)
    return folder


TOOLS = ("minisign", "openssl")


@pytest.mark.parametrize("tool", TOOLS)
def test_a_release_is_what_it_says(tool: str, download: Path) -> None:
    need(minisign="minisign", openssl="openssl", sha256sum="coreutils")
    done = run(tool, download)
    assert done.returncode == 0, done.stderr
    assert "rusted comment: myapp 1.0 SHA256SUMS" in done.stdout


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("file", ["myapp-1.0-linux-x64", "SHA256SUMS", "SHA256SUMS.minisig"])
def test_a_changed_file(tool: str, file: str, download: Path) -> None:
    content = bytearray((download / file).read_bytes())
    content[-4 if file == "SHA256SUMS.minisig" else 5] ^= 1
    (download / file).write_bytes(content)
    assert run(tool, download).returncode != 0


@pytest.mark.parametrize("tool", TOOLS)
def test_somebody_elses_signature(tool: str, download: Path) -> None:
    other = SecretKey(KEY.identifier, bytes(32))
    content = (download / "SHA256SUMS").read_bytes()
    (download / "SHA256SUMS.minisig").write_text(other.sign(content, "myapp 1.0 SHA256SUMS"))
    assert run(tool, download).returncode != 0


def test_another_versions_comment(download: Path) -> None:
    """minisign shows the comment; the commands for OpenSSL compare it."""
    content = (download / "SHA256SUMS").read_bytes()
    (download / "SHA256SUMS.minisig").write_text(KEY.sign(content, "myapp 0.9 SHA256SUMS"))
    assert run("openssl", download).returncode != 0
    shown = run("minisign", download)
    assert "Trusted comment: myapp 0.9 SHA256SUMS" in shown.stdout
