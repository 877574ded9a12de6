"""Finds out what of libpython runs when a program starts, and writes it down: what `invoke trace-start` does.

callgrind counts in a launcher that has its symbols. The list says which functions a compressed launcher stores as they
are (oxcross/squeeze); what it lacks costs time at the start, no more.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from oxcross import link, recipes, squeeze, targets
from oxcross.build import workshop
from oxcross.errors import ToolError
from oxcross.inspect.executable import locate
from oxcross.project import load
from oxcross.report import Terminal
from oxcross.squeeze.linked import STT_FUNC, Linked
from oxcross.store import Store

_PROJECT = """\
[project]
name = "start"
version = "1"

[tool.oxcross]
run-file = "start.py"
project = false
sources = false
targets = ["linux-x64"]
"""
_FUNCTION = re.compile(r"^fn=(?:\(\d+\) ?)?(\S+)$", re.MULTILINE)
_NUMBER = re.compile(r"('\d+|\.\d+|\.llvm\.\d+)+$")  # callgrind's for recursion, the compiler's for copies


def trace(store: Store, terminal: Terminal, *, engine: str = "auto") -> list[str]:
    """The functions that run in a program of one line, sorted. ToolError when valgrind is missing."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise ToolError("valgrind is missing: it counts what runs", hint="apt-get install valgrind")
    target = targets.get(recipes.HOST)
    shop = workshop(store, terminal, engine=engine)
    with tempfile.TemporaryDirectory(prefix="oxcross-trace-") as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
        (folder / "start.py").write_text("print('hello world')\n", encoding="utf-8")
        project = load(folder).for_target(target.name)
        (built,) = shop.build([project])
        step = recipes.symbols(target, project.python)
        launcher = shop.make([step])[step] / "bin" / "launcher"
        blob = folder / "blob"
        data = built.path.read_bytes()
        offset, size = locate(data, built.path)
        blob.write_bytes(data[offset : offset + size])
        traced = link.attach(launcher, blob, folder / "traced", target)
        counted, said = folder / "counted", folder / "said"
        line = [valgrind, "--tool=callgrind", "--compress-strings=no", f"--callgrind-out-file={counted}"]
        ran: set[str] = set()
        with said.open("w+b") as file:
            for stream in (subprocess.PIPE, file):  # each is opened in another way
                subprocess.run(
                    [*line, traced.path], check=True, stdin=stream, stdout=stream, stderr=subprocess.PIPE
                )
                ran |= _ran(counted.read_text(encoding="utf-8", errors="replace"))
        return sorted(ran & _functions(launcher))


def _ran(text: str) -> set[str]:
    """The functions that callgrind counted, of all objects: it does not know of every one whose it is."""
    return {_NUMBER.sub("", name) for name in _FUNCTION.findall(text)}


def _functions(launcher: Path) -> set[str]:
    """The functions of libpython and of the libraries that are in a launcher."""
    symbols = Linked(launcher.read_bytes()).symbols
    names = {_NUMBER.sub("", one.name) for one in symbols if one.kind == STT_FUNC and one.section}
    return {name for name in names if not name.startswith(("ox_", "__"))}


def keep(names: list[str]) -> Path:
    """Write start.txt; its path."""
    path = squeeze.START
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return path
