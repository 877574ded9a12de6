"""What is to be written: keys with their values, and the reason for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

OWN: Final = "tool.oxcross"
_ORDER: Final = ("build-system", "project", OWN)


@dataclass(frozen=True)
class Choice:
    """A key of a table, its value, and why."""

    table: str
    key: str
    value: Any
    why: str

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {"key": f"{self.table}.{self.key}", "value": self.value, "why": self.why}


@dataclass
class Chosen:
    """All choices so far, and what else there is to know."""

    choices: list[Choice] = field(default_factory=list)
    comments: list[str] = field(
        default_factory=list
    )  # lines of [tool.oxcross] that say what goes without a key
    notes: list[str] = field(default_factory=list)

    def add(self, key: str, value: Any, why: str, *, table: str = OWN) -> None:
        """One more."""
        self.choices.append(Choice(table, key, value, why))

    def value(self, key: str) -> Any:
        """What a key of [tool.oxcross] is to be; None while it is not chosen."""
        return next((one.value for one in self.choices if (one.table, one.key) == (OWN, key)), None)

    def tables(self) -> list[tuple[str, list[Choice]]]:
        """By table, in the order that they are written."""
        found = [(name, [one for one in self.choices if one.table == name]) for name in _ORDER]
        return [(name, rows) for name, rows in found if rows]
