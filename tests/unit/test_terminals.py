"""Colours, widths and progress on real terminals and in pipes, as the environment asks for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import ASIDE, script_on_a_terminal

from oxcross import columns

ROOT = Path(__file__).parents[2]
PATH = "/home/somebody/projects/application/build/linux-x64-musl/application-with-a-long-name"
WORDS = "what is written here are words, and they can be put below each other where the line is short"
SCRIPT = f"""
from oxcross import report
from oxcross.errors import ConfigError
from oxcross.plan import Step
step = Step(name="linux-x64/zlib", script="true")
with report.terminal(verbose=True) as terminal:
    terminal.step_started(step)
    terminal.fetch_started("zlib.tar", 1000000)
    terminal.fetch_finished("zlib.tar", ok=True)
    terminal.step_finished(step, cached=False, seconds=1.5)
    terminal.notice("{PATH} " * 3)
    terminal.step_started(step)
    terminal.step_failed(step, 2.0)
report.note("it is so")
report.table(["file", "what"], [["{PATH}", "{WORDS}"]])
report.show_error(ConfigError("no", where="{PATH}"))
"""
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-9]|4[0-9]|9[0-7])(?:;[0-9]+)*m")
RED = "\x1b[1;31merror:\x1b[0m"


def in_pipes(**env: str) -> tuple[str, str]:
    """stdout and stderr of the script, without a terminal."""
    kept = {key: value for key, value in os.environ.items() if key not in ASIDE}
    line = [sys.executable, "-W", "error", "-c", SCRIPT]
    done = subprocess.run(
        line, cwd=ROOT, env={**kept, "TERM": "xterm", **env}, capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_a_terminal_has_colours_and_progress() -> None:
    shown = script_on_a_terminal(SCRIPT)
    assert RED in shown
    assert "\x1b[32mbuilt " in shown
    assert "\x1b[1mfile" in shown
    assert "\x1b[?25l" in shown  # the cursor is hidden while lines are redrawn
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_dumb_terminal_gets_no_escape_sequence(term: str) -> None:
    shown = script_on_a_terminal(SCRIPT, {"TERM": term})
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "built     linux-x64/zlib  1.5 s\n" in shown


@pytest.mark.parametrize(
    "env",
    [
        {"NO_COLOR": "1"},
        {"NO_COLOR": "1", "FORCE_COLOR": "1"},
        {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"},
        {"CLICOLOR": "0"},
        {"CLICOLOR": "0", "FORCE_COLOR": "", "CLICOLOR_FORCE": "0"},
    ],
)
def test_no_colours_on_a_terminal(env: dict[str, str]) -> None:
    shown = script_on_a_terminal(SCRIPT, env)
    assert not COLOUR.search(shown), shown
    assert "\x1b[?25l" in shown  # progress is no colour
    assert f"error: {PATH}: no\n" in shown


@pytest.mark.parametrize("env", [{}, {"CLICOLOR": "1"}, {"FORCE_COLOR": ""}, {"CLICOLOR_FORCE": "0"}])
def test_pipes_get_no_escape_sequence(env: dict[str, str]) -> None:
    out, err = in_pipes(**env)
    assert "\x1b" not in out + err
    assert out == f"{'file'.ljust(len(PATH))}  what\n{PATH}  {WORDS}\n"


@pytest.mark.parametrize(
    "env", [{"FORCE_COLOR": "1"}, {"CLICOLOR_FORCE": "1"}, {"FORCE_COLOR": "1", "CLICOLOR": "0"}]
)
def test_colours_that_are_asked_for(env: dict[str, str]) -> None:
    """In pipes, on both streams, without progress that is redrawn; and on a dumb terminal."""
    out, err = in_pipes(**env)
    assert out.startswith("\x1b[1mfile")
    assert RED in err
    assert "\x1b[32mbuilt\x1b[0m     linux-x64/zlib  1.5 s\n" in err
    assert "\x1b[33mnote\x1b[0m      it is so\n" in err
    assert set(re.findall(r"\x1b\[[0-9;?]*([A-Za-z])", out + err)) == {"m"}
    assert RED in script_on_a_terminal(SCRIPT, {"TERM": "dumb", **env})


def test_pipes_without_colours_that_are_asked_for() -> None:
    assert "\x1b" not in "".join(in_pipes(FORCE_COLOR="1", NO_COLOR="1"))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_paths_can_be_copied(width: int) -> None:
    """The terminal itself wraps what is longer than a line: no newline within a path, nothing left out."""
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", script_on_a_terminal(SCRIPT, columns=width))
    assert f"error: {PATH}: no\n" in shown
    assert f"note   {PATH} {PATH} {PATH}" in shown
    assert f"\n{PATH}  what is written" in shown
    assert "…" not in shown.partition("note   it is so")[2]


def test_words_are_put_below_each_other() -> None:
    shown = script_on_a_terminal(SCRIPT, {"TERM": "dumb"}, columns=120)
    [first, *others] = shown.partition(f"\n{PATH}  ")[2].partition("\nerror")[0].splitlines()
    assert 1 <= len(others) <= 5
    assert " ".join([first, *(line.strip() for line in others)]) == WORDS
    assert all(line.startswith(" " * len(PATH)) and len(line) <= 120 for line in others)


@pytest.mark.parametrize("width", [10, 20, 40, 80, 200])
def test_help(width: int) -> None:
    """Also where the names of flags fill the line."""
    script = "import sys; from oxcross.cli import main; sys.exit(main(['build', '--help']))"
    shown = script_on_a_terminal(script, {"TERM": "dumb"}, columns=width)
    assert "--target-triple=STRING" in shown
    if width >= 40:
        lines = [line for line in shown.splitlines() if line.startswith(("  -", "      "))]
        assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (None, [["a  one two three four five six"]]),
        (80, [["a  one two three four five six"]]),
        (20, [["a  one two three", "   four five six"]]),
        (3, [["a  one two three four five six"]]),  # where nothing can be done
    ],
)
def test_columns(width: int | None, expected: list[list[str]]) -> None:
    assert columns.laid_out([["a", "one two three four five six"]], width) == expected


def test_columns_of_several_rows() -> None:
    rows = [["file", "why"], ["x", ""], ["longer name of it", "many words that say why it is so"]]
    assert columns.laid_out(rows, 36) == [
        ["file               why"],
        ["x"],
        ["longer name of it  many words that", "                   say why it is so"],
    ]
