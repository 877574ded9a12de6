"""What differs between two executables, piece by piece, with what each piece takes in the file."""

from __future__ import annotations

import json
import operator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from oxcross.cost import content as contents
from oxcross.cost.content import BYTECODE, EXTENSION, Content
from oxcross.publish import contained

_MOST_WORDS: Final = 60  # letters of a value that is shown
Sizes = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A piece that only one of them has, or that is another one. ``before`` and ``after``: its bytes in the file, None where it is not,
    or takes none of its own. ``note``: versions or values.
    """

    kind: str  # as contained.py has them
    name: str
    state: str  # added | removed | changed
    before: int | None
    after: int | None
    note: str = ""

    @property
    def growth(self) -> int:
        """By how many bytes it made the file longer."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two executables; the changes that grew most come first."""

    before: Content
    after: Content
    changes: tuple[Change, ...]

    @property
    def parts(self) -> list[tuple[str, int, int]]:
        """What each part of them takes, where that differs, by how much."""
        one, other = self.before.parts, self.after.parts
        rows = [(name, one.get(name, (0, 0))[0], other.get(name, (0, 0))[0]) for name in {**one, **other}]
        return sorted(
            (row for row in rows if row[1] != row[2]), key=lambda row: (-abs(row[2] - row[1]), row[0])
        )

    def document(self) -> dict[str, Any]:
        """For --json."""
        sides = {"before": self.before, "after": self.after}
        return {
            **{
                name: {"name": side.name, "size": side.size, "sha256": side.sha256}
                for name, side in sides.items()
            },
            "target": self.after.target,
            "parts": [{"part": name, "before": old, "after": new} for name, old, new in self.parts],
            "changes": [asdict(one) for one in self.changes],
        }


def compare(before: Path, after: Path) -> Difference:
    """What differs. Raises as ``content.read`` does."""
    old, new = contents.read(before), contents.read(after)
    one, other = contained.read(before).pieces, contained.read(after).pieces
    old_sizes, new_sizes = _sizes(old), _sizes(new)
    changes = []
    for piece in {**one, **other}:
        left, right = one.get(piece), other.get(piece)
        if left != right:
            state = "added" if left is None else "removed" if right is None else "changed"
            changes.append(
                Change(
                    kind=piece[0],
                    name=piece[1],
                    state=state,
                    before=_size(piece, left, old_sizes),
                    after=_size(piece, right, new_sizes),
                    note=_note(piece[0], left, right),
                )
            )
    changes.sort(key=lambda change: (-abs(change.growth), change.kind, change.name))
    return Difference(before=old, after=new, changes=tuple(changes))


def _sizes(content: Content) -> Sizes:
    """What modules and files take, by the names that contained.py has for them."""
    numbers: dict[str, int] = {}
    found: Sizes = {}
    for piece in content.pieces:
        if piece.path:
            number = numbers.setdefault(piece.arch, len(numbers) + 1)
            mark = f"{number}/" if piece.arch else ""
            module = piece.kind in (BYTECODE, EXTENSION)
            found["module" if module else "file", mark + (piece.name if module else piece.path)] = (
                piece.stored
            )
    return found


def _size(piece: tuple[str, str], data: bytes | None, sizes: Sizes) -> int | None:
    if data is None:
        return None
    return len(data) if piece[0] == contained.CODE else sizes.get(piece)


def _note(kind: str, left: bytes | None, right: bytes | None) -> str:
    """Both values, where they are short; of program code that is as long as it was, how much of it differs. Some
    always does when the rest is longer, for it says where that ends.
    """
    if kind == contained.CODE and left and right and len(left) == len(right):
        return f"{sum(map(operator.ne, left, right))} bytes of {len(left)}"
    values = [_value(kind, data) for data in (left, right) if data is not None]
    return " → ".join(dict.fromkeys(values)) if all(values) else ""


def _value(kind: str, data: bytes) -> str:
    if kind in ("distribution", "component"):
        return str(json.loads(data).get("version", ""))
    if kind == "fact":
        text = json.dumps(json.loads(data))
    elif kind == "setting":
        lines = data.decode("utf-8", "backslashreplace").splitlines()
        text = ", ".join(line.removeprefix("0 ").strip() or "0" for line in lines)  # a text has no number
    else:
        return ""
    return text if len(text) <= _MOST_WORDS else ""
