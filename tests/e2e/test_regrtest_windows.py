"""CPython's own tests, inside an executable for Windows under wine, do what the list says."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import listed
import pytest
import windows

from oxcross import report


def test_regrtest_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = windows.run(windows.prepare(tmp_path))
    with capsys.disabled(), contextlib.redirect_stdout(sys.stderr):  # with -n stdout leads nowhere
        print()
        report.table(listed.HEADERS, listed.table(outcome.files.values()))
        for text in outcome.once.values():
            print(f"only once: {text}")
    assert not outcome.wrong, "\n\n".join(outcome.wrong.values())
