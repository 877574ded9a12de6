"""docs/tutorial.md, done as it stands there: its files written, its commands run in their order, what they print compared."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pages import Block, blocks, pattern, program
from program import REPOSITORY
from s3server import free_ports, weed

from oxcross.store import default_root

PAGE = REPOSITORY / "docs" / "tutorial.md"
SERVER = "127.0.0.1:8333"  # on the page; another one in the test
READY_SECONDS = 60.0


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
    program(tools)
    (tools / "weed").symlink_to(weed())
    path = f"{tools}:{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"HOME": str(home), "PATH": path, "OXCROSS_STORE": str(default_root()), "PWD": str(tmp_path)}
    # Each block runs in a shell that goes on where the one before was: its variables and its folder.
    state = tmp_path / "state"
    state.write_text(f'export PWD="{tmp_path}"\n', encoding="utf-8")
    [port] = free_ports(1)
    found = blocks(PAGE.read_text(encoding="utf-8").replace(SERVER, f"127.0.0.1:{port}"))
    [at] = [at for at, block in enumerate(found) if block.kind == "sh" and block.title]
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / Path(found[at - 1].title).name).write_text(found[at - 1].text, encoding="utf-8")
    with serving(found[at].text, folder, port, path):
        done = _follow(found, state, env, tmp_path / "greet")
    assert done == sum(block.kind == "sh" and not block.title for block in found)


def _follow(found: Sequence[Block], state: Path, env: dict[str, str], project: Path) -> int:
    """Write the files, run the commands; how many blocks of them."""
    printed, done = "", 0
    for block in found:
        if block.kind == "text":
            assert re.fullmatch(pattern(block.text), printed), (
                f"the page shows\n{block.text}\nand it is\n{printed}"
            )
        elif block.kind != "sh":
            (project / block.title).write_text(block.text, encoding="utf-8")
        elif not block.title:
            script = f'. "{state}"\ncd "$PWD"\n{block.text}export -p > "{state}"\n'
            ran = subprocess.run(
                ["sh", "-e", "-c", script], cwd=state.parent, env=env, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=900, check=False,
            )  # fmt: skip
            assert ran.returncode == 0, f"{block.text}\n{ran.stdout}\n{ran.stderr}"
            printed = ran.stdout
            done += 1
    return done
