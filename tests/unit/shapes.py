"""Documents as docstrings write them: ``{"name", "rows": [{"key", "state": "new" | "there"}], "by": {NAME: {"size"}}, …}``."""

from __future__ import annotations

import re
from typing import Any

from oxcross import jsonpage
from oxcross.tasks import ns

TOKEN = re.compile(r'\s*("[^"]*"|[A-Z]+|…|[{}\[\]:,|])')

OPTIONAL = {"imports", "packages", "published"}  # their tasks' help says when they are there


def assert_told(task: str, document: dict[str, Any], *, failed: bool = False) -> None:
    """The document is one of those that the task's docstring has; ``failed``: with an error beside it, or instead of it."""
    found = dict(document)
    if failed:
        assert_error(found.pop("error"))
        if not found:
            return
    wanted = [parse(text) for text in jsonpage.shapes(jsonpage.paragraph(ns[task]))]
    wrong = [difference(shape, found, "") for shape in wanted]
    assert "" in wrong, wrong


def assert_error(error: dict[str, Any]) -> None:
    """It has the keys that docs/json.md says an error has."""
    assert list(error)[:6] == ["kind", "message", "where", "hint", "exit-status", "page"]
    assert isinstance(error["message"], str)
    assert isinstance(error["exit-status"], int)
    assert (error["kind"] == "ConfigErrors") is ("errors" in error)
    for one in error.get("errors", ()):
        assert_error(one)


def parse(text: str) -> Any:
    """A shape: a dictionary by key (a name in capitals: any), a list of one, a set of values, None for what is plain, ... for anything."""
    tokens = TOKEN.findall(text)
    assert "".join(tokens) == re.sub(r"\s", "", text), text
    shape = _value(tokens)
    assert not tokens, text
    return shape


def _value(tokens: list[str]) -> Any:
    first = tokens.pop(0)
    if first == "[":
        inner = _value(tokens)
        assert tokens.pop(0) == "]"
        return [inner]
    if first == "{":
        keys = {}
        while True:
            key = tokens.pop(0)
            keys[key.strip('"')] = _after(tokens) if tokens[0] == ":" else None
            if tokens.pop(0) == "}":
                return keys
    if first == "…":
        return ...
    values = {first.strip('"')}
    while tokens and tokens[0] == "|":
        del tokens[0]
        values.add(tokens.pop(0).strip('"'))
    return values if first.startswith('"') else None


def _after(tokens: list[str]) -> Any:
    del tokens[0]
    return _value(tokens)


def difference(shape: Any, value: Any, place: str) -> str:
    """Where a value is not of that shape; "" where it is."""
    if shape is ...:
        return ""
    if isinstance(shape, dict):
        if value is None:
            return ""
        if not isinstance(value, dict):
            return f"{place}: no object: {value!r}"
        names = [key for key in shape if key.isupper()]
        if names:
            pairs = [(shape[names[0]], key) for key in value]
        else:
            if missing := shape.keys() - value.keys() - OPTIONAL - {"…"}:
                return f"{place}: lacks {missing}"
            if "…" not in shape and (more := value.keys() - shape.keys()):
                return f"{place}: has {more}"
            pairs = [(shape[key], key) for key in shape if key in value]
        return next(
            filter(None, (difference(inner, value[key], f"{place}.{key}") for inner, key in pairs)), ""
        )
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place}: no list: {value!r}"
        return next(filter(None, (difference(shape[0], one, f"{place}[]") for one in value)), "")
    if isinstance(shape, set):
        return "" if value in shape else f"{place}: {value!r} is none of {sorted(shape)}"
    plain = value if isinstance(value, list) else [value]
    return "" if not any(isinstance(one, dict | list) for one in plain) else f"{place}: not plain"
