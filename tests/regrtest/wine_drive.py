"""Runs files of CPython's tests in an executable for Windows, under wine: as drive.py does it on Linux.

Each worker has a Windows installation (wine's "prefix") of its own, made as oxcross makes its. So what hangs or stays behind in
one, and its wineserver with it, is ended without harm to anybody.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import drive
from drive import Job

from oxcross import runner, targets

TARGET = targets.get("win-x64")
# wine's own, which stay as long as programs run in its installation.
_SYSTEM = (
    "wineserver", "services.exe", "explorer.exe", "winedevice.exe", "plugplay.exe", "svchost.exe", "rpcss.exe",
)  # fmt: skip
_VERSION = "win10"  # that wine says it is: CPython wants no older one
# Whose debugger examines each crash, for seconds; with one that is not there a crash just ends the process.
_DEBUGGER = r"HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug"


@dataclass(frozen=True)
class Prefix:
    """A Windows installation. ``program``: the copy of the executable that lies in it, as programs in it name it."""

    folder: Path
    env: Mapping[str, str]
    program: str

    @property
    def drive(self) -> Path:
        """What programs in it call C:."""
        return self.folder / "drive_c"

    @classmethod
    def make(cls, folder: Path, executable: Path, original: Path) -> Prefix:
        """Copy the ``original`` to ``folder``, and the executable into it."""
        subprocess.run(["cp", "-a", "--reflink=auto", str(original), str(folder)], check=True)
        own = folder / "drive_c" / "oxcross" / executable.name
        own.parent.mkdir()
        shutil.copy(executable, own)
        env = _environment(folder)
        for line in (
            ("winecfg", "/v", _VERSION),
            ("reg", "add", _DEBUGGER, "/v", "Debugger", "/d", "none", "/f"),
        ):
            subprocess.run(
                runner.line(TARGET, *line),
                env=env,
                check=True,
                timeout=120,
                capture_output=True,
                stdin=subprocess.DEVNULL,
            )
        return cls(folder, env, rf"C:\oxcross\{executable.name}")

    def processes(self) -> Iterator[tuple[int, str]]:
        """What runs in it: id and command line."""
        mark = f"WINEPREFIX={self.folder}".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name), (entry / "cmdline").read_text("utf-8", "replace")

    def end_programs(self) -> None:
        """End what was left running, but for what is wine's."""
        for pid, line in self.processes():
            if not any(name in line.partition("\0")[0] for name in _SYSTEM):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        """End all of it, wine's own too."""
        server = shutil.which("wineserver") or "/usr/lib/wine/wineserver"
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([server, "-k9"], env=self.env, check=False, timeout=20, capture_output=True)
        for pid, _ in list(self.processes()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def prefixes(executable: Path, count: int) -> Iterator[list[Prefix]]:
    """That many installations with the executable, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="oxcross-wine-", ignore_cleanup_errors=True) as folder:
        original = Path(folder) / "original"  # not oxcross's own, in which others' programs may be running
        _environment(original)
        made = [Prefix.make(Path(folder) / str(number), executable, original) for number in range(count)]
        try:
            yield made
        finally:
            for one in made:
                one.end()


def _environment(folder: Path) -> dict[str, str]:
    """For programs in the installation at ``folder``, which is made when it is not there."""
    base = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "WINEDEBUG": "-all"}
    return runner.environment(TARGET, {**base, "WINEPREFIX": str(folder)})


def run(installed: Sequence[Prefix], jobs: Sequence[Job]) -> dict[str, drive.File]:
    """Run each of the jobs, as many at a time as there are installations; by the file's name."""
    free: queue.Queue[Prefix] = queue.Queue()
    for one in installed:
        free.put(one)

    def take(job: Job) -> drive.File:
        prefix = free.get()
        try:
            return _run(prefix, job)
        finally:
            free.put(prefix)

    with ThreadPoolExecutor(len(installed)) as pool:
        return {file.name: file for file in pool.map(take, jobs)}


def listed(prefix: Prefix, names: Sequence[str]) -> list[str]:
    """The files of tests behind these names, packages taken apart, as regrtest does it."""
    done = subprocess.run(
        runner.line(TARGET, prefix.program, r"C:\oxcross\none", "--list-tests", *names),
        env=prefix.env,
        cwd=prefix.drive / "oxcross",
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout.split()


def _run(prefix: Prefix, job: Job) -> drive.File:
    begun = time.monotonic()
    folder = prefix.drive / "oxcross" / job.name
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    inside = rf"C:\oxcross\{job.name}"
    arguments = [rf"{inside}\results", "--randseed", "1", "--tempdir", rf"{inside}\work", *job.arguments]
    process = subprocess.Popen(
        runner.line(TARGET, prefix.program, *arguments),
        cwd=work,
        env=prefix.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,  # wine's programs do not start with a file there
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    said: list[bytes] = []
    reader = threading.Thread(target=_read, args=(process, said), daemon=True)
    reader.start()
    try:
        state = f"ended with status {process.wait(job.seconds)}"
        prefix.end_programs()
    except subprocess.TimeoutExpired:
        state = "did not end"
        prefix.end()
        process.kill()
        process.wait()
    reader.join(20)
    text = b"".join(said).decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    file = drive.File(job.name, state, time.monotonic() - begun, output=text)
    results = folder / "results"
    for line in results.read_text(encoding="utf-8").splitlines() if results.exists() else ():
        drive.take(file, json.loads(line))
    shutil.rmtree(folder, ignore_errors=True)
    return file


def _read(process: subprocess.Popen[bytes], said: list[bytes]) -> None:
    assert process.stdout is not None
    with process.stdout:
        said.extend(process.stdout)
