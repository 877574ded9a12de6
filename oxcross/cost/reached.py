"""Which modules of an executable's standard library nothing in it leads to: what `stdlib.unreached = false` would leave out."""

from __future__ import annotations

import re
from pathlib import Path

from oxcross import cpython, recipes, squeeze
from oxcross.collect import parts
from oxcross.cost.content import Content, runs
from oxcross.cpython import series_of
from oxcross.pack.codec import Payload
from oxcross.pack.format import Codec, ModuleFlag, Run, Section
from oxcross.pack.reader import Blob
from oxcross.pack.resources import Module, Resources
from oxcross.store import Store
from oxcross.targets import Target


def reader(content: Content, store: Store) -> Path | None:
    """The CPython that reads the executable's bytecode, of the series that compiled it; None when the store has none."""
    series = series_of(str(content.manifest["python"]))
    if series not in cpython.series():
        return None
    made = store.get(recipes.host_python(series).key)
    return made / "bin" / f"python{series}" if made else None


def unreached(content: Content, target: Target, python: Path) -> frozenset[str]:
    """Their names, with those of the interpreter's own modules that may be left out. CollectError when ``python`` fails."""
    blob = content.blobs[0]
    optional = {name for modules in squeeze.optional().values() for name in modules}
    builtin = optional & set(content.manifest["builtin"])
    return frozenset(parts.unreached(_resources(blob), python, _roots(blob), builtin, system=target.os))


def _roots(blob: Blob) -> list[str]:
    """What the executable runs, as collect/choose.py takes it from the project."""
    roots = []
    for number, text in runs(blob):
        if number in (Run.ENTRY_POINT, Run.MODULE):
            roots.append(text.partition(":")[0])
        elif number == Run.COMMAND:
            roots += re.findall(r"[A-Za-z_][\w.]*", text)
    return roots


def _resources(blob: Blob) -> Resources:
    found = Resources(dictionary=bytes(blob.section(Section.DICTIONARY)))
    for row in blob.modules:
        code = None
        if ModuleFlag.NAMESPACE not in row.flags:
            data = row.code
            code = Payload(blob.stored(data), data.size, Codec(data.codec), b"", data.check)
        found.add_module(
            Module(
                row.name,
                row.path,
                code,
                package=ModuleFlag.PACKAGE in row.flags,
                extension=ModuleFlag.EXTENSION in row.flags,
                stdlib=ModuleFlag.STDLIB in row.flags,
                linked=ModuleFlag.LINKED in row.flags,
            )
        )
    return found
