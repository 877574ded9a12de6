"""What is compared of two runs of CPython's tests, and what counts as not agreeing with the list of differences."""

from __future__ import annotations

from pathlib import Path

import compare
import pytest
from drive import File, Outcome

TABLE = """
files = ["test_a"]

[[difference]]
plain = "passed"
executable = "skipped"
reason = "There is a reason."
tests = ["test.test_a.T.test_listed"]

[[varying]]
reason = "It depends on the load."
tests = ["test.test_a.T.test_varying"]
"""


def _file(state: str = "PASSED", **words: str) -> dict[str, File]:
    tests = {f"test.test_a.T.test_{name}": Outcome(word) for name, word in words.items()}
    return {"test_a": File("test_a", state, 1.0, tests)}


def _wrong(tmp_path: Path, plain: dict[str, File], executable: dict[str, File]) -> dict[str, str]:
    table = tmp_path / "differences.toml"
    table.write_text(TABLE, encoding="utf-8")
    found = compare.differences(plain, executable)
    return compare.unexpected(found, compare.known(table), executable.values())


def test_what_is_listed_may_differ(tmp_path: Path) -> None:
    plain = _file(listed="passed", varying="passed", same="failed")
    executable = _file("FAILED", listed="skipped", varying="error", same="failed")
    assert _wrong(tmp_path, plain, executable) == {}


def test_what_is_not_listed_may_not(tmp_path: Path) -> None:
    plain = _file(listed="passed", other="passed", gone="passed")
    executable = _file(listed="failed", other="skipped", come="passed")
    assert {
        test.rpartition("_")[2]: text.partition(": ")[2]
        for test, text in _wrong(tmp_path, plain, executable).items()
    } == {
        "listed": "passed in plain Python, failed in the executable",
        "other": "passed in plain Python, skipped in the executable",
        "gone": "passed in plain Python, absent in the executable",
        "come": "absent in plain Python, passed in the executable",
    }


def test_what_is_listed_must_differ(tmp_path: Path) -> None:
    wrong = _wrong(tmp_path, _file(listed="passed"), _file(listed="passed"))
    assert wrong == {
        "test.test_a.T.test_listed": "test.test_a.T.test_listed: no longer differs; take it out of differences.toml"
    }


def test_a_file_that_ends_otherwise(tmp_path: Path) -> None:
    wrong = _wrong(tmp_path, _file(), _file("ended with status -11"))
    assert wrong == {"test_a": "test_a: ran in plain Python, ended with status -11 in the executable"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("test_varying", "test_listed", "more than once"), ("There is a reason.", "", "a sentence")],
)
def test_a_careless_list_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    table = tmp_path / "differences.toml"
    table.write_text(TABLE.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        compare.known(table)


def test_the_table_counts_packages_as_one() -> None:
    plain = {"test.test_b.test_x": File("test.test_b.test_x", "PASSED", 1.0, {"x": Outcome("passed")})}
    executable = {"test.test_b.test_x": File("test.test_b.test_x", "PASSED", 1.0, {"x": Outcome("skipped")})}
    rows = compare.table(plain | _file(a="passed", b="failed"), executable | _file(a="passed", b="failed"))
    assert rows == [
        ["test_a", "2", "1", "0", "1", "0"],
        ["test_b", "1", "0", "1", "0", "1"],
        ["total", "3", "1", "1", "1", "1"],
    ]
