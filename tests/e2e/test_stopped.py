"""oxcross stopped by SIGTERM and SIGHUP, as CI systems and terminals that close stop it: nothing is left, and the same again goes on."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import disturbed
import faults
import publishing
import pytest
from disturbed import ENVIRONMENT, Place
from program import REPOSITORY, build, oxcross

from oxcross.store import Store

Project = Callable[..., Path]
STEP = "linux-x64/launcher"
SIGNALS = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the common store (hard links)."""
    folder = tmp_path_factory.mktemp("stopped") / "store"
    done = oxcross("cache", "copy", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def store(copied: Path) -> Path:
    """A store that has everything but what the step makes."""
    with Store(copied) as opened:
        for item in opened.entries():
            if item.name == STEP:
                opened.discard(item.path)
    return copied


def start(
    *words: str, env: Mapping[str, str] | None = None, before: tuple[str, ...] = ()
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "oxcross", *words],
        cwd=REPOSITORY,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def building(process: subprocess.Popen[str]) -> None:
    """Wait until the step is being built."""
    assert process.stderr
    line = ""
    while line != f"building  {STEP}\n":
        line = process.stderr.readline()
        assert line, "it ended without building that step"


def nothing_left(store: Path) -> None:
    """No process that names the store, no temporary folder in it, no lock that is held."""
    running = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if os.fsencode(store) in (line := path.read_bytes()):
                running.append(line)
    assert running == []
    assert list((store / "tmp").iterdir()) == []
    for path in (store / "locks").iterdir():
        with path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def containers(pid: int) -> list[str]:
    """The containers of that oxcross which are left on this machine's daemon."""
    done = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", f"label=oxcross={pid}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize("sent", SIGNALS)
@pytest.mark.parametrize("engine", ["local", "docker"])
def test_a_step(project: Project, store: Path, engine: str, sent: signal.Signals) -> None:
    """Sent three times: what comes after the first does not disturb the cleaning up."""
    folder = project("hello")
    env = {"OXCROSS_STORE": str(store)}
    process = start("build", "--project", str(folder), "--engine", engine, env=env)
    building(process)
    time.sleep(0.2)
    for _ in range(3):
        process.send_signal(sent)
        time.sleep(0.02)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + sent, said
    assert said.endswith(f"stopped by {sent.name}\n")
    assert "Traceback" not in said
    nothing_left(store)
    if engine == "docker":
        assert containers(process.pid) == []
    elif sent == signal.SIGTERM:
        built = build(folder, "--engine", engine, env=env)
        assert subprocess.run([built], capture_output=True, check=True).stdout == b"hello world\n"


def test_a_terminal_that_closes(project: Project, store: Path) -> None:
    """Progress is drawn on it, and whatever is said afterwards goes nowhere."""
    folder = project("hello")
    pid, terminal = pty.fork()
    if pid == 0:
        line = [sys.executable, "-m", "oxcross", "build", "--project", str(folder), "--engine", "local"]
        os.chdir(REPOSITORY)
        os.execve(line[0], line, {**os.environ, "OXCROSS_STORE": str(store), "TERM": "xterm"})  # noqa: S606
    seen = b""
    while f"build {STEP}".encode() not in seen:
        seen += os.read(terminal, 1024)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    nothing_left(store)


def test_nohup(project: Project, store: Path) -> None:
    """Who wants it to outlive the terminal gets that."""
    folder = project("hello")
    env = {"OXCROSS_STORE": str(store)}
    process = start("build", "--project", str(folder), "--engine", "local", env=env, before=("nohup", "--"))
    building(process)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("stopped"), {}) as place:
        yield place


@pytest.mark.parametrize("sent", SIGNALS)
@pytest.mark.parametrize("at", [3, 12])
def test_a_publisher(place: Place, tmp_path: Path, sent: signal.Signals, at: int) -> None:
    """Before an answer that does not come: it ends at once, what is there is sound, and the same again publishes all."""
    name = f"app{at}-{sent.name.lower()}"
    contents = publishing.contents(at, large=True)
    made = publishing.make(
        tmp_path / name, name, "1.0", place.proxy.address, contents, settings={"timeout": 60}
    )
    line = ("publish", "--project", str(made.root), "--channel", "stable")
    env = {**ENVIRONMENT, "XDG_STATE_HOME": str(tmp_path / "state")}
    place.proxy.reset(faults.from_on(at, faults.HANG), 0)
    process = start(*line, env=env)
    while len(place.proxy.log) <= at:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    begun = time.monotonic()
    for _ in range(3):
        process.send_signal(sent)
    _, said = process.communicate(timeout=50)
    assert time.monotonic() - begun < 10
    assert process.returncode == 128 + sent, said
    assert said.endswith(f"stopped by {sent.name}\n")
    assert "Traceback" not in said
    releases = {"1.0": [made]}
    assert publishing.violations(place.client, made.layout, {}, releases, list(place.proxy.log)) == []
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    again = oxcross(*line, env=env)
    assert again.returncode == 0, again.stderr
    assert publishing.violations(place.client, made.layout, {}, releases, list(place.proxy.log)) == []
    assert publishing.unfinished(place.client, made.layout) == []
