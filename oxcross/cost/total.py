"""All that is told of an executable's costs, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from oxcross import targets
from oxcross.collect.distributions import canonical
from oxcross.cost import content as contents
from oxcross.cost import reached, savings, start
from oxcross.cost.content import Content, Piece
from oxcross.cost.savings import Saving
from oxcross.cost.start import Import
from oxcross.errors import InspectError
from oxcross.store import Store

FORMAT: Final = 1
_NO_DATA: Final = (
    contents.BYTECODE,
    contents.EXTENSION,
    contents.SOURCE,
    contents.GROUP,
    "program code",
    "table",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What of others is inside. ``stored`` is None for what lies in program code with others'."""

    name: str
    version: str
    licence: str
    stored: int | None


@dataclass(frozen=True, kw_only=True)
class Cost:
    """``imports`` is None when the start was not measured."""

    content: Content
    savings: tuple[Saving, ...]
    imports: tuple[Import, ...] | None

    @property
    def components(self) -> list[Component]:
        """Distributions and libraries, in the manifest's order."""
        manifest, parts = self.content.manifest, self.content.parts
        found = []
        for row in (*manifest["distributions"], *manifest["libraries"]):
            stored = parts.get(canonical(str(row["name"])), (None, 0))[0]
            found.append(
                Component(
                    name=str(row["name"]),
                    version=str(row["version"]),
                    licence=str(row["licence"]),
                    stored=stored,
                )
            )
        return found

    @property
    def largest_data(self) -> list[Piece]:
        """What is neither code nor its text, the largest first."""
        found = [piece for piece in self.content.pieces if piece.kind not in _NO_DATA and piece.stored]
        return sorted(found, key=lambda piece: (-piece.stored, piece.name))

    def document(self) -> dict[str, Any]:
        """For --json."""
        content = self.content
        document = {
            "format": FORMAT,
            "name": content.name,
            "size": content.size,
            "sha256": content.sha256,
            "app": content.manifest["app"],
            "target": content.target,
            "python": content.manifest["python"],
            "parts": [
                {"part": name, "stored": stored, "size": size}
                for name, (stored, size) in content.parts.items()
            ],
            "pieces": [asdict(piece) for piece in content.pieces],
            "components": [asdict(one) for one in self.components],
            "savings": [asdict(one) for one in self.savings],
        }
        if self.imports is not None:
            document["imports"] = [asdict(one) for one in self.imports]
        return document


def examine(path: Path, store: Store, *, measured: bool) -> Cost:
    """What the executable at ``path`` costs. ``measured``: start it, too.

    Raises as ``content.read`` and ``start.measure`` do, and CollectError when its bytecode cannot be read.
    """
    content = contents.read(path)
    if content.target not in targets.load():
        raise InspectError(
            f"its target is {content.target!r}, which this version of oxcross does not know", where=str(path)
        )
    target = targets.get(content.target)
    python = reached.reader(content, store)
    unreached = reached.unreached(content, target, python) if python else None
    return Cost(
        content=content,
        savings=tuple(savings.savings(content, target.os, unreached)),
        imports=tuple(start.measure(path, content.blobs[0], target)) if measured else None,
    )
