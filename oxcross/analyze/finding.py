"""What analyze found at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A rule that applies somewhere. ``path`` is below site-packages, ``line`` counts from 1 (0: all of it)."""

    path: str
    line: int
    rule: str
    subject: str  # what of the rule it is: a program, a module, a library, an attribute
    code: str = ""  # the source line
    soft: bool = False  # it is guarded, or does not run in an application: never more than a note

    def row(self) -> list[Any]:
        """As JSON keeps it."""
        return [self.path, self.line, self.rule, self.subject, self.code, self.soft]
