"""What analyze tells of a distribution that is given as texts: for its tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from oxcross import project as projects
from oxcross import targets
from oxcross.analyze.judge import Told, judge
from oxcross.analyze.parts import Part
from oxcross.analyze.scan import scan
from oxcross.collect.libraries import Shared
from oxcross.sources import Source
from oxcross.store import Store

__all__ = ["Told", "told"]


def told(
    root: Path,
    store: Store,
    content: str | Mapping[str, str | bytes | Path | Shared],
    *,
    settings: str = "",
    files: Mapping[str, str] | None = None,
    own: bool = True,
    linked: Iterable[Source] = (),
    target: str = "linux-x64",
) -> list[Told]:
    """Everything about one distribution: a module ``pkg/a.py``, or files; a Shared stands for its library."""
    given = {"pkg/a.py": content} if isinstance(content, str) else dict(content)
    project = {"pyproject.toml": f'[tool.oxcross]\nname = "app"\nversion = "1"\nrepl = true\n{settings}\n'}
    for path, text in {**project, **(files or {})}.items():
        root.mkdir(exist_ok=True)
        (root / path).write_text(text)
    shared = [one for one in given.values() if isinstance(one, Shared)]
    contents = {path: _bytes(one) for path, one in given.items() if not isinstance(one, Shared)}
    own = own and not any(path.endswith("METADATA") for path in contents)
    contents.setdefault("pkg/__init__.py", b"")
    part = Part(
        name="pkg",
        key=repr(sorted(contents.items())),
        files=tuple(sorted(contents)),
        contents=contents,
        own=own,
    )
    row = targets.get(target)
    [scanned] = scan([part], row.os, store)
    scanned = dataclasses.replace(scanned, shared=(*scanned.shared, *shared))
    return judge([scanned], projects.load(root), row, linked)


def _bytes(content: str | bytes | Path | Shared) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else bytes(content)  # type: ignore[arg-type]
