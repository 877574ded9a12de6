"""Tables as TOML text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dumps(tables: Mapping[str, Any]) -> str:
    """The text of nested tables: plain values first, then a header for each table that has any."""
    return "\n".join(_table(tables, ())).lstrip("\n") + "\n"


def value(thing: Any) -> str:
    """A value, on one line, or a list with a line for each of its values when it would be long."""
    if isinstance(thing, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {value(one)}" for key, one in thing.items()) + " }"
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, list):
        short = "[" + ", ".join(map(value, thing)) + "]"
        return short if len(short) < 90 else "[\n" + "".join(f"    {value(one)},\n" for one in thing) + "]"
    if isinstance(thing, str):
        return json.dumps(thing, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(thing)


def _table(table: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[str]:
    plain = {key: one for key, one in table.items() if not isinstance(one, Mapping)}
    inner = {key: one for key, one in table.items() if isinstance(one, Mapping)}
    if place and (plain or not inner):
        yield "\n[" + ".".join(map(_key, place)) + "]"
    for key, one in plain.items():
        yield f"{_key(key)} = {value(one)}"
    for key, one in inner.items():
        yield from _table(one, (*place, key))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
