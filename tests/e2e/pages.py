"""Pages that tests follow: their blocks, and what they show of a program's output."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from program import REPOSITORY

_FENCE = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: with a title, a file of that name; else commands (``sh``) or what they print (``text``)."""

    kind: str
    title: str
    text: str


def blocks(text: str) -> list[Block]:
    return [Block(*found) for found in _FENCE.findall(text)]


def pattern(shown: str) -> str:
    """What a page shows as a regular expression: a line of "…" is any lines, "…" in one any text, one space several."""
    found = ""
    for line in shown.splitlines():
        if line == "…":
            found += r"(?:.*\n)*"
            continue
        words = ["[ ]+".join(map(re.escape, part.split())) for part in line.split("…")]
        found += "[ ]*.*[ ]*".join(words).join(("[ ]*", "[ ]*\\n"))
    return found


def program(folder: Path, module: str = "oxcross") -> Path:
    """oxcross as a program in ``folder``, which is to stand in PATH; or another one that can import it."""
    file = folder / module
    line = f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m {module} "$@"\n'
    file.write_text(line, encoding="utf-8")
    file.chmod(0o755)
    return file
