"""CPython's own tests inside an executable and in the plain Python that it is made of: what differs, and why.

``./invoke regrtest`` runs all; names of files behind ``--`` run only those. With ``--update`` RESULTS.md is written anew.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import compare
import drive
import suite
from program import build, reference_python

from oxcross import report
from oxcross.cpython import pinned

SERIES = "3.13"
RESULTS = Path(__file__).with_name("RESULTS.md")
HEADERS = ("file", "tests", "passed", "skipped", "otherwise", "differing")
_APP = Path(__file__).with_name("app")
_SHOWN = 2000  # characters of a traceback's end
_JOBS = 2 * len(os.sched_getaffinity(0))  # much of the time the tests wait
_HEAD = """# CPython's own tests inside an executable

CPython {version}, linux-x64. Each file was run by the executable and by the plain Python that it is made of, without the
resources that `python -m test` asks for with `-u`. `otherwise` are expected failures and what fails in both; `differing` are
the tests with another outcome in plain Python: each is in `differences.toml`, with the reason. Made by
`./invoke regrtest --update`.

"""


@dataclass(frozen=True)
class Programs:
    """The two command lines, up to the arguments of record.py."""

    plain: tuple[str, ...]
    executable: tuple[str, ...]


def prepare(folder: Path) -> Programs:
    """Build both in the empty ``folder``: the executable, and a Python with the same tests in its library."""
    wheels = folder / "wheels"
    wheels.mkdir()
    wheel = suite.wheel(wheels, SERIES)
    project = folder / "project"
    shutil.copytree(_APP, project)
    executable = build(project, env={"UV_FIND_LINKS": str(wheels), "UV_NO_INDEX": "1"})

    python = folder / "python"
    shutil.copytree(reference_python().parent.parent, python)
    library = next(python.glob("lib/python3*"))
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            Path(archive.extract(entry, library)).chmod(entry.external_attr >> 16)
    interpreter = python / "bin" / reference_python().name
    return Programs((str(interpreter), str(_APP / "record.py")), (str(executable),))


def names(programs: Programs, files: Sequence[str]) -> list[str]:
    """The files of tests behind these names, packages taken apart, as regrtest does it."""
    done = subprocess.run(
        [programs.plain[0], "-I", "-m", "test", "--list-tests", *files],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


@dataclass(frozen=True)
class Outcome:
    """``wrong``: what does not agree with differences.toml; ``once``: what did not at first, and did when run alone."""

    rows: list[list[str]]
    wrong: dict[str, str]
    once: dict[str, str]


def run(programs: Programs, files: Sequence[str], jobs: int = _JOBS) -> Outcome:
    """Run the files in both and compare. Those that disagree with differences.toml are run again, one by one."""
    listed = compare.known()
    wanted = [drive.Job(name) for name in names(programs, files or listed.files)]
    plain = drive.run(programs.plain, wanted, jobs)
    executable = drive.run(programs.executable, wanted, jobs)
    wrong = compare.unexpected(compare.differences(plain, executable), listed, executable.values())
    if not wrong:
        return Outcome(compare.table(plain, executable), {}, {})
    again = [
        job
        for job in wanted
        if wrong.keys() & {job.name, *plain[job.name].tests, *executable[job.name].tests}
    ]
    plain |= drive.run(programs.plain, again, 1)
    executable |= drive.run(programs.executable, again, 1)
    still = compare.unexpected(compare.differences(plain, executable), listed, executable.values())
    once = {test: text for test, text in wrong.items() if test not in still}
    said = {name: file.output for name, file in executable.items()}
    said |= {test: outcome.text for file in executable.values() for test, outcome in file.tests.items()}
    still = {test: f"{text}\n{said.get(test, '')[-_SHOWN:]}" for test, text in still.items()}
    return Outcome(compare.table(plain, executable), still, once)


def results(rows: Sequence[Sequence[str]], version: str) -> str:
    """RESULTS.md of a whole run."""
    lines = [f"| {' | '.join(row)} |" for row in (HEADERS, ["---"] * len(HEADERS), *rows)]
    return _HEAD.format(version=version) + "\n".join(lines) + "\n"


def main() -> int:
    """Run, print the table and what is wrong; 1 when something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write RESULTS.md")
    parser.add_argument("--jobs", type=int, default=_JOBS, help="files at a time")
    parser.add_argument(
        "files", nargs="*", help="as `python -m test` names them; default: all that are listed"
    )
    arguments = parser.parse_args()
    if arguments.update and arguments.files:
        parser.error("RESULTS.md is of all files")
    with tempfile.TemporaryDirectory(prefix="oxcross-regrtest-") as folder:
        outcome = run(prepare(Path(folder)), arguments.files, arguments.jobs)
    report.table(HEADERS, outcome.rows)
    for test, text in {**outcome.once, **outcome.wrong}.items():
        print(f"\n{'' if test in outcome.wrong else 'only once: '}{text}")
    if arguments.update:
        RESULTS.write_text(results(outcome.rows, pinned(SERIES)[1].version), encoding="utf-8")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
