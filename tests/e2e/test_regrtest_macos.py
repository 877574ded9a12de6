"""CPython's own tests, inside an executable for macOS under the tests' loader, do what the list says."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import listed
import macos
import pytest

from oxcross import report


@pytest.mark.usefixtures("emulated")
def test_regrtest_macos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = macos.run(macos.prepare(tmp_path))
    with capsys.disabled(), contextlib.redirect_stdout(sys.stderr):  # with -n stdout leads nowhere
        print()
        report.table(listed.HEADERS, listed.table(outcome.files.values()))
        for text in outcome.once.values():
            print(f"only once: {text}")
    assert not outcome.wrong, "\n\n".join(outcome.wrong.values())
