"""The local engine, in namespaces and without: what a step sees, cannot do, and leaves behind."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stepping import ISOLATED, appears, gone, inputs, job, look_around

from oxcross import engine as engines
from oxcross import trees
from oxcross.engine import local, namespaces
from oxcross.engine.local import LocalEngine
from oxcross.errors import ToolError, UsageError


@pytest.fixture(params=["namespaces", "plain"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalEngine]:
    monkeypatch.setenv("OXCROSS_LOCAL", request.param)
    made = LocalEngine()
    made.prepare(["manylinux"])
    assert made.mode == request.param
    yield made
    made.close()


def test_what_a_step_sees(engine: LocalEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the caller")
    before = os.umask(0o077)
    try:
        look_around(engine, tmp_path)
    finally:
        os.umask(before)


def test_what_a_step_cannot_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXCROSS_LOCAL", "namespaces")
    with job(tmp_path / "job", "set -x\n" + ISOLATED, inputs(tmp_path)) as made:
        status = LocalEngine().run(made)
    assert status == 0, (tmp_path / "job" / "log").read_text()


def test_a_plain_step_cannot_change_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXCROSS_LOCAL", "plain")
    script = 'chmod -R u+w "$IN"; echo x >>"$IN/file"; echo x >"$IN/tree/deep/file"; rm "$IN/tree/link"'
    with job(tmp_path / "job", script, inputs(tmp_path)) as made:
        assert LocalEngine().run(made) == 0
    assert (tmp_path / "source").read_text() == "content\n"
    assert (tmp_path / "stored" / "deep" / "file").read_text() == "deep\n"
    assert (tmp_path / "stored" / "link").is_symlink()


def test_exit_status(engine: LocalEngine, tmp_path: Path) -> None:
    with job(tmp_path / "a", "exit 7\n") as made:
        assert engine.run(made) == 7
    with job(tmp_path / "b", "kill -TERM $$\n") as made:
        assert engine.run(made) == (143 if engine.mode == "namespaces" else -15)
    with job(tmp_path / "c", "no-such-tool\n") as made:
        assert engine.run(made) == 127
    assert "no-such-tool: not found" in (tmp_path / "c" / "log").read_text()


def test_nothing_stays_behind(engine: LocalEngine, tmp_path: Path) -> None:
    word = f"7{os.getpid()}.1"
    with job(tmp_path / "job", f"sleep {word} & :\n") as made:
        assert engine.run(made) == 0
    assert gone(word)


def test_stop_ends_running_steps(engine: LocalEngine, tmp_path: Path) -> None:
    word = f"7{os.getpid()}.2"
    statuses: list[int] = []
    with job(tmp_path / "job", f"sleep {word} & sleep {word}\n") as made:
        thread = threading.Thread(target=lambda: statuses.append(engine.run(made)))
        thread.start()
        assert appears(word)
        engine.stop()
        thread.join(10)
    assert statuses
    assert statuses[0] < 0 or statuses[0] == 137
    assert gone(word)
    with job(tmp_path / "later", ":\n") as made:
        assert engine.run(made) < 0
        engine.prepare([])
        assert engine.run(made) == 0


@pytest.mark.parametrize("mode", ["namespaces", "plain"])
def test_steps_die_with_us(mode: str, tmp_path: Path) -> None:
    word = f"7{os.getpid()}.3"
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from stepping import job
from oxcross.engine.local import LocalEngine
with job(Path({str(tmp_path / "job")!r}), "sleep {word} & sleep {word}\\n") as made:
    LocalEngine().run(made)
"""
    child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "OXCROSS_LOCAL": mode})
    assert appears(word)
    child.kill()
    child.wait()
    assert gone(word)


def test_a_shell_on_a_terminal(engine: LocalEngine, tmp_path: Path) -> None:
    """Typed into, as a person does; it sees the step's environment and can run its script."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        try:
            with job(tmp_path / "job", 'echo "scripted $OWN" | tee "$OUT/made"\n') as made:
                os._exit(engine.shell(made))
        finally:
            os._exit(99)
    os.write(terminal, b'echo "in:$ROOT:$OWN"; sh $ROOT/script; exit 5\n')
    seen = b""
    while select.select([terminal], [], [], 20)[0]:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the terminal's other side is closed
            break
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    root = "/oxcross" if engine.mode == "namespaces" else str(tmp_path / "job")
    assert f"in:{root}:a 'b' $c".encode() in seen
    assert os.waitstatus_to_exitcode(status) == 5, seen
    assert (tmp_path / "job" / "out" / "made").read_text() == "scripted a 'b' $c\n"


def test_an_ordinary_user_gets_namespaces() -> None:
    """As root the test becomes somebody else for it; else it is an ordinary user already."""
    place = Path(tempfile.mkdtemp(prefix="oxcross-user-"))
    ours, theirs = os.pipe()
    if (pid := os.fork()) == 0:  # pragma: no cover - the child
        try:
            if os.getuid() == 0:
                os.chown(place, 12345, 12345)
                os.setgroups([])
                os.setgid(12345)
                os.setuid(12345)
            os.write(theirs, str(namespaces.refusal(place)).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    os.waitpid(pid, 0)
    with os.fdopen(ours, "rb") as answer:
        assert answer.read() == b"None"
    trees.remove(place)


def test_missing_tools_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "_PATH", str(tmp_path))
    assert namespaces.refusal(tmp_path) == "not installed: unshare, setpriv, mount, umount, pivot_root"
    told: list[str] = []
    monkeypatch.delenv("OXCROSS_LOCAL", raising=False)
    assert LocalEngine(notice=told.append).mode == "plain"
    assert "not installed: unshare" in told[0]
    monkeypatch.setenv("OXCROSS_LOCAL", "namespaces")
    with pytest.raises(ToolError, match="not installed: unshare"):
        LocalEngine().prepare([])


def test_missing_host_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local.missing_tools() == []
    monkeypatch.setattr(local, "HOST_TOOLS", {"make": "make", "no-tclsh": "tcl", "no-xz": "xz-utils"})
    with pytest.raises(ToolError) as caught:
        LocalEngine().prepare(["manylinux"])
    assert str(caught.value).startswith("this machine lacks no-tclsh, no-xz\n  apt-get install tcl xz-utils")
    assert caught.value.exit_code == 7


def test_choosing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'docker'"):
        engines.choose("dokcer")
    assert engines.choose("local").name == "local"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    told: list[str] = []
    assert engines.choose("auto", notice=told.append).name == "local"
    assert "docker does not answer" in told[0]
    with pytest.raises(ToolError, match="--engine local") as caught:
        engines.choose("docker")
    assert "No such file" in caught.value.message
