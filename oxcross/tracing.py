"""Finds out what of libpython runs when a program starts, and writes it down: what `invoke trace-start` does.

QEMU tells it of launchers that have their symbols, of every target: compilers inline otherwise for each. The list says
which functions a compressed launcher stores as they are (oxcross/squeeze). When one is missing, the start has to unpack
all those that are not on it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from oxcross import link, recipes, squeeze, targets
from oxcross.build import Workshop, workshop
from oxcross.errors import ToolError
from oxcross.inspect.executable import locate
from oxcross.project import Project, load
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
targets = [{targets}]
"""
_BLOCK = re.compile(r"^IN: (\S+)$", re.MULTILINE)  # QEMU's -d in_asm: the function that a block of code is in
_NUMBER = re.compile(r"(\.\d+|\.llvm\.\d+)+$")  # the compiler's, for copies of one name


def trace(store: Store, terminal: Terminal, *, engine: str = "auto") -> list[str]:
    """The functions that run in a program of one line, on any target, sorted. ToolError when QEMU is missing."""
    shop = workshop(store, terminal, engine=engine)
    ran: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="oxcross-trace-") as name:
        folder = Path(name)
        rows = [row for row in targets.load().values() if row.os == "linux"]
        listed = ", ".join(f'"{row.name}"' for row in rows)
        (folder / "pyproject.toml").write_text(_PROJECT.format(targets=listed), encoding="utf-8")
        (folder / "start.py").write_text("print('hello world')\n", encoding="utf-8")
        project = load(folder)
        for row in rows:
            ran |= _trace(shop, project.for_target(row.name), row, folder)
    return sorted(ran)


def _trace(shop: Workshop, project: Project, target: targets.Target, folder: Path) -> set[str]:
    qemu = shutil.which(f"qemu-{target.arch}-static") or shutil.which(f"qemu-{target.arch}")
    if qemu is None:
        raise ToolError("QEMU is missing: it tells what runs", hint="apt-get install qemu-user-static")
    (built,) = shop.build([project])
    step = recipes.symbols(target, project.python)
    launcher = shop.make([step])[step] / "bin" / "launcher"
    data = built.path.read_bytes()
    offset, size = locate(data, built.path)
    blob = folder / "blob"
    blob.write_bytes(data[offset : offset + size])
    traced = link.attach(launcher, blob, folder / f"traced-{target.name}", target)
    log, said = folder / "log", folder / "said"
    ran: set[str] = set()
    with said.open("w+b") as file:
        for stream in (subprocess.PIPE, file):  # each is opened in another way
            line = [qemu, "-d", "in_asm", "-D", str(log), str(traced.path)]
            subprocess.run(line, check=True, stdin=stream, stdout=stream)
            ran |= _ran(log.read_text(encoding="utf-8", errors="replace"))
    return ran & _functions(launcher)


def _ran(text: str) -> set[str]:
    """The functions that QEMU saw run: it names those of the executable only."""
    return {_NUMBER.sub("", name) for name in _BLOCK.findall(text)}


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
