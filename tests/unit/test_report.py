"""Progress and results: plain where nobody looks, live on a terminal, stdout for results alone."""

from __future__ import annotations

import io
import re

import pytest
from terminals import script_on_a_terminal

from oxcross import report
from oxcross.errors import ConfigError, ConfigErrors, UsageError
from oxcross.plan import Step

STEP = Step(name="linux-x64/zlib", script="true\n")


def test_lines() -> None:
    out = io.StringIO()
    with report.Lines(stream=out) as lines:
        lines.step_started(STEP)
        lines.step_finished(STEP, cached=False, seconds=12.34)
        lines.step_finished(STEP, cached=True, seconds=0.0)
        lines.step_failed(STEP, 125.0)
        lines.fetch_started("zlib.tar", 2_500_000)
        lines.fetch_progress("zlib.tar", 10, 2_500_000)
        lines.fetch_finished("zlib.tar", ok=True)
        lines.notice("the weather")
        with lines.stage("linux-x64", "pack"):
            pass
    assert out.getvalue().splitlines() == [
        "building  linux-x64/zlib",
        "built     linux-x64/zlib  12.3 s",
        "failed    linux-x64/zlib  2 min 05 s",
        "fetched   zlib.tar  2.5 MB  0.0 s",
        "note      the weather",
    ]


def test_verbose_lines_say_what_was_cached() -> None:
    out = io.StringIO()
    with report.Lines(verbose=True, stream=out) as lines:
        lines.step_finished(STEP, cached=True, seconds=0.0)
        with lines.stage("linux-x64", "pack"):
            pass
    assert out.getvalue().splitlines() == ["cached    linux-x64/zlib", "pack      linux-x64  0.0 s"]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 kB"), (99_000, "99.0 kB"), (100_000, "0.1 MB"), (12_345_678, "12.3 MB")]
)
def test_megabytes(size: int, text: str) -> None:
    assert report.megabytes(size) == text


def test_table_is_aligned_and_plain() -> None:
    out = io.StringIO()
    report.table(["a", "long name"], [["1", "2"], ["three", ""]], stream=out)
    assert out.getvalue() == "a      long name\n1      2\nthree\n"


def test_errors_are_shown_one_by_one() -> None:
    out = io.StringIO()
    errors = [ConfigError("bad", where="pyproject.toml: a"), ConfigError("worse", hint="do this")]
    report.show_error(ConfigErrors(errors), out)
    report.show_error(UsageError("no", page="a-page"), out, program="./invoke")
    assert out.getvalue() == (
        "error: pyproject.toml: a: bad\nerror: worse\n  do this\n  more: oxcross explain 3-configerror\n"
        "error: no\n  more: ./invoke explain a-page\n"
    )


def test_errors_that_one_section_explains_name_it_once() -> None:
    out = io.StringIO()
    errors = [ConfigError("a", page="first"), ConfigError("b", page="second"), ConfigError("c", page="first")]
    report.show_error(ConfigErrors(errors), out)
    assert out.getvalue().splitlines() == [
        "error: a",
        "error: b",
        "  more: oxcross explain second",
        "error: c",
        "  more: oxcross explain first",
    ]


SCRIPT = """
from oxcross import report
from oxcross.errors import UsageError
from oxcross.plan import Step
step = Step(name="linux-x64/zlib", script="true")
with report.terminal(verbose=True) as terminal:
    assert type(terminal).__name__ == "Live"
    terminal.step_started(step)
    terminal.fetch_started("zlib.tar", 1000000)
    terminal.fetch_progress("zlib.tar", 500000, 1000000)
    terminal.fetch_finished("zlib.tar", ok=True)
    terminal.notice("[not markup]")
    terminal.step_finished(step, cached=False, seconds=1.5)
    terminal.step_finished(step, cached=True, seconds=0)
    terminal.step_started(step)
    terminal.step_failed(step, 2.0)
    with terminal.stage("linux-x64", "pack"):
        pass
report.table(["file", "size"], [["app [x]", "1 MB"]])
report.show_error(UsageError("no"))
"""


def python(script: str, **env: str) -> str:
    return script_on_a_terminal(script, env)


def test_live() -> None:
    shown = python(SCRIPT)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    for text in (
        "built  linux-x64/zlib  1.5 s",
        "cached linux-x64/zlib",
        "failed linux-x64/zlib  2.0 s",
        "fetched zlib.tar  1.0 MB  0.0 s",
        "[not markup]",
        "pack   linux-x64",
        "app [x]  1 MB",
        "error: no",
    ):
        assert text in plain, plain
    assert "\x1b[1;31merror:" in shown
    assert "\x1b[2mmore: oxcross explain 2-usageerror\x1b[0m" in shown


def test_no_colour() -> None:
    shown = python(SCRIPT, NO_COLOR="1")
    assert not re.search(r"\x1b\[([0-9]+;)*[349][0-9][;m]", shown), shown


def test_dumb_terminal() -> None:
    shown = python("from oxcross import report; print(type(report.terminal()).__name__)", TERM="dumb")
    assert shown.strip() == "Lines"
