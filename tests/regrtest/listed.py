"""Runs of CPython's own tests against a list of what becomes of them, for systems that have no plain CPython here to compare with.

The list is a TOML file: ``files`` (as `python -m test` names them), ``[[expected]]`` (tests, their outcome, cause and reason) and
``[[left-out]]`` (patterns of tests that are not run). A run is right when every other test passes, and every one that is listed
does what is said there.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drive
import suite
from drive import Job
from program import build

from oxcross import report
from oxcross.cpython import pinned

SERIES = "3.13"
HEADERS = ("file", "tests", "passed", "skipped", "otherwise", "seconds")
APP = Path(__file__).with_name("app")
_SECONDS = 240.0  # a file may take, if the list says nothing else
_SHOWN = 3000  # characters of a traceback's end
_RAN = {"PASSED", "FAILED", "SKIPPED"}  # of a file: its tests say the rest
_FINE = {"passed", "skipped", "expected-failure"}


@dataclass(frozen=True, kw_only=True)
class System:
    """What is run where. ``causes`` says of each cause in the list what it means; ``head`` is how the results begin, with
    ``{version}`` of CPython; both may have ``{under}``, what the list says that it is for.
    """

    table: Path
    results: Path
    head: str
    causes: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """Tests, or files of tests, with what becomes of them and why; ``outcome`` is "varying" where that is not settled."""

    cause: str
    outcome: str
    reason: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """The list. ``under``: what it is for, such as wine's version; ``left_out``: patterns of tests that are not run, by row;
    ``seconds``: of files that may take longer.
    """

    under: str
    files: tuple[str, ...]
    seconds: Mapping[str, float]
    rows: tuple[Row, ...]
    left_out: tuple[Row, ...]

    @property
    def expected(self) -> dict[str, str]:
        """Test -> outcome."""
        return {test: row.outcome for row in self.rows for test in row.tests}

    def job(self, name: str) -> Job:
        """How a file is run."""
        full = name if name.startswith("test.") else f"test.{name}"
        ignored = tuple(
            pattern for row in self.left_out for pattern in row.tests if pattern.startswith(f"{full}.")
        )
        longest = [value for part, value in self.seconds.items() if full.startswith(f"test.{part}")]
        return Job(name, ignored, longest[0] if longest else _SECONDS)


def known(system: System) -> Known:
    """Read the list. ValueError when a test stands there twice, a cause is none of the system's, or a reason is missing."""
    content = tomllib.loads(system.table.read_text(encoding="utf-8"))
    rows, left_out = (_rows(content.get(key, [])) for key in ("expected", "left-out"))
    tests = [test for row in rows for test in row.tests]
    if twice := [test for test, count in Counter(tests).items() if count > 1]:
        raise ValueError(f"{system.table.name}: more than once: {', '.join(twice)}")
    for row in (*rows, *left_out):
        if row.cause not in system.causes or not row.reason.endswith("."):
            raise ValueError(f"{system.table.name}: cause or reason of {row.tests[0]}")
    return Known(content["under"], tuple(content["files"]), content.get("seconds", {}), rows, left_out)


