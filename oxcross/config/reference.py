"""docs/configuration.md: every key of ``[tool.oxcross]``, as the models say it; a test holds the page to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from oxcross.config import schema

_HEAD: Final = """\
# The configuration

All keys of `[tool.oxcross]` in `pyproject.toml`. Paths and globs are relative to the project's folder. A key that is not here is an
error, which names the nearest one that is. `oxcross check` looks at a configuration and builds nothing; `oxcross schema` prints the JSON
Schema of all this.

Editors with Taplo (such as VS Code with Even Better TOML) complete and check the table, and `taplo lint` does, when the schema lies beside
`pyproject.toml`, and `.taplo.toml` names it:

```sh
oxcross schema --pyproject > oxcross.schema.json
```

```toml
[[rule]]
include = ["**/pyproject.toml"]
schema = { path = "oxcross.schema.json", enabled = true }
```

[validate-pyproject](https://validate-pyproject.readthedocs.io) knows the table wherever oxcross is installed beside it.

This page is made of the models in `oxcross/config/`, which a test holds it to; `./invoke docs` writes it.
"""
_COLUMNS: Final = "| key | value | default | meaning |\n|---|---|---|---|"

Node = Mapping[str, Any]


def page() -> str:
    """The page, as Markdown."""
    document = schema.json_schema()
    tables = document["$defs"]
    return "\n".join([_HEAD, *_section("[tool.oxcross]", document, "tool.oxcross", tables)])


def _section(title: str, table: Node, place: str, tables: Mapping[str, Node]) -> Iterator[str]:
    """A table of the configuration, then those below it; ``place`` is its dotted name, "" for what has none."""
    yield f"## `{title}`\n"
    if place != "tool.oxcross" and "description" in table:
        yield _line(table["description"]) + "\n"
    yield _COLUMNS
    below: list[tuple[str, Node, str]] = []
    for key, node in table["properties"].items():
        name = next(iter(_tables(node)), "")
        inner = tables.get(name, {})
        if name == "Settings":
            below.append((f"[{place}.{key}.NAME]", {}, ""))
            meaning = node["description"]
        elif name and _plain(node):
            below.append((f"[{place}.{key}]", inner, f"{place}.{key}"))
            meaning = inner.get("description", "")
        elif name:
            below.append((f"{place}.{key}", inner, ""))
            meaning = node["description"]
        else:
            meaning = node.get("description", "")
        default = "" if name and _plain(node) else _default(key, node, table)
        link = f"[`{key}`](#{_anchor(below[-1][0])})" if name else f"`{key}`"
        yield f"| {link} | {_value(node)} | {default} | {_line(meaning)} |"
    yield ""
    for heading, inner, deeper in below:
        if inner:
            yield from _section(heading, inner, deeper, tables)
        else:
            yield from _of_target(heading)


def _of_target(title: str) -> Iterator[str]:
    """Which keys a target's own table may hold."""
    own = set(schema.keys(schema.Settings))
    others = [f"`{key}`" for key in schema.keys(schema.Config) if key not in own]
    yield f"## `{title}`\n"
    yield (
        f"For one target (`oxcross targets` lists them), all keys of `[tool.oxcross]` may stand here but {', '.join(others[:-1])} and "
        f"{others[-1]}. What stands here takes the place of what stands there; of a table, key by key.\n"
    )


def _tables(node: Node) -> Iterator[str]:
    """The names of the models that a value may be, or hold."""
    if "$ref" in node:
        yield node["$ref"].rpartition("/")[2]
    for inner in (*node.get("anyOf", ()), *node.get("patternProperties", {}).values()):
        yield from _tables(inner)
    for part in ("items", "additionalProperties"):
        if isinstance(node.get(part), dict):
            yield from _tables(node[part])


def _plain(node: Node) -> bool:
    """Whether the value is a table itself, rather than several."""
    return "$ref" in node or any("$ref" in inner for inner in node.get("anyOf", ()))


def _value(node: Node) -> str:
    """What may stand there, in words."""
    if "anyOf" in node:
        return ", or ".join(_value(inner) for inner in node["anyOf"] if inner.get("type") != "null")
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{json.dumps(one)}`" for one in node["enum"])
    if node.get("type") == "array":
        return f"list of {_value(node['items'])}"
    if node.get("type") == "integer" and {"minimum", "maximum"} <= node.keys():
        return f"{node['minimum']} to {node['maximum']}"
    return _WORDS.get(node.get("type", "object"), "table")


_WORDS: Final = {"string": "text", "boolean": "`true`, `false`", "integer": "whole number"}


def _default(key: str, node: Node, table: Node) -> str:
    """What holds without the key; nothing where only its meaning can say that."""
    if key in table.get("required", ()):
        return "must be there"
    found = node.get("default")
    return "" if found in (None, "", [], {}) else f"`{json.dumps(found)}`"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(title: str) -> str:
    """The anchor of a heading, as MkDocs and the forges make it."""
    return "".join(letter for letter in title.lower() if letter.isalnum() or letter in "-_ ").replace(
        " ", "-"
    )
