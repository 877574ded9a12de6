"""A reporter that writes down what it is told, and a pinned source made by a test."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from oxcross.plan import Step


class Recorder:
    """Every call as a tuple, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self._mutex = threading.Lock()

    def _note(self, *call: object) -> None:
        with self._mutex:
            self.calls.append(call)

    def step_started(self, step: Step) -> None:
        self._note("started", step.name)

    def step_finished(self, step: Step, *, cached: bool, seconds: float) -> None:
        self._note("cached" if cached else "built", step.name)

    def step_failed(self, step: Step, seconds: float) -> None:
        self._note("failed", step.name)

    def fetch_started(self, name: str, total: int) -> None:
        self._note("fetch", name, total)

    def fetch_progress(self, name: str, done: int, total: int) -> None:
        self._note("progress", name, done, total)

    def fetch_finished(self, name: str, *, ok: bool) -> None:
        self._note("fetched" if ok else "not fetched", name)

    def notice(self, text: str) -> None:
        self._note("notice", text)

    def of(self, kind: str) -> list[object]:
        """The second field of every call of that kind."""
        return [call[1] for call in self.calls if call[0] == kind]


@dataclass(frozen=True)
class Pin:
    """What ``oxcross.plan.Pinned`` asks for."""

    name: str
    sha256: str
    size: int
    filename: str
    version: str = "1"
    upstream: tuple[str, ...] = ()
    pool: str | None = None
    kind: str = "archive"


def pin(data: bytes, name: str = "zlib", **fields: object) -> Pin:
    """The pin of ``data``."""
    values = {"filename": f"{name}-1.tar.gz", "size": len(data), **fields}
    return Pin(name=name, sha256=hashlib.sha256(data).hexdigest(), **values)  # type: ignore[arg-type]
