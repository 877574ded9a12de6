"""What calls for ordinary files cost in an executable, which looks whether they are below itself, against the same CPython.

Instructions of the process's own per call (those of a run with calls less those of one without), and its processor time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from measure import Figure, build, instructions

APP = Path(__file__).parent / "apps" / "file_calls"
COUNTED = 4000  # calls under callgrind
TIMED = 50_000
_HEAD = "instructions per call | python | more | ratio | time, paired |"


def table(folder: Path, runs: int) -> list[str]:
    """The table's lines; the reference's library lies in ``folder / "python"``."""
    # As any program is installed: what it has in common with other paths is a folder or two.
    executable = folder / "program" / "file-calls"
    executable.parent.mkdir()
    shutil.copy(build(APP), executable)
    beside = executable.with_name("ordinary")
    beside.touch()
    # Not isolated, because the seed of str hashes is then heard: the executable has the same one.
    python = [str(folder / "python" / "bin" / "python3.13"), "-sS", str(APP / "file_calls.py")]
    elsewhere = "/usr/lib/os-release"
    rows = [f"| calls for ordinary files | {_HEAD}", "|---|---|---|---|---|---|"]
    for where, path in (("elsewhere", elsewhere), ("beside it", str(beside)), ("relative", elsewhere[1:])):
        for call in ("os.stat", "open"):
            ours, theirs = (_per_call([*line, call, path]) for line in ([str(executable)], python))
            ratio = _time([str(executable), call, path], [*python, call, path], runs)
            rows.append(
                f"| {call}, {where} | {ours:.0f} | {theirs:.0f} | {ours - theirs:.0f} "
                f"| {ours / theirs:.4f} | {ratio} |"
            )
    return rows


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": "0"}


def _per_call(line: list[str]) -> float:
    subprocess.run([*line, "0"], cwd="/", env=_environment(), check=True, stdout=subprocess.DEVNULL)
    counts = [instructions([*line, str(n)], cwd="/", env=_environment()) for n in (0, COUNTED)]
    return (counts[1] - counts[0]) * 1e6 / COUNTED


def _time(ours: list[str], theirs: list[str], runs: int) -> Figure:
    def once(line: list[str]) -> int:
        done = subprocess.run(
            [*line, str(TIMED)], cwd="/", env=_environment(), check=True, stdout=subprocess.PIPE
        )
        return int(done.stdout)

    return Figure(runs=tuple(once(ours) / once(theirs) for _ in range(runs)), unit="of python")