def _rows(content: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    return tuple(
        Row(row["cause"], row.get("outcome", ""), row["reason"], tuple(row["tests"])) for row in content
    )


def unexpected(listed: Known, files: Iterable[drive.File]) -> dict[str, str]:
    """What does not agree with the table: test or file -> what is wrong."""
    wrong: dict[str, str] = {}
    expected = listed.expected
    for file in files:
        state = drive.Outcome("passed" if file.state in _RAN else file.state, file.output)
        for test, outcome in ((file.name, state), *file.tests.items()):
            wanted = expected.get(test, "passed")
            if wanted in {"varying", outcome.word} or (wanted == "passed" and outcome.word in _FINE):
                continue
            text = f"{test}: {outcome.word}, expected: {wanted}\n{outcome.text[-_SHOWN:]}"
            wrong[test] = text.strip()
    return wrong


@dataclass(frozen=True)
class Outcome:
    """``wrong``: what does not agree with the list; ``once``: what did not at first, and did when run alone."""

    files: Mapping[str, drive.File]
    wrong: Mapping[str, str]
    once: Mapping[str, str]


def compare(
    listed: Known, wanted: Sequence[Job], execute: Callable[[Sequence[Job], bool], dict[str, drive.File]]
) -> Outcome:
    """Run the files by ``execute``. Those that disagree with the list are run again, alone (its second argument)."""
    done = execute(wanted, False)
    wrong = unexpected(listed, done.values())
    again = [job for job in wanted if wrong.keys() & {job.name, *done[job.name].tests}]
    if again:
        done |= execute(again, True)
    still = unexpected(listed, done.values())
    return Outcome(done, still, {test: text for test, text in wrong.items() if test not in still})


def build_executable(folder: Path, target: str, settings: str = "") -> Path:
    """Build the executable that runs the tests, in the empty ``folder``; ``settings`` are lines for [tool.oxcross]."""
    wheels = folder / "wheels"
    wheels.mkdir()
    suite.pure_wheel(wheels, SERIES)
    project = folder / "project"
    shutil.copytree(APP, project)
    configuration = project / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(
        text.replace("[tool.oxcross]\n", f"[tool.oxcross]\n{settings}"), encoding="utf-8"
    )
    return build(project, target=target, env={"UV_FIND_LINKS": str(wheels), "UV_NO_INDEX": "1"})


def table(files: Iterable[drive.File]) -> list[list[str]]:
    """A row for each file or package of tests, and one of sums."""
    rows: dict[str, Counter[str]] = {}
    for file in files:
        row = rows.setdefault(file.name.removeprefix("test.").partition(".")[0], Counter())
        for outcome in file.tests.values():
            row["tests"] += 1
            row[outcome.word if outcome.word in ("passed", "skipped") else "otherwise"] += 1
        row["seconds"] += round(file.seconds)
    total: Counter[str] = sum(rows.values(), Counter())
    return [
        [name, *(str(row[column]) for column in HEADERS[1:])]
        for name, row in [*sorted(rows.items()), ("total", total)]
    ]


def results(outcome: Outcome, listed: Known, system: System) -> str:
    """What is kept of a whole run, as Markdown."""
    version = pinned(SERIES)[1].version
    text = f"{system.head.format(version=version, under=listed.under)}\n"
    text += _markdown(HEADERS[:-1], [row[:-1] for row in table(outcome.files.values())])
    text += "\n## Tests that do not pass\n"
    for cause, title in system.causes.items():
        rows = [row for row in listed.rows if row.cause == cause]
        if rows:
            count = sum(len(row.tests) for row in rows)
            heading = title.format(under=listed.under)
            text += f"\n{heading[0].upper()}{heading[1:]} ({count}):\n\n"
            text += _markdown(
                ("tests", "outcome", "reason"),
                [[str(len(row.tests)), row.outcome, row.reason] for row in rows],
            )
    text += "\n## Tests that are not run\n\n"
    text += _markdown(
        ("cause", "tests", "reason"),
        [[row.cause, " ".join(f"`{test}`" for test in row.tests), row.reason] for row in listed.left_out],
    )
    skipped = Counter(
        one.text.partition("\n")[0]
        for file in outcome.files.values()
        for one in file.tests.values()
        if one.word == "skipped"
    )
    text += "\n## Reasons that the tests give for skipping\n\n"
    return text + _markdown(
        ("tests", "reason"), [[str(n), reason.replace("|", "\\|")] for reason, n in skipped.most_common(40)]
    )


def _markdown(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (headers, ["---"] * len(headers), *rows))


def main(
    system: System,
    run: Callable[[Path, Sequence[str], int], Outcome],
    prepare: Callable[[Path], Path],
    jobs: int,
) -> int:
    """Run, print the table and what is wrong; 1 when something is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true", help=f"write {system.results.name}")
    parser.add_argument("--jobs", type=int, default=jobs, help="files at a time")
    parser.add_argument("--executable", type=Path, help="one that was built before")
    parser.add_argument(
        "files", nargs="*", help="as `python -m test` names them; default: all that are listed"
    )
    arguments = parser.parse_args()
    if arguments.update and arguments.files:
        parser.error(f"{system.results.name} is of all files")
    with tempfile.TemporaryDirectory(prefix="oxcross-regrtest-") as folder:
        executable = arguments.executable or prepare(Path(folder))
        outcome = run(executable, arguments.files, arguments.jobs)
    report.table(HEADERS, table(outcome.files.values()))
    for test, text in {**outcome.once, **outcome.wrong}.items():
        print(f"\n{'' if test in outcome.wrong else 'only once: '}{text}")
    if arguments.update:
        system.results.write_text(results(outcome, known(system), system), encoding="utf-8")
    return 1 if outcome.wrong else 0
