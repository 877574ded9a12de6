"""docs/guide/shell.md names every environment variable that the code reads, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSIDE = {"OXCROSS_PROCESS"}  # an executable's word to the processes that it starts; nobody else's business
VARIABLE = re.compile(r"\bOXCROSS_[A-Z0-9_]*[A-Z0-9]\b")


def test_every_variable_has_a_row() -> None:
    page = (ROOT / "docs" / "guide" / "shell.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`OXCROSS_.*?) \|", page, re.MULTILINE)
    told = {name for row in rows for name in VARIABLE.findall(row)}
    files = [*(ROOT / "oxcross").rglob("*.py"), *(ROOT / "launcher").glob("*.c")]
    read = {name for path in files for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    of_one_target = {name for name in read if name.startswith("OXCROSS_RUNNER_")} - {"OXCROSS_RUNNER_TARGET"}
    assert told == read - INSIDE - of_one_target
