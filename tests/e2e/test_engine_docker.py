"""The docker engine against the real daemon: what a step sees and cannot do, and what is left behind.

A relay between us and the daemon's socket stands for a daemon that goes away.
"""

from __future__ import annotations

import gc
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from docker import APIClient
from recording import Recorder, pin
from stepping import ISOLATED, inputs, job, look_around

from oxcross import executor
from oxcross.engine import choose, leftovers
from oxcross.engine.docker import DockerEngine, connect
from oxcross.engine.local import LocalEngine
from oxcross.errors import BuildError, ToolError
from oxcross.fetch import Fetcher
from oxcross.plan import Plan, Step, Tree
from oxcross.store import Store

SOCKET = "/var/run/docker.sock"
KILLED = "of an oxcross that was killed"  # what is told of a container that is removed


@pytest.fixture
def engine() -> Iterator[DockerEngine]:
    made = connect(print)
    made.prepare(["manylinux"])
    yield made
    made.close()


@pytest.fixture
def api() -> Iterator[APIClient]:
    made = APIClient(base_url=f"unix://{SOCKET}", version="auto")
    yield made
    made.close()


def containers(api: APIClient, pid: int) -> list[str]:
    return [found["Id"] for found in api.containers(all=True, filters={"label": f"oxcross={pid}"})]


def appears(api: APIClient, pid: int) -> bool:
    """Whether a step of that process comes to run; the engine's probe of the daemon, over at once, is none."""
    for _ in range(400):
        found = api.containers(filters={"label": f"oxcross={pid}"})
        if any(one["State"] == "running" and one["Command"].endswith("/script") for one in found):
            return True
        time.sleep(0.05)
    return False


def vanish(api: APIClient, pid: int) -> bool:
    """Whether that process's containers come to an end; who is told that a removal has begun does not wait for its end."""
    for _ in range(200):
        if not containers(api, pid):
            return True
        time.sleep(0.05)
    return False


