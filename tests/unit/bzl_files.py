"""Configuration files of PyOxidizer's, evaluated in a folder of a test's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxcross.bzl import NAME, triples
from oxcross.bzl.evaluate import evaluate
from oxcross.bzl.executable import PythonExecutable
from oxcross.bzl.goals import Goals
from oxcross.bzl.world import World
from oxcross.plan import Step
from oxcross.store import Store

# A target that returns what LINES name `result`; `exe`, `policy`, `config`, `dist` are there.
_FILE = """\
def make():
    dist = default_python_distribution()
    policy = dist.make_python_packaging_policy()
    config = dist.make_python_interpreter_config()
{lines}
    exe = dist.to_python_executable(name = "app", packaging_policy = policy, config = config)
    result = exe
{after}
    return result

register_target("made", make)
resolve_targets()
"""


@dataclass(frozen=True)
class Evaluated:
    """What a file came to, and what was told meanwhile."""

    goals: Goals
    world: World
    told: list[str]

    @property
    def value(self) -> Any:
        return self.goals.value()

    @property
    def executable(self) -> PythonExecutable:
        assert isinstance(self.value, PythonExecutable)
        return self.value


def lines(before: str = "", after: str = "") -> str:
    """A whole file, around lines that stand before and after its executable is made."""
    parts = ["\n".join(f"    {line}" for line in text.splitlines()) for text in (before, after)]
    return _FILE.format(lines=parts[0], after=parts[1])


def evaluated(
    folder: Path,
    text: str,
    wanted: str | None = None,
    *,
    triple: str = triples.DEFAULT,
    variables: Mapping[str, str | None] | None = None,
) -> Evaluated:
    """Evaluate ``text`` as the file in ``folder``. There is no CPython there: a test that needs one is end to end."""
    (folder / NAME).write_text(text, encoding="utf-8")
    told: list[str] = []

    def make(steps: Iterable[Step]) -> Mapping[Step, Path]:
        raise AssertionError(f"{next(iter(steps)).name} is not for unit tests")

    with Store(folder / "store") as store:
        world = World(
            file=folder.resolve() / NAME,
            triple=triple,
            store=store,
            notice=told.append,
            make=make,
            variables=variables or {},
        )
        return Evaluated(evaluate(world, wanted), world, told)
