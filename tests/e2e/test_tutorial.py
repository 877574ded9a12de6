"""docs/tutorial.md, done as it stands there: its files written, its commands run in their order, what they print compared."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from pages import blocks
from program import REPOSITORY
from reader import Reader
from s3server import free_ports, weed

PAGE = REPOSITORY / "docs" / "tutorial.md"
SERVER = "127.0.0.1:8333"  # on the page; another one in the test
READY_SECONDS = 60.0


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
    [port] = free_ports(1)
    text = PAGE.read_text(encoding="utf-8").replace(SERVER, f"127.0.0.1:{port}")
    reader = Reader(tmp_path, folder=tmp_path)
    (reader.tools / "weed").symlink_to(weed())
    [(settings, line)] = [pair for pair in pairwise(blocks(text)) if pair[1].kind == "sh" and pair[1].title]
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / Path(settings.title).name).write_text(settings.text, encoding="utf-8")
    with serving(line.text, folder, port, reader.environment["PATH"]):
        reader.follow(text)
