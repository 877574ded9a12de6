"""Runs files of CPython's tests one after the other, each in a process of its own, and gathers what became of every test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

# The worst comes last.
_OUTCOMES = ("passed", "skipped", "expected-failure", "unexpected-success", "failed", "error")


@dataclass
class Outcome:
    """What became of a test: one of ``_OUTCOMES``, or of a file: regrtest's word; ``text`` is traceback or reason."""

    word: str
    text: str = ""


@dataclass
class File:
    """What became of a file of tests."""

    name: str
    state: str
    seconds: float
    tests: dict[str, Outcome] = field(default_factory=dict)
    output: str = ""


@dataclass(frozen=True)
class Job:
    """A file of tests, as regrtest names it, what it leaves out (patterns of regrtest's -i), and how long it may take before
    it counts as hanging.
    """

    name: str
    ignored: tuple[str, ...] = ()
    seconds: float = 600.0

    @property
    def arguments(self) -> list[str]:
        """regrtest's."""
        return [*(word for pattern in self.ignored for word in ("--ignore", pattern)), self.name]


def run(command: Sequence[str], wanted: Sequence[Job], jobs: int, path: str = "") -> dict[str, File]:
    """Run each of the files, ``jobs`` at a time, by ``command`` and record.py's arguments; ``path``: where commands are looked
    for (default: as here).
    """
    with ThreadPoolExecutor(jobs) as pool:
        done = pool.map(lambda job: _run(command, job, path or os.environ["PATH"]), wanted)
        return {file.name: file for file in done}


def _run(command: Sequence[str], job: Job, path: str) -> File:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="oxcross-regrtest-", ignore_cleanup_errors=True) as folder:
        results = Path(folder, "results")
        work = Path(folder, "work")
        work.mkdir()
        with Path(folder, "output").open("w+b") as output:
            process = subprocess.Popen(
                [*command, str(results), "--randseed", "1", "--tempdir", str(work), *job.arguments],
                cwd=work,
                env=_environment(work, path),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = process.wait(job.seconds)
                state = f"ended with status {status}"
            except subprocess.TimeoutExpired:
                state = f"did not end in {job.seconds:.0f} s"
            finally:
                _kill(process)
            output.seek(0)
            text = output.read().decode("utf-8", "backslashreplace")
        file = File(job.name, state, 0.0, output=text)
        lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
        for line in lines:
            take(file, json.loads(line))
    file.seconds = time.monotonic() - begun
    return file


def _environment(folder: Path, path: str) -> Mapping[str, str]:
    return {
        "PATH": path,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
    }


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End what the tests left running."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def take(file: File, line: Mapping[str, str]) -> None:
    """Put a line of record.py's into ``file``."""
    if "state" in line:
        file.state = line["state"]
        return
    old = file.tests.get(line["id"])
    if old is None or _OUTCOMES.index(line["outcome"]) >= _OUTCOMES.index(old.word):
        file.tests[line["id"]] = Outcome(line["outcome"], line["text"])
