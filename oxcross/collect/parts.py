"""Leaving out parts of the standard library: named groups of it, and what no import leads to (``stdlib.toml``)."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any

from oxcross.errors import CollectError

if TYPE_CHECKING:
    from oxcross.pack.resources import Resources

_HERE = Path(__file__).parent
_SIZE = Struct("<I")
_WORD = re.compile(rb"(?<=\0)[A-Za-z_][A-Za-z_0-9.]{1,99}(?=\0)")


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads((_HERE / "stdlib.toml").read_text(encoding="utf-8"))


def load(system: str = "") -> Mapping[str, tuple[str, ...]]:
    """The groups that may be left out: name -> modules, each with all below it; on a ``system``, as ``Target.os`` has it."""
    more = _table()["exclude-on"].get(system, {})
    return {name: (*modules, *more.get(name, ())) for name, modules in _table()["exclude"].items()}


def excluded(
    resources: Resources,
    groups: Iterable[str],
    kept: Iterable[str],
    builtin: Iterable[str] = (),
    *,
    system: str,
) -> set[str]:
    """The modules of the standard library that ``groups`` leave out, less those of ``kept``; ``builtin`` are those of the
    interpreter that may be left out.
    """
    tops = [module for group in groups for module in load(system)[group]]
    keep = set(kept)
    library = {name for name, module in resources.modules.items() if module.stdlib}
    return {
        name
        for name in library.union(builtin)
        if any(_below(name, top) for top in tops) and not any(_below(name, one) for one in keep)
    }


def unreached(
    resources: Resources,
    python: Path,
    roots: Iterable[str],
    builtin: Iterable[str] = (),
    *,
    system: str,
) -> set[str]:
    """The modules of the standard library that nothing leads to, from ``roots`` and all that is no part of it; among them
    those of ``builtin``, which may be left out of the interpreter.

    A module leads to what its import statements name, wherever they stand, for another system, too; one that is not of the standard library
    leads to modules whose full names are among its texts, too. ``python`` reads the bytecode. CollectError when it fails.
    """
    named = _named(resources, python)
    reached = _table()["reached"]
    always = (*reached["always"], *reached["always-on"].get(system, ()))
    native = frozenset(builtin)
    found: set[str] = set()
    ahead = [name for name, module in resources.modules.items() if not module.stdlib]
    ahead += [
        name for name in (*resources.modules, *native) for top in (*always, *roots) if _below(name, top)
    ]
    while ahead:
        name = ahead.pop()
        if name in found or (name not in resources.modules and name not in native):
            continue
        found.add(name)
        if name in native:
            ahead += reached["by"].get(name, ())
            continue
        own = not resources.modules[name].stdlib
        ahead += [one.removeprefix(":") for one in named.get(name, ()) if own or one[0] != ":"]
        parent = name.rpartition(".")[0]
        if parent:
            ahead.append(parent)
    library = {name for name, module in resources.modules.items() if module.stdlib}
    return (library | native) - found


def _below(name: str, top: str) -> bool:
    return name == top or name.startswith(f"{top}.")


def _named(resources: Resources, python: Path) -> dict[str, list[str]]:
    """What each module names."""
    from oxcross.pack.codec import decode

    every = [(name, one, one.code) for name, one in resources.modules.items() if one.code is not None]
    known = [row for row in every if not row[1].extension]
    request = bytearray()
    for name, module, code in known:
        package = name if module.package else name.rpartition(".")[0]
        for frame in (package.encode(), decode(code, resources.dictionary)):
            request += _SIZE.pack(len(frame)) + frame
    worker = (_HERE / "importing.py").read_text("utf-8")
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", worker], input=request, capture_output=True, check=False
    )
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise CollectError(
            f"the reader of bytecode ended with status {done.returncode}: {last}", where=str(python)
        )
    answers = json.loads(done.stdout)
    named: dict[str, list[str]] = dict(zip((name for name, _, _ in known), answers, strict=True))
    for name, module, code in every:
        if module.extension:  # what C code imports it has the name of
            words = set(_WORD.findall(decode(code, resources.dictionary)))
            named[name] = [f":{word.decode('ascii')}" for word in sorted(words)]
    return named
