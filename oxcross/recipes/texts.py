"""The licence texts of what ends in a target's executables, out of the sources that these are built from."""

from __future__ import annotations

import json
from functools import cache

from oxcross import rooms, sources
from oxcross.cpython import pinned
from oxcross.plan import Step, Tree
from oxcross.recipes import components
from oxcross.recipes.components import Component
from oxcross.recipes.interpreter import host_python
from oxcross.recipes.rendering import step
from oxcross.sources import Source
from oxcross.targets import Target


@cache
def licences(target: Target, version: str) -> Step:
    """``texts/NAME.txt`` for each of ``components.of``. It reads sources only, and nothing that is built reads it."""
    row, _ = pinned(version)
    parts = components.of(target, version)
    read: dict[str, Source] = {}
    texts = {name: [_place(one, file, read) for file in one.files] for name, one in parts.items()}
    stated = [
        [source.name, part.stated_in, part.version]
        for source in read.values()
        for part in source.parts
        if part.stated_in and part.name in parts
    ]
    wanted = {
        "texts": texts,
        "stated": stated,
        "kinds": {source.name: source.kind for source in read.values()},
    }
    support = {
        "licences.py": rooms.files("templates")["licences/licences.py"],
        "licences.json": (json.dumps(wanted, indent=1) + "\n").encode(),
    }
    return step(
        target,
        "licences",
        title="licence texts",
        inputs={**read, "host-python": host_python(version), "support": Tree(support)},
        outputs=tuple(f"texts/{name}.txt" for name in texts),
        toolchain=False,
        minor=row.series,
    )


def _place(one: Component, file: str, read: dict[str, Source]) -> list[str]:
    """Source and path of a licence file; the source is noted in ``read``."""
    other, colon, path = file.rpartition(":")
    source = sources.get(other) if colon else one.source
    read[source.name] = source
    return [source.name, path]
