"""Where a Step runs: one interface, two engines (``docker``, ``local``), the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a step's script, with every path resolved on this machine.

    ``inputs`` maps a mount name to a file or folder, which the script must not be able to change.
    ``out`` and ``work`` are empty folders in the same, private parent folder. ``log`` receives
    standard output and standard error as they come.
    """

    name: str
    script: Path
    inputs: Mapping[str, Path]
    out: Path
    work: Path
    env: Mapping[str, str]
    log: BinaryIO
    image: str = "manylinux"
    jobs: int = 1
    labels: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Runs jobs, several at a time (one thread each)."""

    @property
    def name(self) -> str: ...

    def prepare(self, images: set[str]) -> None:
        """Make ready what jobs need (images, namespaces). ToolError with the next step if not."""

    def run(self, job: Job) -> int:
        """Run the script to its end and return its exit status (negative: stopped by us)."""

    def shell(self, job: Job) -> int:
        """An interactive sh on the caller's terminal, in the environment the script runs in."""

    def stop(self) -> None:
        """End every running job now; their ``run`` returns. From any thread, more than once."""

    def close(self) -> None:
        """Stop, and leave no process or container behind."""
