"""The interpreter that oxcross's is measured against: CPython built by this machine's gcc, optimised as it can do it.

``python bench/reference.py`` builds it (about a quarter of an hour of processor time), once: it is kept in the store
like every step's result, under a key that knows the compiler's version.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from oxcross import engine, executor, recipes, report, targets
from oxcross.cpython import pinned
from oxcross.errors import ToolError
from oxcross.fetch import Fetcher
from oxcross.plan import Plan, Step
from oxcross.store import Store

HERE = Path(__file__).parent


def compiler() -> str:
    """gcc's name and version. ToolError when it is not installed."""
    try:
        done = subprocess.run(["gcc", "--version"], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise ToolError(
            "gcc is missing: it builds the reference", hint="apt-get install gcc libc6-dev"
        ) from None
    return done.stdout.splitlines()[0]


def step(series: str) -> Step:
    """Makes ``bin/python3.x`` and ``lib/python3.x``."""
    row, source = pinned(series)
    target = targets.get("linux-x64")
    return Step(
        name="reference/cpython",
        script=(HERE / "reference.sh").read_text(encoding="utf-8"),
        inputs={"cpython": source, **{name: recipes.library(target, name) for name in row.libraries}},
        env={"REFERENCE_COMPILER": compiler()},
        outputs=(f"bin/python{series}", f"lib/python{series}/os.py"),
    )


def build(series: str = "3.13") -> Path:
    """The folder of the reference; it is built if the store does not have it."""
    wanted = step(series)
    with Store() as store, report.terminal() as terminal:
        chosen = engine.choose("local", notice=terminal.notice)  # the compiler is this machine's
        try:
            jobs = len(os.sched_getaffinity(0))
            plan = Plan.of([wanted])
            return executor.run(plan, chosen, store, Fetcher(store, (), terminal), terminal, jobs)[wanted]
        finally:
            chosen.close()


if __name__ == "__main__":
    sys.stdout.write(f"{build()}\n")
