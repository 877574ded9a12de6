"""Running plans with the local engine: what is built, what is not, failures, stops, two runs at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recording import Recorder, pin
from stepping import appears, gone

from oxcross import executor
from oxcross.engine import Job
from oxcross.engine.local import LocalEngine
from oxcross.errors import BuildError, SourceError, StoreError
from oxcross.fetch import Fetcher
from oxcross.plan import Plan, Step, Tree
from oxcross.store import Store

Run = Callable[..., dict[Step, Path]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def run(store: Store, recorder: Recorder, tmp_path: Path) -> Run:
    def go(*steps: Step, jobs: int = 2) -> dict[Step, Path]:
        fetcher = Fetcher(store, [str(tmp_path)], recorder, apt_folder=tmp_path)
        engine = LocalEngine()
        return executor.run(Plan.of(steps), engine, store, fetcher, recorder, jobs)

    return go


def step(name: str, script: str, **fields: object) -> Step:
    return Step(name=name, script=f"set -eu\n{script}\n", **fields)  # type: ignore[arg-type]


def busy(store: Store) -> list[str]:
    return [path.name for path in (store.root / "tmp").iterdir()]


def test_a_chain_is_built_once(run: Run, store: Store, recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "zlib-1.tar.gz").write_bytes(b"source")
    tool = step("t/tool", 'cp "$IN/src" "$OUT/copy"', inputs={"src": pin(b"source")})
    files = Tree({"main.c": b"int main", "sub/x.h": b"x"})
    app = step(
        "t/app",
        'cat "$IN/tool/copy" "$IN/files/main.c" "$IN/files/sub/x.h" >"$OUT/app"; echo "$JOBS"',
        inputs={"tool": tool, "files": files},
        outputs=("app",),
    )
    before = os.umask(0o077)
    made = run(app, jobs=3)
    os.umask(before)
    assert (made[app] / "app").read_text() == "sourceint mainx"
    assert recorder.of("built") == ["t/tool", "t/app"]
    assert recorder.of("fetched") == ["zlib"]
    assert store.log_path(app.key, app.name).read_text() == "3\n"
    assert busy(store) == []
    recorder.calls.clear()
    assert run(app)[app] == made[app]
    assert [call[0] for call in recorder.calls] == ["cached", "cached"]


def test_only_what_is_read_is_looked_at(run: Run, store: Store, recorder: Recorder) -> None:
    below = step("t/below", 'echo 1 >"$OUT/x"')
    above = step("t/above", 'cat "$IN/below/x" >"$OUT/y"', inputs={"below": below})
    run(above)
    (store.root / "entries" / below.key / "tree" / "x").write_text("damaged")
    recorder.calls.clear()
    assert above in run(above)
    assert recorder.of("built") == []
    other = step("t/other", 'cat "$IN/below/x" >"$OUT/z"', inputs={"below": below})
    run(other)  # what was damaged is noticed where it would be read, and made again
    assert recorder.of("built") == ["t/below", "t/other"]


def test_steps_run_side_by_side(run: Run, recorder: Recorder) -> None:
    """Both have begun before one has ended."""
    left, right = (step(f"t/{side}", f"sleep 1; echo {side}; : >$OUT/x") for side in ("left", "right"))
    run(left, right)
    assert [call[0] for call in recorder.calls[:2]] == ["started", "started"]


def test_failure_text(run: Run, store: Store, recorder: Recorder) -> None:
    bad = step("linux-x64/openssl", 'for i in $(seq 100); do echo "line $i"; done; echo boom >&2; exit 3')
    after = step("linux-x64/cpython", ":", inputs={"openssl": bad})
    with pytest.raises(BuildError) as caught:
        run(after)
    text = str(caught.value)
    assert "linux-x64/openssl: its script failed with exit status 3\n" in text
    assert text.count("\n  | ") == 30
    assert "| line 72\n" in text
    assert "| boom" in text
    assert str(store.log_path(bad.key, bad.name)) in text
    assert "oxcross shell --target linux-x64 --step openssl" in text
    assert recorder.of("failed") == ["linux-x64/openssl"]
    assert "linux-x64/cpython" not in recorder.of("started")
    assert not store.has(bad.key)
    assert busy(store) == []


def test_missing_outputs_are_a_failure(run: Run, store: Store) -> None:
    bad = step("t/bad", 'mkdir "$OUT/lib"', outputs=("lib/libz.a", "lib", "include"))
    with pytest.raises(BuildError, match=r"did not make lib/libz\.a, include"):
        run(bad)
    assert not store.has(bad.key)


def test_a_failure_stops_the_others(run: Run, store: Store, recorder: Recorder) -> None:
    word = f"8{os.getpid()}.1"
    begun = time.monotonic()
    with pytest.raises(BuildError, match="exit status 9"):
        run(step("t/slow", f"sleep {word}"), step("t/bad", "sleep 0.5; exit 9"))
    assert time.monotonic() - begun < 10
    assert gone(word)
    assert sorted(map(str, recorder.of("failed"))) == ["t/bad", "t/slow"]
    assert busy(store) == []


def test_a_source_that_cannot_be_had_comes_before_any_build(run: Run, recorder: Recorder) -> None:
    lib = step("t/lib", ":")
    with pytest.raises(SourceError):
        run(step("t/app", ":", inputs={"lib": lib, "src": pin(b"nowhere")}))
    assert recorder.of("started") == []


def test_a_full_disk_in_a_step_is_said_as_such(run: Run) -> None:
    with pytest.raises(StoreError, match="no space left on the device while t/app"):
        run(step("t/app", 'echo "cc: error: x.o: No space left on device" >&2; exit 1'))


def test_two_runs_build_once(store: Store, tmp_path: Path) -> None:
    once = step("t/once", 'sleep 0.5; date +%N >"$OUT/when"')
    recorders = [Recorder(), Recorder()]

    def go(recorder: Recorder) -> None:
        with Store(store.root) as own:
            fetcher = Fetcher(own, [], recorder, apt_folder=tmp_path)
            executor.run(Plan.of([once]), LocalEngine(), own, fetcher, recorder, 1)

    threads = [threading.Thread(target=go, args=(recorder,)) for recorder in recorders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    ends = sorted(call for recorder in recorders for call in recorder.calls)
    assert ends == [("built", "t/once"), ("cached", "t/once"), ("started", "t/once")]


_LONG_RUN = """
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
    reporter = Recorder()
    steps = [Step(name=f"t/{{n}}", script=f": {{n}}\\nsleep {word} & sleep {word}\\n") for n in range(2)]
    engine = choose({engine!r})
    try:
        executor.run(Plan.of(steps), engine, store, Fetcher(store, [], reporter), reporter, 2)
    finally:
        engine.close()
