"""CPython's own tests, inside an executable, do what they do in plain Python, but for the differences that are listed."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
import regrtest

from oxcross import report


def test_regrtest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = regrtest.run(regrtest.prepare(tmp_path), ())
    with capsys.disabled(), contextlib.redirect_stdout(sys.stderr):  # with -n stdout leads nowhere
        print()
        report.table(regrtest.HEADERS, outcome.rows)
        for text in outcome.once.values():
            print(f"only once: {text}")
    assert not outcome.wrong, "\n\n".join(outcome.wrong.values())
