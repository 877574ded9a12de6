"""Where a Step runs: one interface, two engines (``docker``, ``local``), the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from oxcross.errors import ToolError, UsageError, nearest
from oxcross.plan import FIXED_ENVIRONMENT

ENGINES = ("auto", "docker", "local")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a step's script, with every path resolved on this machine.

    ``inputs`` maps a mount name to a file or folder, which the script cannot change. ``out`` and
    ``work`` are empty folders in one private parent folder, which the engine may fill with what it
    needs. ``env`` is the step's own. ``log`` (a real file) receives what the script prints.
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

    @property
    def folder(self) -> Path:
        """The private parent of ``out`` and ``work``."""
        return self.out.parent

    def environment(self, root: str) -> dict[str, str]:
        """All variables the script sees when its ``$ROOT`` is ``root``; there are no others."""
        return {
            **FIXED_ENVIRONMENT,
            **self.env,
            "ROOT": root,
            "IN": f"{root}/in",
            "OUT": f"{root}/out",
            "WORK": f"{root}/work",
            "HOME": f"{root}/work",
            "TMPDIR": f"{root}/tmp",  # noqa: S108 - the step's own
            "JOBS": str(self.jobs),
        }


class Engine(Protocol):
    """Runs jobs, several at a time (one thread each)."""

    @property
    def name(self) -> str:
        """As the user asks for it: "docker" or "local"."""

    def prepare(self, images: Iterable[str]) -> None:
        """Make ready what jobs with these images need, also after ``stop``.

        ToolError with the next step when it cannot be had.
        """

    def run(self, job: Job) -> int:
        """Run the script to its end; its exit status, or a negative number when it was stopped."""

    def shell(self, job: Job) -> int:
        """An interactive sh on the caller's terminal, in the environment the script runs in."""

    def stop(self) -> None:
        """End every running job now; their ``run`` returns. From any thread, more than once."""

    def close(self) -> None:
        """Stop, and leave no process or container behind."""


def choose(name: str = "auto", *, notice: Callable[[str], None] | None = None) -> Engine:
    """The engine of that name; "auto" is docker when a daemon answers quickly, else local.

    Raises UsageError for a name that is none, ToolError when the engine cannot work here.
    """
    if name not in ENGINES:
        raise UsageError(f"no such engine: {name!r}", hint=nearest(name, ENGINES))
    tell = notice or (lambda _: None)
    if name in ("auto", "docker"):
        from oxcross.engine import docker

        try:
            return docker.connect(tell)
        except ToolError as error:
            if name == "docker":
                raise
            tell(f"engine: local ({error.message})")
    from oxcross.engine.local import LocalEngine

    return LocalEngine(notice=tell)