class Relay:
    """A socket that passes everything on to the daemon until it is cut."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            theirs = socket.socket(socket.AF_UNIX)
            theirs.connect(SOCKET)
            self._open += [ours, theirs]
            for source, target in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def cut(self) -> None:
        self.path.unlink(missing_ok=True)
        for end in (self._listener, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.mark.parametrize("binds", [True, False])
def test_what_a_step_sees(engine: DockerEngine, tmp_path: Path, binds: bool) -> None:
    """With bind mounts, and with inputs uploaded as to a daemon on another machine."""
    assert engine._binds
    engine._binds = binds
    before = os.umask(0o077)
    try:
        (tmp_path / "caller").mkdir()
        os.umask(0o022)  # inputs come from the store, which normalises them
        look_around(engine, tmp_path / "caller")
    finally:
        os.umask(before)
    for path in (tmp_path / "caller" / "job" / "out").rglob("*"):
        assert path.lstat().st_uid == os.getuid()


@pytest.mark.parametrize("binds", [True, False])
def test_what_a_step_cannot_do(engine: DockerEngine, tmp_path: Path, binds: bool) -> None:
    engine._binds = binds
    with job(tmp_path / "job", "set -x\n" + ISOLATED, inputs(tmp_path)) as made:
        status = engine.run(made)
    assert status == 0, (tmp_path / "job" / "log").read_text()


def test_exit_status_and_no_container_left(engine: DockerEngine, api: APIClient, tmp_path: Path) -> None:
    with job(tmp_path / "a", "sleep 1000 & exit 7\n") as made:
        assert engine.run(made) == 7
    with job(tmp_path / "b", "no-such-tool\n") as made:
        assert engine.run(made) == 127
    assert "no-such-tool: not found" in (tmp_path / "b" / "log").read_text()
    assert containers(api, os.getpid()) == []


def test_images_are_made_once(engine: DockerEngine, api: APIClient) -> None:
    told: list[str] = []
    again = connect(told.append)
    again.prepare(["manylinux"])
    again.close()
    assert [line for line in told if KILLED not in line] == []


def test_stop_ends_running_steps(engine: DockerEngine, api: APIClient, tmp_path: Path) -> None:
    statuses: list[int] = []
    with job(tmp_path / "job", "sleep 1000\n") as made:
        thread = threading.Thread(target=lambda: statuses.append(engine.run(made)))
        thread.start()
        assert appears(api, os.getpid())
        engine.stop()
        thread.join(20)
    assert statuses[0] < 0
    assert containers(api, os.getpid()) == []


_RUN = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from recording import Recorder
from oxcross import executor
from oxcross.engine import choose
from oxcross.fetch import Fetcher
from oxcross.plan import Plan, Step
from oxcross.store import Store

with Store(Path({root!r})) as store:
    steps = [Step(name=f"t/{{n}}", script=f": {{n}}\\nsleep 1000\\n") for n in range(2)]
    engine = choose("docker")
    try:
        executor.run(Plan.of(steps), engine, store, Fetcher(store, [], Recorder()), Recorder(), 2)
    finally:
        engine.close()
"""


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)])
def test_signals_leave_no_container(
    engine: DockerEngine, api: APIClient, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    code = _RUN.format(path=sys.path, root=str(tmp_path / "store"))
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as child:
        assert appears(api, child.pid)
        child.send_signal(sent)
        assert child.wait(30) == status
        assert containers(api, child.pid) == []


def test_containers_of_the_killed_are_reaped(engine: DockerEngine, api: APIClient, tmp_path: Path) -> None:
    code = _RUN.format(path=sys.path, root=str(tmp_path / "store"))
    told: list[str] = []
    for _ in range(5):  # the oxcross of another test, at the same time, may be faster
        with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as child:
            assert appears(api, child.pid)
            connect(print).close()
            left = containers(api, child.pid)
            assert left  # its oxcross lives: not ours to remove
            child.kill()
        connect(told.append).close()
        assert vanish(api, child.pid)
        if f"docker: removing the container {left[0][:12]} {KILLED}" in told:
            return
    pytest.fail(f"somebody else removed them each time: {told}")


def test_two_at_once_remove_what_is_left(engine: DockerEngine, api: APIClient, tmp_path: Path) -> None:
    code = _RUN.format(path=sys.path, root=str(tmp_path / "store"))
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as child:
        assert appears(api, child.pid)
        child.kill()
    failed: list[Exception] = []

    def reap() -> None:
        own = APIClient(base_url=f"unix://{SOCKET}", version="auto")
        try:
            leftovers.reap(own, lambda _: None)
        except Exception as error:  # noqa: BLE001 (whatever it is)
            failed.append(error)
        own.close()

    threads = [threading.Thread(target=reap) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert vanish(api, child.pid)


def test_whose_containers_are_left() -> None:
    mine = leftovers.labels()
    assert not leftovers.is_left(mine, running=True)
    assert not leftovers.is_left(mine, running=False)
    assert leftovers.is_left({**mine, "oxcross.started": "1"}, running=True)  # the pid is used again
    assert leftovers.is_left({**mine, "oxcross": "4194305"}, running=True)
    elsewhere = {**mine, "oxcross.boot": "another"}
    assert not leftovers.is_left(elsewhere, running=True)
    assert leftovers.is_left(elsewhere, running=False)


# docker's client leaves the socket of a refused connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_daemon_that_goes_away(tmp_path: Path, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_the_daemon(tmp_path, api, monkeypatch)
    gc.collect()


def lose_the_daemon(tmp_path: Path, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay(tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{relay.path}")
    first = Step(name="t/first", script='echo done >"$OUT/x"\n')
    second = Step(name="t/second", script="sleep 1000\n", inputs={"first": first})
    with Store(tmp_path / "store") as store:
        recorder = Recorder()
        fetcher = Fetcher(store, [], recorder, apt_folder=tmp_path)
        engine = choose("auto")
        assert engine.name == "docker"

        def cut() -> None:
            while "t/second" not in recorder.of("started") or not appears(api, os.getpid()):
                time.sleep(0.05)
            relay.cut()

        thread = threading.Thread(target=cut)
        thread.start()
        with pytest.raises(ToolError) as caught:
            executor.run(Plan.of([second]), engine, store, fetcher, recorder, 2)
        thread.join()
        assert "docker went away" in caught.value.message
        assert "--engine local" in str(caught.value)
        assert "finished steps are kept" in str(caught.value)
        assert store.has(first.key)
        assert list((store.root / "tmp").iterdir()) == []
        engine.close()
        with pytest.raises(ToolError, match="docker does not answer"):
            choose("docker")
    for container in containers(api, os.getpid()):  # ours, which we could no longer remove
        api.remove_container(container, force=True)


def test_a_failing_step_in_a_container(engine: DockerEngine, tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        fetcher = Fetcher(store, [], Recorder(), apt_folder=tmp_path)
        bad = Step(name="linux-x64/zlib", script="echo broken; exit 4\n")
        with pytest.raises(BuildError, match=r"exit status 4\n  \| broken"):
            executor.run(Plan.of([bad]), engine, store, fetcher, Recorder(), 1)


SAME = """set -eu
umask >"$OUT/umask"; mkdir -p "$OUT/a/b" && cp -R "$IN/files/." "$OUT/a"
tar -xzf "$IN/source" -C "$WORK" && cp -R "$WORK/made" "$OUT/"
ln -s ../umask "$OUT/a/link"; chmod 700 "$OUT/a/b"; printf '#!/bin/sh\\n' >"$OUT/run"; chmod 755 "$OUT/run"
perl -e 'print join(" ", sort keys %ENV), "\\n"' | sed 's/ PWD / /' >"$OUT/perl"
awk 'BEGIN { printf "%.3f %s\\n", 1 / 3, toupper("aä") }' >"$OUT/awk"
printf 'b\\na\\nB\\n' | sort >"$OUT/sorted"; date -u -d "@$SOURCE_DATE_EPOCH" >"$OUT/date"
echo "$ROOT" | sed "s,^$ROOT,/oxcross," >"$OUT/root"
"""


def test_every_engine_makes_the_same(
    engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engines, folders and umasks differ; the tree's digest does not."""
    (tmp_path / "made").mkdir(mode=0o700)
    (tmp_path / "made" / "tool").write_text("tool")
    (tmp_path / "made" / "tool").chmod(0o710)
    archive = shutil.make_archive(str(tmp_path / "source"), "gztar", tmp_path, "made")
    source = pin(Path(archive).read_bytes(), filename="source.tar.gz")
    step = Step(name="t/same", script=SAME, inputs={"files": Tree({"x/y": b"z"}), "source": source})
    digests: dict[str, str] = {}
    for mode, umask in (("docker", 0o022), ("namespaces", 0o077), ("plain", 0o002)):
        monkeypatch.setenv("OXCROSS_LOCAL", mode)
        before = os.umask(umask)
        with Store(tmp_path / f"store of {mode}") as store:
            fetcher = Fetcher(store, [str(tmp_path)], Recorder(), apt_folder=tmp_path)
            chosen = engine if mode == "docker" else LocalEngine()
            executor.run(Plan.of([step]), chosen, store, fetcher, Recorder(), 1)
            digests[mode] = store.digest(step.key)
        os.umask(before)
    assert len(set(digests.values())) == 1, digests


def test_a_shell_on_a_terminal(engine: DockerEngine, api: APIClient, tmp_path: Path) -> None:
    """Typed into, as a person does; it sees the step's environment and can run its script."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        try:
            with job(tmp_path / "job", 'echo "scripted $OWN"\n') as made:
                os._exit(connect(print).shell(made))
        finally:
            os._exit(99)
    seen = b""
    typed = False
    while select.select([terminal], [], [], 30)[0]:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the terminal's other side is closed
            break
        if not typed and b"$ " in seen:
            typed = True
            os.write(terminal, b'echo "in:$ROOT:$OWN"; sh $ROOT/script; exit 5\n')
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert b"in:/oxcross:a 'b' $c" in seen
    assert b"scripted a 'b' $c" in seen
    assert os.waitstatus_to_exitcode(status) == 5, seen
    assert containers(api, pid) == []
