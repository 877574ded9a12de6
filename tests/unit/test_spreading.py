"""The tests' own spreading over processes: where they are cut, and that a failure is named at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import spreading

E2E = Path(spreading.__file__).parent


def test_the_longest_are_there() -> None:
    assert len(set(spreading.LONGEST)) == len(spreading.LONGEST)
    assert {*spreading.LONGEST} <= {path.stem for path in E2E.glob("test_*.py")}


def test_as_many_as_have_room(monkeypatch: pytest.MonkeyPatch) -> None:
    gigabyte = 1_000_000_000
    for processors, memory, wanted in ((4, 0, 1), (4, 7, 2), (1, 100, 1), (4, 100, 4), (64, 1000, 8)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, count=processors: set(range(count)))
        monkeypatch.setattr(spreading, "available_memory", lambda size=memory: size * gigabyte)
        assert spreading.pytest_xdist_auto_num_workers() == wanted


@pytest.mark.parametrize("processes", ["0", "auto"])
def test_a_run(tmp_path: Path, processes: str) -> None:
    """Modules stay together, what takes long starts first, and failures are named before their tracebacks come."""
    for name in ("test_a", "test_z", spreading.LONGEST[1], spreading.LONGEST[0]):
        text = f"def test_one(): open('order', 'a').write('{name} ')\n"
        (tmp_path / f"{name}.py").write_text(text + "def test_two():\n    assert __doc__\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "spreading", "-n", processes, "--maxprocesses=1",
         "--dist=loadfile", "--no-loadscope-reorder", "-p", "no:cacheprovider", "."],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(E2E)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    order = (tmp_path / "order").read_text(encoding="utf-8").split()
    if processes == "0":
        assert order == sorted(order)
        return
    assert order == [*spreading.LONGEST[:2], "test_a", "test_z"]
    at_once, _, after = done.stdout.partition(" FAILURES ")
    for name in order:
        assert at_once.count(f"{name}.py::test_two") == 1
        assert f"{name}.py:3: AssertionError" in after
