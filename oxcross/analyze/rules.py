"""The rules of ``analyze``: rules.toml, read and checked."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from oxcross.targets import SYSTEMS

TABLE = Path(__file__).with_name("rules.toml")
SEVERITIES: Final = ("error", "warning", "note")  # the gravest first
_FORMAT = 1  # part of every key of cached results: a change of how rules are applied makes all of it new


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that may differ: ``kind`` says how it is looked for, the rest what is looked for."""

    id: str
    severity: str
    kind: str
    why: str
    advice: str
    names: tuple[
        str, ...
    ] = ()  # dotted names as `import` would give them; kinds call, attribute, load, place
    pattern: str = ""  # a regular expression that matches from the start; kinds command, string, licence
    origins: tuple[str, ...] = ()  # what a path is made from; kinds write, database, folder
    modules: tuple[str, ...] = ()  # kinds absent, child
    default: bool = True  # kind attribute: whether getattr with a default counts as well
    harmless: tuple[str, ...] = ()  # "distribution" or "distribution:path", * and ? match

    def accepts(self, distribution: str, path: str) -> bool:
        """Whether what was found there is known to do no harm."""
        for entry in self.harmless:
            name, colon, place = entry.partition(":")
            if fnmatchcase(distribution, name) and (not colon or fnmatchcase(path, place)):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Writer:
    """Which arguments of a call name what it writes; ``mode``: the argument that says whether it does."""

    paths: tuple[int, ...]
    mode: int = -1
    writes: bool = False  # whether it does without a mode


@dataclass(frozen=True)
class Rules:
    """All of rules.toml."""

    rules: Mapping[str, Rule]
    writers: Mapping[str, Writer]
    write_methods: frozenset[str]  # of paths
    commands: frozenset[str]  # calls whose first argument is a command line
    lookups: frozenset[str]  # calls whose first argument is a program's name
    origin_names: Mapping[str, str]  # dotted name -> origin
    carriers: frozenset[str]  # calls whose result is made from their first argument
    carrier_methods: frozenset[str]
    aside: re.Pattern[str]  # files that do not run in an application: tests, examples, builds
    tools: frozenset[str]  # distributions that build and install others
    past: frozenset[str]  # modules that nobody misses
    elsewhere: Mapping[str, re.Pattern[str]]  # system -> files for other systems and Pythons
    lacking: Mapping[str, frozenset[str]]  # system -> modules of the standard library that it does not have
    systems: tuple[
        tuple[str, str], ...
    ]  # libraries that systems bring (* matches), the kind of rule about them
    bundled: tuple[tuple[re.Pattern[str], str], ...]  # shared libraries' names -> their licence

    def of(self, *kinds: str) -> list[Rule]:
        """The rules of these kinds."""
        return [rule for rule in self.rules.values() if rule.kind in kinds]

    def needed(self, library: str) -> Rule:
        """The rule about a library that no wheel brings."""
        kinds = (kind for name, kind in self.systems if fnmatchcase(library, name))
        return self.one(next(kinds, "needed"))

    def one(self, kind: str) -> Rule:
        """The only rule of a kind."""
        [rule] = self.of(kind)
        return rule


@cache
def load() -> Rules:
    """The table; read once."""
    document = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    rules = [Rule(**_tuples(row)) for row in document["rule"]]
    names = {field.name for field in fields(Rules)}
    places, paths, libraries = document["places"], document["paths"], document["libraries"]
    known = {rule.id: rule for rule in rules}
    assert len(known) == len(rules), "a rule's id is there twice"  # noqa: S101 (our own table)
    values: dict[str, Any] = {
        "rules": known,
        "writers": {name: Writer(**_tuples(row)) for name, row in document["writers"].items()},
        "write_methods": frozenset(paths["write-methods"]),
        "commands": frozenset(document["commands"]["run"]),
        "lookups": frozenset(document["commands"]["look-up"]),
        "origin_names": {name: origin for origin, row in document["origins"].items() for name in row},
        "carriers": frozenset(paths["carriers"]),
        "carrier_methods": frozenset(paths["carrier-methods"]),
        "aside": re.compile(places["aside"]),
        "tools": frozenset(places["tools"]),
        "past": frozenset(places["past"]),
        "elsewhere": {system: _elsewhere(places["elsewhere"], system) for system in SYSTEMS},
        "lacking": {system: frozenset(document["lacking"].get(system, ())) for system in SYSTEMS},
        "systems": tuple((name, f"needed-{kind}") for kind, row in libraries.items() for name in row),
        "bundled": tuple((re.compile(row["name"]), row["licence"]) for row in document["bundled"]),
    }
    return Rules(**{name: values[name] for name in names})


@cache
def words() -> re.Pattern[bytes]:
    """What a module must contain for a rule to apply; modules without it are read for imports only."""
    rules = load()
    found = {name.rpartition(".")[2] for rule in rules.of("call", "attribute", "load") for name in rule.names}
    found |= {name.rpartition(".")[2] for name in rules.commands | rules.lookups}
    found |= {name.rpartition(".")[2] for rule in rules.of("relative") for name in rule.names}
    found |= {"__file__", "__path__", "/usr/"}
    found |= {name.removesuffix("()").rpartition(".")[2] for name in rules.origin_names}
    return re.compile("|".join(sorted(map(re.escape, found))).encode())


@cache
def beginnings() -> re.Pattern[bytes]:
    """What a module must contain for a function of its own to return a path that rules are about."""
    names = {name.removesuffix("()").rpartition(".")[2] for name in load().origin_names}
    return re.compile("|".join(sorted(map(re.escape, names | {"__file__", "__path__"}))).encode())


@cache
def digest() -> str:
    """SHA-256 of all that a cached result depends on besides the files."""
    return hashlib.sha256(str(_FORMAT).encode() + TABLE.read_bytes()).hexdigest()


def _elsewhere(words: Mapping[str, list[str]], system: str) -> re.Pattern[str]:
    own = {system, "linux"} if system == "macos" else {system}
    others = [word for kind, row in words.items() if kind not in own for word in row]
    return re.compile(rf"(?i)(.*[/_])?({'|'.join(map(re.escape, others))})([/_].*)?(/.*)?\.py")


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
