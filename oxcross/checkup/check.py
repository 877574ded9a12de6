"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at. ``group``: what it is needed for ("always", "local", "docker", "project", "reproduce", …)."""

    name: str
    ok: bool
    detail: str
    fix: str = ""  # a command, or what to do
    group: str = "always"

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail, "fix": self.fix, "for": self.group}
