"""What the start of an executable takes, measured in it: which modules are imported, and how long each takes.

The executable acts as Python where one of its own processes starts it (launcher/children.h), and Python has ``-X importtime``. So it
is told that it is such a child, and to import what it would run, and nothing more: no main function is called.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from oxcross import runner
from oxcross.cost.content import runs
from oxcross.errors import InspectError, ToolError
from oxcross.pack.format import NONE, Key, Run
from oxcross.pack.reader import Blob
from oxcross.targets import Target

SECONDS: Final = 60.0
_LINE: Final = re.compile(r"import time: +(\d+) \| +(\d+) \| ( *)(\S+)")
_IDENTITY: Final = 8  # bytes of the blob's digest that launcher/marker.c compares


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import, in the order in which they began. Times in microseconds: its own, and with all that it imported."""

    module: str
    depth: int
    begin: int  # what all before it took
    own: int
    total: int


def measure(path: Path, blob: Blob, target: Target) -> list[Import]:
    """The imports of one start. ToolError when the target's programs cannot run here, InspectError when this one does not."""
    if (lacking := runner.lacking(target)) is not None:
        message = f"{target.name} executables cannot be run here: {lacking}"
        raise ToolError(message, where=str(path), page="an-executable-that-does-not-run-here")
    child = blob.setting(Key.CHILD_PYTHON)
    if child is not None and not child.number:  # what is meant for Python would be the application's
        raise InspectError(
            "its start cannot be measured: it does not act as Python",
            where=str(path),
            hint="build it without child-python = false",
        )
    statements = ";".join(f"import {name}" for name in modules(blob)) or "import sys"
    executable = path.resolve()
    line = runner.line(target, executable, "-I", "-X", "importtime", "-c", statements)
    env = runner.environment(target) | {"OXCROSS_PROCESS": _marker(blob)}
    try:
        done = subprocess.run(
            line,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except OSError as error:
        raise ToolError(f"cannot be run: {error.strerror}", where=str(path)) from error
    except subprocess.TimeoutExpired:
        raise InspectError(f"its imports were not done after {SECONDS:.0f} s", where=str(path)) from None
    text = done.stderr.decode("utf-8", "replace")
    found = waterfall(text)
    if done.returncode or not found:
        rest = [one for one in text.splitlines() if one.strip() and not one.startswith("import time:")]
        said = f": {rest[-1].strip()}" if rest else ""
        raise InspectError(f"its imports ended with status {done.returncode}{said}", where=str(path))
    return found


def modules(blob: Blob) -> list[str]:
    """What it imports when it runs: the modules of its entry points, and that of a file that it runs."""
    names: dict[str, None] = {}
    files = {row.path: row.name for row in blob.modules}
    for number, text in runs(blob):
        if number in (Run.ENTRY_POINT, Run.MODULE):
            names[text.partition(":")[0]] = None
        elif number == Run.FILE and text in files:
            names[files[text]] = None
    return list(names)


def waterfall(text: str) -> list[Import]:
    """What ``-X importtime`` wrote, which tells of an import when it is over, as it began and went on."""
    rows = [
        (len(found[3]) // 2, found[4], int(found[1]), int(found[2]))
        for line in text.splitlines()
        if (found := _LINE.match(line))
    ]
    return list(_begun(rows))


def _begun(rows: list[tuple[int, str, int, int]]) -> Iterator[Import]:
    """The same in the order in which the imports began: a row comes behind those of all that it imported, which are deeper."""
    trees: list[
        tuple[int, list[Import]]
    ] = []  # of each import that is over: its depth, and itself with all below it
    for depth, module, own, total in rows:
        below: list[list[Import]] = []
        while trees and trees[-1][0] > depth:
            below.insert(0, trees.pop()[1])
        inner = [one for tree in below for one in tree]
        trees.append((depth, [Import(module=module, depth=depth, begin=0, own=own, total=total), *inner]))
    ends = {-1: 0}  # by depth: when the last import there was over
    for one in (one for _, tree in trees for one in tree):
        begin = ends[max(depth for depth in ends if depth <= one.depth)]
        ends = {depth: end for depth, end in ends.items() if depth < one.depth}
        ends |= {one.depth: begin + one.total, one.depth + 1: begin}
        yield replace(one, begin=begin)


def _marker(blob: Blob) -> str:
    """What launcher/marker.c writes: whose child this is, and that it is not the application again."""
    identity = int.from_bytes(bytes.fromhex(blob.sha256)[:_IDENTITY], "little")
    return f"{identity:x}:0:{os.getpid():x}:{NONE:x}:0:0"
