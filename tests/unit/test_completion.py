"""Completion: what may stand where, and the scripts, in the shells that they are for."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tools import need

from oxcross import completion, targets
from oxcross.errors import UsageError
from oxcross.tasks import ns

REPOSITORY = Path(__file__).parents[2]
ALL = sorted(targets.load())


def candidates(line: str) -> list[str]:
    """For the words of a line; a space at its end begins another one."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "oxcross", "--complete", "--", *line.split(" ")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bui", ["build"]),
        ("re", ["release", "releases", "reproduce"]),
        ("cac", ["cache"]),
        ("help cac", ["cache"]),
        ("help ", sorted([*ns.tasks, *ns.collections])),
        ("cache pr", ["prune"]),
        ("sources ", ["list", "pin"]),
        ("cache prune --max", ["--max-age", "--max-size"]),
        ("build --ta", ["--target-triple", "--targets"]),
        ("--project x build --ta", ["--target-triple", "--targets"]),
        ("build --targets ", ALL),
        ("build --targets lin", [name for name in ALL if name.startswith("lin")]),
        ("build --targets linux-x64,w", ["linux-x64,win-x64"]),
        ("build --targets linux-x64,linux-x", ["linux-x64,linux-x64-musl"]),
        ("build --targets=w", ["--targets=win-x64"]),
        ("build --targets = w", ["win-x64"]),  # as bash has it
        ("build --targets =", ALL),
        ("run --target win", ["win-x64"]),
        ("build --engine ", ["auto", "docker", "local"]),
        ("reproduce 1.0 --from ", ["bucket", "dist"]),
        ("explain no-s", ["no-server", "no-such-key-or-value", "no-such-release"]),
        (
            "explain 1",
            [
                "1-a-defect",
                "10-publisherror",
                "11-analyzeerror",
                "12-reproduceerror",
                "129-stopped-by-sighup",
                "130-stopped-by-ctrl-c",
                "141-nobody-reads",
                "143-stopped-by-sigterm",
            ],
        ),
        ("explain --name the-", ["the-store-cannot-be-written"]),
        ("inspect ", []),
        ("inspect --js", ["--json"]),
        ("build --project ", []),
        ("run -- --ta", []),
        ("nothing", []),
        ("--print-completion-script ", ["bash", "fish", "zsh"]),
    ],
)
def test_candidates(line: str, expected: list[str]) -> None:
    assert candidates(line) == expected


def test_nothing_typed_yet() -> None:
    assert candidates("") == sorted([*ns.tasks, *ns.collections, "help"])
    assert "--complete" not in candidates("--")


def test_every_value_is_a_flag_s() -> None:
    flags = {flag for context in ns.to_contexts() for flag in context.flags}
    assert {"--engine", "--from", "--target", "--targets"} <= flags


def test_another_shell() -> None:
    with pytest.raises(UsageError, match=r"no completion for 'zhs'\n.*did you mean 'zsh'"):
        completion.script("zhs", "oxcross")


BASH = """
source ./script
COMP_WORDS=(oxcross {words}) COMP_CWORD={last}
$(complete -p oxcross | sed 's/.*-F \\([^ ]*\\).*/\\1/') oxcross
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ print -r -- "compdef $*"; }}
compadd() {{ shift 2; print -rl -- "$@"; }}
_files() {{ print files; }}
source ./script
words=(oxcross {words}) CURRENT={last}+1
_oxcross_complete
"""


def shell(folder: Path, name: str, text: str) -> str:
    """What a script says in a shell whose PATH has the program, with its completion in the file `script`."""
    program = folder / "bin" / "oxcross"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m oxcross "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    line = ["oxcross", "--print-completion-script", name]
    script = subprocess.run(line, env=env, capture_output=True, text=True, check=True).stdout
    (folder / "script").write_text(script, encoding="utf-8")
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
    done = subprocess.run(
        [name, *flags, "-c", text],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def typed(line: str) -> dict[str, object]:
    words = line.split(" ")
    return {"words": " ".join(shlex.quote(word) for word in words), "last": len(words)}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cache pr", "prune\n"),
        ("build --targets linux-x64,win", "linux-x64,win-x64\n"),
        ("build --targets = win", "win-x64\n"),
        ("build --engine ", "auto\ndocker\nlocal\n"),
        ("inspect x", "\n"),  # -o default: files
    ],
)
def test_bash(tmp_path: Path, line: str, says: str) -> None:
    assert shell(tmp_path, "bash", BASH.format(**typed(line))) == says


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cache pr", "prune\n"),
        ("build --targets=linux-x64,win", "--targets=linux-x64,win-x64\n"),
        ("inspect x", "files\n"),
    ],
)
def test_zsh(tmp_path: Path, line: str, says: str) -> None:
    need(zsh="zsh")
    found = shell(tmp_path, "zsh", ZSH.format(**typed(line)))
    assert found == f"compdef _oxcross_complete oxcross\n{says}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cache pr", "prune\n"),
        ("build --engine ", "auto\ndocker\nlocal\n"),
        ("build --targets=linux-x64,win", "--targets=linux-x64,win-x64\n"),
        ("inspect scr", "script\n"),
    ],
)
def test_fish(tmp_path: Path, line: str, says: str) -> None:
    need(fish="fish")
    text = f"source ./script; complete --do-complete {shlex.quote(f'oxcross {line}')}"
    assert shell(tmp_path, "fish", text) == says
