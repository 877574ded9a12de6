"""CPython's own tests inside an executable for Windows, under wine, against the list of what becomes of them: wine.toml.

``./invoke regrtest --windows`` runs all; names of files behind ``--`` run only those. With ``--update`` WINDOWS.md is written anew.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drive
import suite
import wine_drive
from program import build

from oxcross import report
from oxcross.cpython import pinned

SERIES = "3.13"
TABLE = Path(__file__).with_name("wine.toml")
RESULTS = Path(__file__).with_name("WINDOWS.md")
CAUSES = {
    "wine": "what wine {wine} lacks or does otherwise than Windows",
    "executable": "what differs because everything is in the executable",
    "compiler": "what comes of a build without Visual Studio",
    "time": "what takes too long under wine",
    "absent": "what the C modules of CPython's tests are needed for, which are not built",
}
HEADERS = ("file", "tests", "passed", "skipped", "otherwise", "seconds")
_APP = Path(__file__).with_name("app")
_SHOWN = 3000  # characters of a traceback's end
_JOBS = 2
_RAN = {"PASSED", "FAILED", "SKIPPED"}  # of a file: its tests say the rest
_FINE = {"passed", "skipped", "expected-failure"}
_HEAD = """# CPython's own tests inside an executable for Windows

CPython {version}, win-x64, under wine {wine}, without the resources that `python -m test` asks for with `-u`. `otherwise` are
expected failures and the tests that `wine.toml` lists, each with what becomes of it and the reason: there is no plain CPython
for Windows here to compare with. Made by `./invoke regrtest --windows --update`.

"""


@dataclass(frozen=True)
class Row:
    """Tests, or files of tests, with what becomes of them and why; ``outcome`` is "varying" where that is not settled."""

    cause: str
    outcome: str
    reason: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """wine.toml. ``left_out``: patterns of tests that are not run, by row; ``seconds``: of files that may take longer."""

    wine: str
    files: tuple[str, ...]
    seconds: Mapping[str, float]
    rows: tuple[Row, ...]
    left_out: tuple[Row, ...]

    @property
    def expected(self) -> dict[str, str]:
        """Test -> outcome."""
        return {test: row.outcome for row in self.rows for test in row.tests}

    def job(self, name: str) -> wine_drive.Job:
        """How a file is run."""
        full = name if name.startswith("test.") else f"test.{name}"
        ignored = tuple(
            pattern for row in self.left_out for pattern in row.tests if pattern.startswith(f"{full}.")
        )
        longest = [value for part, value in self.seconds.items() if full.startswith(f"test.{part}")]
        return wine_drive.Job(name, ignored, *longest[:1])


def known(table: Path = TABLE) -> Known:
    """Read the table. ValueError when a test stands there twice, a cause is none of CAUSES, or a reason is missing."""
    content = tomllib.loads(table.read_text(encoding="utf-8"))
    rows, left_out = (_rows(content.get(key, [])) for key in ("expected", "left-out"))
    tests = [test for row in rows for test in row.tests]
    if twice := [test for test, count in Counter(tests).items() if count > 1]:
        raise ValueError(f"{table.name}: more than once: {', '.join(twice)}")
    for row in (*rows, *left_out):
        if row.cause not in CAUSES or not row.reason.endswith("."):
            raise ValueError(f"{table.name}: cause or reason of {row.tests[0]}")
    return Known(content["wine"], tuple(content["files"]), content.get("seconds", {}), rows, left_out)


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
    """``wrong``: what does not agree with wine.toml; ``once``: what did not at first, and did when run alone."""

    files: Mapping[str, drive.File]
    wrong: Mapping[str, str]
    once: Mapping[str, str]


def prepare(folder: Path) -> Path:
    """Build the executable in the empty ``folder``."""
    wheels = folder / "wheels"
    wheels.mkdir()
    suite.pure_wheel(wheels, SERIES)
    project = folder / "project"
    shutil.copytree(_APP, project)
    return build(
        project, target=wine_drive.TARGET.name, env={"UV_FIND_LINKS": str(wheels), "UV_NO_INDEX": "1"}
    )


def run(executable: Path, files: Sequence[str] = (), jobs: int = _JOBS) -> Outcome:
    """Run the files (default: all that are listed). Those that disagree with wine.toml are run again, one by one."""
    listed = known()
    with wine_drive.prefixes(executable, jobs) as installed:
        wanted = [listed.job(name) for name in wine_drive.listed(installed[0], files or listed.files)]
        done = wine_drive.run(installed, wanted)
        wrong = unexpected(listed, done.values())
        again = [job for job in wanted if wrong.keys() & {job.name, *done[job.name].tests}]
        if again:
            done |= wine_drive.run(installed[:1], again)
    still = unexpected(listed, done.values())
    return Outcome(done, still, {test: text for test, text in wrong.items() if test not in still})


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


def results(outcome: Outcome, listed: Known, version: str) -> str:
    """WINDOWS.md of a whole run."""
    text = _HEAD.format(version=version, wine=listed.wine)
    text += _markdown(HEADERS[:-1], [row[:-1] for row in table(outcome.files.values())])
    text += "\n## Tests that do not pass\n"
    for cause, title in CAUSES.items():
        rows = [row for row in listed.rows if row.cause == cause]
        if rows:
            count = sum(len(row.tests) for row in rows)
            text += f"\n{title.format(wine=listed.wine).capitalize()} ({count}):\n\n"
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


def main() -> int:
    """Run, print the table and what is wrong; 1 when something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write WINDOWS.md")
    parser.add_argument("--jobs", type=int, default=_JOBS, help="files at a time")
    parser.add_argument("--executable", type=Path, help="one that was built before")
    parser.add_argument(
        "files", nargs="*", help="as `python -m test` names them; default: all that are listed"
    )
    arguments = parser.parse_args()
    if arguments.update and arguments.files:
        parser.error("WINDOWS.md is of all files")
    with tempfile.TemporaryDirectory(prefix="oxcross-regrtest-") as folder:
        executable = arguments.executable or prepare(Path(folder))
        outcome = run(executable, arguments.files, arguments.jobs)
    report.table(HEADERS, table(outcome.files.values()))
    for test, text in {**outcome.once, **outcome.wrong}.items():
        print(f"\n{'' if test in outcome.wrong else 'only once: '}{text}")
    if arguments.update:
        version = pinned(SERIES)[1].version
        RESULTS.write_text(results(outcome, known(), version), encoding="utf-8")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
