"""Fixtures of the end-to-end tests: real builds through the real program, in the user's own store.

The store lies outside the checkout, so what one test (or an earlier run) built serves the next.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import installing
import pytest
from program import APPS, build
from spreading import (  # noqa: F401 (hooks of pytest's)
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_xdist_auto_num_workers,
)

from oxcross import targets

# A shell's background job ignores SIGINT, and so would every program that the tests start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is remembered of channels is the tests' own."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """A function that copies one of the test applications to a folder of its own.

    Keyword arguments are lines added below ``[tool.oxcross]``: ``project("hello", compression='"zstd"')``.
    """

    def copy(name: str, **settings: str) -> Path:
        folder = tmp_path / "project" / name
        shutil.copytree(APPS / name, folder, ignore=shutil.ignore_patterns("build", "dist", "oxcross.lock"))
        configuration = folder / "pyproject.toml"
        lines = "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in settings.items())
        text = configuration.read_text(encoding="utf-8")
        configuration.write_text(
            text.replace("[tool.oxcross]\n", "[tool.oxcross]\n" + lines), encoding="utf-8"
        )
        return folder

    return copy


@pytest.fixture(scope="session")
def emulated() -> None:
    """Programs of every target's processor run here, also those that an executable starts: binfmt_misc(5)."""
    advice = "run the lines of .ci/run that have to do with QEMU and the loader"
    for row in targets.load().values():
        entry = Path("/proc/sys/fs/binfmt_misc") / f"qemu-{row.arch}"
        foreign = row.runner and row.os == "linux"
        assert not foreign or entry.exists(), f"the kernel runs no {row.arch} programs: {advice}"
        prefix = Path("/etc/qemu-binfmt") / row.arch / "lib"  # where QEMU looks for their dynamic linker
        assert not foreign or prefix.is_dir(), f"{prefix} is missing: {advice}"
    loader = Path("/proc/sys/fs/binfmt_misc/oxcross-macho")
    assert loader.exists(), f"the kernel runs no programs for macOS: {advice}"


@pytest.fixture(scope="session")
def install_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[installing.Place]:
    """Releases with an install.sh, made once."""
    with installing.running(tmp_path_factory.mktemp("install")) as place:
        yield place


@pytest.fixture(scope="session")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hello-world executable, built once."""
    folder = tmp_path_factory.mktemp("hello") / "hello"
    shutil.copytree(APPS / "hello", folder)
    return build(folder)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers every GET with a small JSON document."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "agent": self.headers["User-Agent"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[Callable[[ssl.SSLContext | None], int]]:
    """A function that starts an HTTP(S) server on the loopback interface and returns its port."""
    running: list[http.server.ThreadingHTTPServer] = []

    def start(context: ssl.SSLContext | None = None) -> int:
        listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        if context is not None:
            listener.socket = context.wrap_socket(listener.socket, server_side=True)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        running.append(listener)
        return int(listener.server_address[1])

    yield start
    for listener in running:
        listener.shutdown()
        listener.server_close()
