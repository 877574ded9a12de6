"""docs/tutorial.md, done as it stands there: its files written, its commands run in their order, what they print compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from program import REPOSITORY
from s3server import free_ports, weed

from oxcross.store import default_root

PAGE = REPOSITORY / "docs" / "tutorial.md"
FENCE = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
SERVER = "127.0.0.1:8333"  # on the page; another one in the test
READY_SECONDS = 60.0


def pattern(shown: str) -> str:
    """What the page shows as a regular expression: a line of "…" is any lines, "…" in one any text, one space several."""
    found = ""
    for line in shown.splitlines():
        if line == "…":
            found += r"(?:.*\n)*"
            continue
        words = ["[ ]+".join(map(re.escape, part.split())) for part in line.split("…")]
        found += ".*".join(words).join(("[ ]*", "[ ]*\\n"))
    return found


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("a\n", "b\n"), ("a …\n", "b c\n"), ("…\na\n", "b\n"), ("a\n", "a\nb\n"), ("a\nb\n", "a\n"), ("a …\n", "a\nb\n")],
)  # fmt: skip
def test_other_output_is_found(shown: str, printed: str) -> None:
    assert not re.fullmatch(pattern(shown), printed)


def test_the_same_output_is_taken() -> None:
    assert re.fullmatch(pattern("…\na  … c\n…\n"), "x\ny\n  a b c\n")


@contextmanager
def serving(line: str, folder: Path, port: int, path: str) -> Iterator[None]:
    """The page's server, with ports that nobody else has."""
    parts = [f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")]
    ports = dict(zip(parts, free_ports(len(parts)), strict=True)) | {"s3.port": port}
    aside = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-ip.bind=127.0.0.1"]
    words = [*line.split(), *(f"-{part}={number}" for part, number in ports.items()), *aside]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )  # fmt: skip
    try:
        end = time.monotonic() + READY_SECONDS
        while not _answers(port):
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")[-4000:]
            assert time.monotonic() < end, (folder / "log").read_text(encoding="utf-8")[-4000:]
            time.sleep(0.2)
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        return answer.code == 403
    except OSError:
        return False
    return True


def test_the_tutorial(tmp_path: Path) -> None:
    """In a home of its own, with the user's store."""
    tools, home = tmp_path / "bin", tmp_path / "home"
    tools.mkdir()
    home.mkdir()
    program = f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m oxcross "$@"\n'
    (tools / "oxcross").write_text(program, encoding="utf-8")
    (tools / "oxcross").chmod(0o755)
    (tools / "weed").symlink_to(weed())
    path = f"{tools}:{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"HOME": str(home), "PATH": path, "OXCROSS_STORE": str(default_root()), "PWD": str(tmp_path)}
    # Each block runs in a shell that goes on where the one before was: its variables and its folder.
    state = tmp_path / "state"
    state.write_text(f'export PWD="{tmp_path}"\n', encoding="utf-8")
    [port] = free_ports(1)
    blocks = FENCE.findall(PAGE.read_text(encoding="utf-8").replace(SERVER, f"127.0.0.1:{port}"))
    [(server, config)] = [
        (text, blocks[at - 1]) for at, (kind, title, text) in enumerate(blocks) if kind == "sh" and title
    ]
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "s3.json").write_text(config[2], encoding="utf-8")
    assert Path(config[1]).name == "s3.json"
    with serving(server, folder, port, path):
        done = _follow(blocks, state, env, tmp_path / "greet")
    assert done == sum(kind == "sh" and not title for kind, title, _ in blocks)


def _follow(blocks: Sequence[tuple[str, str, str]], state: Path, env: dict[str, str], project: Path) -> int:
    """Write the files, run the commands; how many blocks of them."""
    printed, done = "", 0
    for kind, title, text in blocks:
        if kind == "text":
            assert re.fullmatch(pattern(text), printed), f"the page shows\n{text}\nand it is\n{printed}"
        elif kind != "sh":
            (project / title).write_text(text, encoding="utf-8")
        elif not title:
            script = f'. "{state}"\ncd "$PWD"\n{text}export -p > "{state}"\n'
            ran = subprocess.run(
                ["sh", "-e", "-c", script], cwd=state.parent, env=env, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=900, check=False,
            )  # fmt: skip
            assert ran.returncode == 0, f"{text}\n{ran.stdout}\n{ran.stderr}"
            printed = ran.stdout
            done += 1
    return done
