"""Exit statuses: one for each kind of error, and those that docs/errors.md lists."""

from __future__ import annotations

import inspect
import re
import signal
from pathlib import Path

from oxcross import errors
from oxcross.errors import OxcrossError

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| exit status | class | what it says |\n|---|---|---|\n")[2].partition("\n\n")[0]
ROWS = {
    int(status): text for status, text in re.findall(r"^\| (\d+) \| [^|]*\| (.*) \|$", TABLE, re.MULTILINE)
}
KINDS = [
    one
    for one in vars(errors).values()
    if inspect.isclass(one) and issubclass(one, OxcrossError) and "exit_code" in vars(one)
]


def test_the_table() -> None:
    documented = {kind.exit_code: inspect.getdoc(kind) for kind in KINDS if kind is not OxcrossError}
    signals = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)
    others = {0, OxcrossError.exit_code, *(128 + one for one in signals)}
    assert {status: text for status, text in ROWS.items() if status not in others} == documented
    assert others < ROWS.keys()
    assert len(ROWS) == len(TABLE.splitlines())


def test_no_two_kinds_have_one_exit_status() -> None:
    statuses = [kind.exit_code for kind in KINDS]
    assert len(set(statuses)) == len(statuses)
