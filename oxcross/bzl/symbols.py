"""The symbols of PyOxidizer's configuration files, as ``symbols.toml`` has them, and the page that tells of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_TABLE = Path(__file__).with_name("symbols.toml")
RESOURCES: Final = (
    "PythonModuleSource",
    "PythonExtensionModule",
    "PythonPackageResource",
    "PythonPackageDistributionResource",
    "File",
)


@dataclass(frozen=True)
class Symbol:
    """A global, method or attribute."""

    name: str
    state: str  # works | noted | refused
    does: str  # for people, with backquotes
    types: tuple[
        str, ...
    ] = ()  # an attribute's: bool, int, str, list, dict, None, or the texts that it may be
    default: Any = None  # an attribute's


@dataclass(frozen=True)
class Type:
    """A type's attributes and methods, by name."""

    attributes: Mapping[str, Symbol]
    methods: Mapping[str, Symbol]


@cache
def variables() -> Mapping[str, Symbol]:
    """The global functions, constants and constructors."""
    return {name: Symbol(name, *row) for name, row in _table()["globals"].items()}


@cache
def types() -> Mapping[str, Type]:
    """The types by name; resources with the attributes that all of them have."""
    shared = _table()["resource"]
    found = {}
    for name, rows in _table()["types"].items():
        attributes = {**rows.get("attributes", {}), **(shared if name in RESOURCES else {})}
        methods = {key: Symbol(key, *row) for key, row in rows.get("methods", {}).items()}
        found[name] = Type({key: _attribute(key, row) for key, row in attributes.items()}, methods)
    return found


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


def _attribute(name: str, row: list[Any]) -> Symbol:
    state, types, default, does = row
    kinds = tuple(types.split(" | "))
    return Symbol(name, state, does, kinds, None if default == "" and "None" in kinds else default)


_HEAD = """\
# PyOxidizer's configuration files

How a project with a `pyoxidizer.bzl` is built as it stands, and moved over: [from PyOxidizer](migrate/pyoxidizer.md). What each symbol
of PyOxidizer 0.24 does here:

- **works**: what PyOxidizer's documentation says, by the key of `[tool.oxcross]` that is named;
- **noted**: it is taken and changes nothing; a warning says why, or what to do instead;
- **refused**: an error that names the line, and what to do instead.

This page is made of `oxcross/bzl/symbols.toml`, which a test holds it to.
"""


def page() -> str:
    """docs/pyoxidizer.md."""
    parts = [_HEAD, *_section("Globals", variables().values())]
    for name, rows in types().items():
        both = [*rows.attributes.values(), *rows.methods.values()]
        if both:
            parts += _section(f"`{name}`", both)
    return "\n".join(parts)


def _section(title: str, rows: Any) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| symbol | here | what it does |\n|---|---|---|"
    for row in rows:
        yield f"| `{row.name}` | {row.state} | {row.does.replace('|', chr(92) + '|')} |"
    yield ""
