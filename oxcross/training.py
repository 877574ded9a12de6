"""Trains the profile of a CPython version and pins it: what `invoke train` does.

The step runs in the image ``training`` (or on this machine, which then needs its packages); see oxcross/profiles.py
for what becomes of what it makes.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from oxcross import engine as engines
from oxcross import executor, profiles, recipes, sources
from oxcross.cpython import pinned
from oxcross.fetch import Fetcher
from oxcross.plan import Plan
from oxcross.profiles import Profile
from oxcross.report import Terminal
from oxcross.rooms import room
from oxcross.store import Store

_TRAINING = "python -m test --pgo; templates/cpython/train.py"


def train(version: str, store: Store, terminal: Terminal, *, engine: str = "auto", jobs: int = 0) -> Profile:
    """Train CPython ``version`` ("3.13"), put the profile into profiles/ and pin it there.

    A version that was trained by the same step before is taken from the store. Raises as builds do.
    """
    step = recipes.training(version)
    chosen = engines.choose(engine, notice=terminal.notice)
    try:
        count = jobs or len(os.sched_getaffinity(0))
        made = executor.run(Plan.of([step]), chosen, store, Fetcher(store, (), terminal), terminal, count)
    finally:
        chosen.close()
    data = (made[step] / "cpython.profdata.xz").read_bytes()
    trained = profile(version, data, (made[step] / "facts.txt").read_text(encoding="utf-8"))
    keep(trained, data)
    return trained


def profile(version: str, data: bytes, facts: str) -> Profile:
    """The row of what was trained; ``facts`` is what the tools said of themselves and of it."""
    _, source = pinned(version)
    return Profile(
        cpython=source.version,
        file=f"cpython-{source.version}.profdata.xz",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        compiler=f"{_line(facts, r'clang version .*')} (ziglang {sources.get('ziglang').version})",
        runtime="Debian LLVM " + _line(facts, r"LLVM version (\S+)"),
        training=_TRAINING,
        functions=int(_line(facts, r"Total functions: (\d+)")),
    )


def keep(trained: Profile, data: bytes) -> None:
    """Put a profile into profiles/ and pin it there."""
    folder = room("profiles")
    (folder / trained.file).write_bytes(data)
    pin(folder / "profiles.toml", trained)
    profiles.load.cache_clear()


def pin(table: Path, profile: Profile) -> None:
    """Write the row of ``profile`` into ``table``, in place of that of the same CPython version."""
    head, *blocks = re.split(r"^(?=\[\[profile\]\]$)", table.read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = [block.strip("\n") for block in blocks if f'\ncpython = "{profile.cpython}"\n' not in block]
    table.write_text("\n\n".join([head.strip("\n"), *kept, _row(profile)]) + "\n", encoding="utf-8")


def _row(profile: Profile) -> str:
    fields = {name: getattr(profile, name) for name in Profile.__dataclass_fields__}
    lines = [
        f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"'
        for key, value in fields.items()
    ]
    return "\n".join(["[[profile]]", *lines])


def _line(facts: str, pattern: str) -> str:
    """What ``pattern`` (its group, if it has one) matches in what the tools said of themselves."""
    found = re.search(pattern, facts)
    if found is None:
        raise ValueError(f"the tools did not say {pattern!r}:\n{facts}")
    return found[found.re.groups]
