"""pydantic's findings in the user's words: which key, what is wrong with it, the nearest valid choice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from oxcross.config.cache import Cache
from oxcross.config.macos import App, MacOS, MacPackage, MacSign, Notarize
from oxcross.config.publish import CacheControl, Publish
from oxcross.config.release import Release, ReleaseSign
from oxcross.config.schema import (
    Analyze,
    Command,
    Config,
    Data,
    Interpreter,
    Policy,
    Settings,
    Stdlib,
    Store,
    keys,
)
from oxcross.config.table import Table
from oxcross.config.windows import Sign, VersionInfo, Windows
from oxcross.errors import nearest

_TABLES: Final[Mapping[str, type[Table]]] = {
    "analyze": Analyze,
    "cache": Cache,
    "commands": Command,
    "data": Data,
    "interpreter": Interpreter,
    "policy": Policy,
    "publish": Publish,
    "release": Release,
    "release.sign": ReleaseSign,
    "publish.cache-control": CacheControl,
    "stdlib": Stdlib,
    "store": Store,
    "macos": MacOS,
    "macos.app": App,
    "macos.notarize": Notarize,
    "macos.package": MacPackage,
    "macos.sign": MacSign,
    "windows": Windows,
    "windows.sign": Sign,
    "windows.version-info": VersionInfo,
}


def problems(error: ValidationError) -> Iterator[tuple[str, str, str | None]]:
    """What is wrong, as (dotted key below tool.oxcross, message, hint)."""
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        message, hint = _problem(
            detail["type"], detail["msg"], detail["input"], detail.get("ctx", {}), location
        )
        yield _dotted(location), message, hint


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _problem(
    kind: str, text: str, value: object, context: Mapping[str, Any], location: tuple[int | str, ...]
) -> tuple[str, str | None]:
    shown = (
        repr(value)
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    if kind == "extra_forbidden":
        return "no such key", _nearest_key(location)
    if kind == "missing":
        return "missing", None
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        if choices and isinstance(value, str):
            return f"no such value: {shown}", nearest(value, choices)
        return f"must be {context['expected'].lower()}, not {shown}", None
    if kind == "string_pattern_mismatch":
        return f"not a valid value: {shown}", _PATTERNS.get(context["pattern"])
    if wanted := _TYPES.get(kind):
        return f"must be {wanted}, not {shown}", None
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind]} {next(iter(context.values()))}, not {shown}", None
    message, _, hint = text.partition("\n")
    return message, hint or None


def _nearest_key(location: tuple[int | str, ...]) -> str:
    *parents, key = location
    if parents[:1] == ["target"]:
        parents = parents[2:]
        table: type[Table] = Settings
    else:
        table = Config
    if parents:
        dotted = ".".join(map(str, parents))
        table = _TABLES.get(dotted) or _TABLES.get(str(parents[0]), table)
    others: dict[str, type[Table]] = {"": Config, **_TABLES}
    for name, other in others.items():
        if key in keys(other) and other is not table:
            place = f"tool.oxcross.{name}".rstrip(".")
            return f"{key!r} belongs in [{place}]"
    return nearest(str(key), keys(table))


_TYPES: Final[Mapping[str, str]] = {
    "string_type": "a string",
    "string_too_short": "a string that is not empty",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}

_BOUNDS: Final[Mapping[str, str]] = {
    "greater_than_equal": "at least",
    "less_than_equal": "at most",
}

_PATTERNS: Final[Mapping[str, str]] = {
    r"^[^\W\d]\w*(\.[^\W\d]\w*)*$": "write a module's dotted name, as `import` takes it",
    r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$": "write a distribution's name, without version or marker",
    r"^[A-Za-z0-9_][A-Za-z0-9._+-]*$": "letters, digits, '.', '_', '+' and '-' only: it becomes a file name",
    r"^3\.[0-9]+(\.[0-9]+)?$": 'write a version such as "3.13"',
    r"^[0-9]{1,5}(\.[0-9]{1,5}){0,3}$": 'write up to four numbers, such as "1.2.0.7"',
    r"^https?://\S+$": "write an address that begins with https:// or http://",
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$": "write a bucket's name: 3 to 63 lower-case letters, digits, '-' and '.'",
    r"^[A-Za-z0-9._/+-]+$": "letters, digits, '.', '_', '+', '-' and '/' only: addresses are made of it",
    r"^[a-z0-9][a-z0-9-]*$": "lower-case letters, digits and '-' only: addresses are made of it",
    r"^[A-Za-z0-9+/]{43}=$": "write a public key as `oxcross cache keygen` prints it",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "write the name of an environment variable",
    r"^[ -~]+$": "printable ASCII only: it becomes a header",
    r"^RW[A-Za-z0-9+/]{54}$": "write the last line of a public key of minisign's; `oxcross keygen` makes one",
    r"^2\.[1-9][0-9]$": 'write a glibc version from 2.17 on, such as "2.28"',
}
