"""DLLs inside wheels for Windows: what each is called and asks for, and who has what is asked for (``dlls.toml``).

Windows knows a DLL by its file's name, whatever the case: where an extension module asks for one, any that is loaded and
has that name will do. So the launcher has a table of all that are embedded, and maps or loads one when it is asked for,
by an import table or by ``LoadLibrary``.
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross.pack.resources import Library

if TYPE_CHECKING:
    from oxcross.collect.libraries import Shared

_TABLE = Path(__file__).with_name("dlls.toml")


@dataclass(frozen=True, slots=True)
class Known:
    """DLLs that no wheel has to bring, by names in lower case and patterns; ``product`` is what users install."""

    launcher: tuple[str, ...]
    runtime: tuple[str, ...]
    product: str
    system: frozenset[str]
    sets: tuple[str, ...]

    def brings(self, name: str) -> bool:
        """Whether every Windows that can run the executable has the DLL, or the launcher stands in for it."""
        return name in self.system or _matches(name, (*self.sets, *self.launcher))

    def is_runtime(self, name: str) -> bool:
        """Whether it is one of Microsoft's for C++, which is not part of Windows."""
        return _matches(name, self.runtime)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@cache
def known() -> Known:
    """The table; read once."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return Known(
        launcher=tuple(table["launcher"]["patterns"]),
        runtime=tuple(table["runtime"]["patterns"]),
        product=table["runtime"]["product"],
        system=frozenset(table["system"]["names"]),
        sets=tuple(table["system"]["patterns"]),
    )


@dataclass(frozen=True, slots=True)
class Embedded:
    """``libraries`` are what is embedded, each behind what it needs; ``missing`` are the names that nobody has, with the
    files that ask for them; ``twins`` are files whose name another one has already, with that one.
    """

    libraries: tuple[Library, ...]
    missing: Mapping[str, tuple[str, ...]]
    twins: Mapping[str, str]


def order(shared: Iterable[Shared]) -> Embedded:
    """The table of embedded DLLs: all of them, and what else is asked for by name (a ``.pyd`` can be).

    Of two with one name it is the first that somebody asks for, from his own folder if it is there; else the first.
    """
    files = sorted(shared, key=lambda file: file.path)
    by_name: dict[str, list[Shared]] = {}
    for file in files:
        by_name.setdefault(_name(file.path), []).append(file)
    ordered: dict[str, Library] = {}
    missing: dict[str, list[str]] = {}
    chosen: dict[str, Shared] = {}

    def need(name: str, user: Shared, *, later: bool = False) -> None:
        if name in chosen:
            return
        if name not in by_name:
            if not known().brings(name) and not later:
                missing.setdefault(name, []).append(user.path)
            return
        take(name, _nearest(by_name[name], user))

    def take(name: str, file: Shared) -> None:
        chosen[name] = file
        for other in file.needed:
            need(other, file)
        for other in file.delayed:
            need(other, file, later=True)
        ordered[name] = Library(name, file.path)

    for file in files:
        for name in file.needed:
            need(name, file)
        for name in file.delayed:
            need(name, file, later=True)
    for name, candidates in by_name.items():
        if name.endswith(".dll") and name not in chosen:
            take(name, candidates[0])
    systems = _closure([file for file in files if file.thread_local], chosen)
    for name in systems & ordered.keys():
        ordered[name] = replace(ordered[name], systems=True)
    twins = {
        file.path: chosen[name].path
        for name, candidates in by_name.items()
        for file in candidates
        if name in ordered and file is not chosen[name]
    }
    return Embedded(tuple(ordered.values()), {name: tuple(users) for name, users in missing.items()}, twins)


def _closure(files: Iterable[Shared], chosen: Mapping[str, Shared]) -> set[str]:
    """The names of what these files need, and what that needs: Windows' loader sees no library that is mapped from memory."""
    found: set[str] = set()
    ahead = [name for file in files for name in file.needed]
    while ahead:
        name = ahead.pop()
        if name in chosen and name not in found:
            found.add(name)
            ahead += chosen[name].needed
    return found


def reached(shared: Iterable[Shared]) -> set[str]:
    """The paths of what extension modules load before they run, themselves among it; not plugins and programs."""
    files = list(shared)
    by_name: dict[str, list[Shared]] = {}
    for file in files:
        by_name.setdefault(_name(file.path), []).append(file)
    found: set[str] = set()
    ahead = [file for file in files if file.path.lower().endswith(".pyd")]
    while ahead:
        file = ahead.pop()
        if file.path not in found:
            found.add(file.path)
            ahead += [_nearest(by_name[name], file) for name in file.needed if name in by_name]
    return found


def _name(path: str) -> str:
    return posixpath.basename(path).lower()


def _nearest(candidates: list[Shared], user: Shared) -> Shared:
    here = posixpath.dirname(user.path)
    return next((file for file in candidates if posixpath.dirname(file.path) == here), candidates[0])
