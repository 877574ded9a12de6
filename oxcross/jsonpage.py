"""docs/json.md: what each task prints with --json, as its docstring says it; a test holds the page and real output to them."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, Final

from invoke.collection import Collection
from invoke.tasks import Task

from oxcross import topics

_BEGIN: Final = "`--json` prints "
_HEAD: Final = """\
# JSON

With `--json` a task prints one JSON object on stdout, and nothing else there. Progress, notes and errors for people are on stderr as ever,
and the exit status is the same. Sizes are in bytes, digests SHA-256 in hex. Readers take no offence at keys that they do not know: a later
oxcross adds some.

Below, `"key"` alone is a text, number, truth value, `null` or a list of texts; a name in capitals stands for any; `…` for further keys, or for
what is too much for here. What `oxcross run`, `shell`, `sbom` and `schema` print is what they are for: they have no `--json`.

## Errors

An error is in the document, too:

```json
{"error": {"kind": "ConfigError", "message": "it is no target", "where": "pyproject.toml: tool.oxcross.targets", "hint": null, "exit-status": 3, "page": "3-configerror"}}
```

`kind` is a class of `oxcross/errors.py`; `Defect` is one of oxcross itself, `KeyboardInterrupt` Ctrl-C. `where` and `hint` may be `null`. Where
several things are wrong with a configuration, the kind is `ConfigErrors`, and `errors` in `error` lists them, each with the same keys. A task
that fails because of what it found (`oxcross verify`, `inspect`, `doctor` …) prints what it found, with `error` beside it.

This page is made of the tasks' help, which a test holds it to; `./invoke docs` writes it.
"""


def page(namespace: Collection, order: topics.Topics) -> str:
    """The page, as Markdown."""
    lines = [_HEAD]
    for topic, rows in topics.listed(namespace, order).items():
        tasks = {name: paragraph(_task(namespace, name)) for name, _ in rows}
        if any(tasks.values()):
            lines.append(f"## {topic}\n")
        for name, text in tasks.items():
            if text:
                lines.append(f"### `oxcross {name}`\n\n{_marked(text)}\n")
    return "\n".join(lines)


def paragraph(task: Task[Any]) -> str:
    """What a task's docstring says of its JSON, in one line; "" for a task without."""
    for one in cleandoc(task.__doc__ or "").split("\n\n"):
        if one.startswith(_BEGIN):
            return " ".join(one.removeprefix(_BEGIN).split())
    return ""


def shapes(text: str) -> Iterator[str]:
    """The documents in such a text: what stands in the outermost braces."""
    depth = begin = 0
    for at, letter in enumerate(text):
        if letter == "{":
            begin = begin if depth else at
            depth += 1
        elif letter == "}":
            depth -= 1
            if not depth:
                yield text[begin : at + 1]


def _task(namespace: Collection, typed: str) -> Task[Any]:
    task: Task[Any] = namespace[typed.replace(" ", ".")]
    return task


def _marked(text: str) -> str:
    """With the documents as code, and the words outside of them as sentences."""
    lines = []
    for shape in shapes(text):
        before, _, text = text.partition(shape)
        lines += [_sentence(before, ":"), f"```text\n{_folded(shape)}\n```"]
    return "\n\n".join(filter(None, [*lines, _sentence(text, ".")]))


def _sentence(text: str, end: str) -> str:
    plain = text.strip(" :;,.")
    return f"{plain[0].upper()}{plain[1:]}{end}" if plain else ""


def _folded(shape: str) -> str:
    """A document in lines that fit on a page: one for each of its keys."""
    if len(shape) <= 100:
        return shape
    lines, depth, begin = ["{"], 0, 1
    for at, letter in enumerate(shape):
        depth += (letter in "{[") - (letter in "}]")
        if depth == 1 and letter == ",":
            lines.append(f"  {shape[begin : at + 1].strip()}")
            begin = at + 1
    return "\n".join([*lines, f"  {shape[begin:-1].strip()}", "}"])