"""


@pytest.mark.parametrize(
    ("sent", "status"),
    [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
@pytest.mark.parametrize("mode", ["namespaces", "plain"])
def test_signals_end_everything(store: Store, sent: signal.Signals, status: int, mode: str) -> None:
    word = f"8{os.getpid()}.{int(sent)}"
    code = _LONG_RUN.format(path=sys.path, root=str(store.root), word=word, engine="local")
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "OXCROSS_LOCAL": mode}, stderr=subprocess.DEVNULL
    ) as child:
        assert appears(word, 4)
        child.send_signal(sent)
        assert child.wait(20) == status
    assert gone(word)
    with store.temporary("sweep"):
        pass
    assert busy(store) == []


def test_the_shell_of_a_step(store: Store, recorder: Recorder, tmp_path: Path) -> None:
    """Its inputs are built, then the engine's shell is entered; here one that has no terminal."""
    lib = step("t/lib", 'echo lib >"$OUT/lib"')
    app = step("t/app", "exit 1", inputs={"lib": lib})

    class Looking(LocalEngine):
        def shell(self, job: Job) -> int:
            assert (job.inputs["lib"] / "lib").read_text() == "lib\n"
            assert job.script.read_text() == app.script
            return 42

    fetcher = Fetcher(store, [], recorder, apt_folder=tmp_path)
    assert executor.shell(app, Looking(), store, fetcher, recorder, 1) == 42
    assert recorder.of("built") == ["t/lib"]


def test_steps_that_need_more_memory_than_there_is_run_alone(
    run: Run, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "available_memory", lambda: 1000)
    large = [step(f"t/large{n}", f"sleep 0.2 # {n}", memory=900) for n in range(2)]
    small = step("t/small", "sleep 0.1", memory=50)
    run(*large, small, jobs=3)
    started = [name for what, name, *_ in recorder.calls if what == "started"]
    # The first two begin at once, each in a thread of its own.
    assert (set(started[:2]), started[2:]) == ({"t/large0", "t/small"}, ["t/large1"])
    first = recorder.calls.index(next(call for call in recorder.calls if call[:2] == ("built", "t/large0")))
    second = recorder.calls.index(
        next(call for call in recorder.calls if call[:2] == ("started", "t/large1"))
    )
    assert first < second


def test_the_longest_chain_begins_first(run: Run, recorder: Recorder) -> None:
    single = step("t/single", ":")
    chain = step("t/one", "true")
    for number in range(3):
        chain = step(f"t/link{number}", f"true # {number}", inputs={"before": chain})
    run(single, chain, jobs=1)
    assert recorder.of("built")[0] == "t/one"


def test_available_memory_is_read() -> None:
    assert 10_000_000 < executor.available_memory() < 1 << 50
