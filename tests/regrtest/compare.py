"""What differs between the two runs of CPython's tests, against what differences.toml says of it."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from drive import File

TABLE = Path(__file__).with_name("differences.toml")
_RAN = {"PASSED", "FAILED"}  # of a file: its tests say the rest


@dataclass(frozen=True)
class Difference:
    """A test (or, where its id has no dot behind the file, a file of tests) with what became of it in each program."""

    file: str
    test: str
    plain: str
    executable: str

    def __str__(self) -> str:
        return f"{self.test}: {self.plain} in plain Python, {self.executable} in the executable"


@dataclass(frozen=True)
class Known:
    """differences.toml: the files to run, and every difference that is known, with the reason."""

    files: tuple[str, ...]
    differences: Mapping[str, tuple[str, str]]  # test -> outcome in plain Python, in the executable
    varying: frozenset[str]  # tests that may differ or not


def known(table: Path = TABLE) -> Known:
    """Read the table. ValueError when a test stands there twice or a reason is missing."""
    content = tomllib.loads(table.read_text(encoding="utf-8"))
    rows = content.get("difference", [])
    tests = [test for row in (*rows, *content.get("varying", [])) for test in row["tests"]]
    if twice := [test for test, count in Counter(tests).items() if count > 1]:
        raise ValueError(f"{table.name}: more than once: {', '.join(twice)}")
    if not all(row["reason"].endswith(".") for row in (*rows, *content.get("varying", []))):
        raise ValueError(f"{table.name}: every reason is a sentence")
    return Known(
        tuple(content["files"]),
        {test: (row["plain"], row["executable"]) for row in rows for test in row["tests"]},
        frozenset(test for row in content.get("varying", []) for test in row["tests"]),
    )


def differences(plain: Mapping[str, File], executable: Mapping[str, File]) -> Iterator[Difference]:
    """Every test with another outcome, file by file."""
    for name, file in plain.items():
        other = executable[name]
        states = ["ran" if one.state in _RAN else one.state for one in (file, other)]
        if states[0] != states[1]:
            yield Difference(name, name, *states)
        for test in dict.fromkeys((*file.tests, *other.tests)):
            words = [one.tests[test].word if test in one.tests else "absent" for one in (file, other)]
            if words[0] != words[1]:
                yield Difference(name, test, *words)


def unexpected(found: Iterable[Difference], listed: Known, files: Iterable[File]) -> dict[str, str]:
    """What does not agree with the table: test -> what is wrong. ``files``: the executable's, that were run."""
    wrong: dict[str, str] = {}
    differing = {one.test: one for one in found}
    for test, one in differing.items():
        if test not in listed.varying and listed.differences.get(test) != (one.plain, one.executable):
            wrong[test] = str(one)
    for file in files:
        for test in (file.name, *file.tests):
            if test in listed.differences and test not in differing:
                wrong[test] = f"{test}: no longer differs; take it out of {TABLE.name}"
    return wrong


def table(plain: Mapping[str, File], executable: Mapping[str, File]) -> list[list[str]]:
    """A row for each file or package of tests: name, tests, passed, skipped, otherwise, differing; a row of sums."""
    rows: dict[str, Counter[str]] = {}
    for name, file in executable.items():
        row = rows.setdefault(name.removeprefix("test.").partition(".")[0], Counter())
        for outcome in file.tests.values():
            row["tests"] += 1
            row[outcome.word if outcome.word in ("passed", "skipped") else "otherwise"] += 1
        row["differing"] += sum(1 for _ in differences({name: plain[name]}, {name: file}))
    total: Counter[str] = sum(rows.values(), Counter())
    columns = ("tests", "passed", "skipped", "otherwise", "differing")
    lines = [*sorted(rows.items()), ("total", total)]
    return [[name, *(str(row[column]) for column in columns)] for name, row in lines]
