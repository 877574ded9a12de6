"""How a quantity is measured: processor time, instructions, wall-clock; and how oxcross is called for it."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxcross.elf import Elf

OXCROSS = [sys.executable, str(Path(__file__).parent.parent / "tasks.py")]

DT_RELASZ, DT_PLTRELSZ = 8, 2  # elf(5): bytes of the two tables
RELA_SIZE = 24  # Elf64_Rela


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured quantity: its runs, in ``unit``."""

    runs: tuple[float, ...]
    unit: str

    def __str__(self) -> str:
        median = statistics.median(self.runs)
        if len(self.runs) == 1:
            return f"{median:.4g} {self.unit}"
        return f"{median:.4g} {self.unit} ({min(self.runs):.4g}-{max(self.runs):.4g})"


def child_cpu(line: Sequence[str], **options: object) -> float:
    """Processor seconds (user and system) of a command and its finished children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def paired(ours: Sequence[str], theirs: Sequence[str], runs: int) -> tuple[Figure, Figure, Figure]:
    """Processor milliseconds of two commands run in turn, and the ratio of each pair."""
    for line in (ours, theirs):
        child_cpu(line)
    pairs = [(child_cpu(ours), child_cpu(theirs)) for _ in range(runs)]
    return (
        Figure(runs=tuple(1000 * a for a, _ in pairs), unit="ms"),
        Figure(runs=tuple(1000 * b for _, b in pairs), unit="ms"),
        Figure(runs=tuple(a / b for a, b in pairs if b), unit="of python"),
    )


def instructions(line: Sequence[str], **options: Any) -> float:
    """Millions of user-space instructions of one run, counted by callgrind (repeatable)."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("bench: valgrind is missing: apt-get install valgrind")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [valgrind, "--tool=callgrind", f"--callgrind-out-file={folder}/out", *line],
            check=True,
            capture_output=True,
            text=True,
            **options,
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        sys.exit(f"bench: callgrind printed no count:\n{done.stderr[-1000:]}")
    return int(found[1]) / 1e6


def page_faults(line: Sequence[str], runs: int = 5) -> int:
    """Page faults of one run that no disk was read for, the fewest of several runs."""
    counts = []
    for _ in range(runs):
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"bench: {line[0]}: exit status {process.returncode}")
        counts.append(usage.ru_minflt)
    return min(counts)


def relocations(path: Path) -> int:
    """How many places in the file the dynamic loader (or a static program itself) writes addresses to at start."""
    file = Elf(path.read_bytes())
    table = dict(file.dynamic)
    return (table.get(DT_RELASZ, 0) + table.get(DT_PLTRELSZ, 0)) // RELA_SIZE


def wall(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def oxcross(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Run an oxcross task; its standard output."""
    done = subprocess.run(
        [*OXCROSS, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    return done.stdout


def build(project: Path, targets: str = "linux-x64", env: dict[str, str] | None = None) -> Path:
    """Build a project for targets, with commas between them; the first executable's path."""
    text = oxcross("build", "--project", str(project), "--targets", targets, "--json", env=env)
    return Path(json.loads(text)["artifacts"][0]["path"])
