"""Makes the compressed launcher: which parts of it are stored compressed, and how they are entered.

Run by the ``squeeze`` step, twice: ``plan`` reads a launcher that was linked with its relocations and a map, and
writes a linker script that gives each group (groups.toml) a range of its own; ``split`` reads the launcher that was
linked with that script, takes the groups out, and writes the table that launcher/groups.h defines.

The modules here import nothing else of oxcross but ``oxcross.elf``: they run with the Python of the build.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

START = Path(__file__).with_name("start.txt")  # `./invoke trace-start` writes it
_MAIN = b"from oxcross.squeeze.main import main\n\nmain()\n"


@cache
def optional() -> Mapping[str, frozenset[str]]:
    """The groups that an application may leave out, with their built-in modules."""
    rows = tomllib.loads(Path(__file__).with_name("groups.toml").read_text(encoding="utf-8"))
    return {name: frozenset(row["modules"]) for name, row in rows.items() if row.get("optional")}


def unused(left_out: Collection[str], builtin: Collection[str]) -> set[str]:
    """The groups of which no module is left: ``builtin`` are those of the CPython, of which ``left_out`` are not wanted."""
    return {name for name, modules in optional().items() if modules.isdisjoint(set(builtin) - set(left_out))}


def tool() -> dict[str, bytes]:
    """The files of a folder that Python runs. ``start.txt`` names the functions of libpython that ran when programs of one
    line did (oxcross/tracing.py); what it lacks costs time, no more.
    """
    here = Path(__file__).resolve().parent
    names = ("main", "linked", "machine", "groups", "script", "split", "table", "write")
    found = {f"oxcross/squeeze/{name}.py": (here / f"{name}.py").read_bytes() for name in names}
    found["oxcross/elf.py"] = (here.parent / "elf.py").read_bytes()
    found["oxcross/squeeze/groups.toml"] = (here / "groups.toml").read_bytes()
    found["oxcross/squeeze/start.txt"] = START.read_bytes()
    return {"__main__.py": _MAIN, "oxcross/__init__.py": b"", "oxcross/squeeze/__init__.py": b"", **found}
