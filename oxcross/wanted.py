"""What is to be built: the project's targets, their steps, and the plan that a dry run shows.

No network, no daemon, no uv: everything here is told from the project, the recipes and the store.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import project as projects
from oxcross import recipes, targets
from oxcross.plan import Plan, State, Step
from oxcross.project import Project
from oxcross.sdist import Sdist
from oxcross.store import Store
from oxcross.targets import Target

if TYPE_CHECKING:
    from oxcross.collect.resolve import Resolution


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the plan: a step, or a stage after the steps."""

    name: str
    state: str  # cached | build | fetch
    key: str

    def document(self) -> dict[str, str]:
        """For --json."""
        return {"name": self.name, "state": self.state, "key": self.key}


def select(folder: str, names: str) -> list[Project]:
    """The project in ``folder`` for each target named (comma-separated; "" is the configured ones)."""
    project = projects.load(Path(folder))
    wanted = [name.strip() for name in names.split(",") if name.strip()] or project.targets
    return [project.for_target(name) for name in dict.fromkeys(wanted)]


def row(project: Project, store: Store) -> Target:
    """The row of the project's target: of targets.toml, or with the user's own osxcross, where the project names one. The
    same object each time.

    Raises ConfigError for an osxcross that cannot be built with. ``store`` keeps what was found in it.
    """
    plain = targets.get(project.target)
    if plain.os != "macos" or plain.slices or not project.macos.osxcross:
        return plain
    from oxcross.macos import osxcross

    where = f"{project.pyproject}: tool.oxcross.macos.osxcross"
    return osxcross.target(plain, project.macos.osxcross, store, where)


def slices(project: Project) -> list[Project]:
    """The project for each machine that its executable is for: itself, or one for each part of a universal one."""
    parts = targets.get(project.target).slices
    return [dataclasses.replace(project, target=name) for name in parts] or [project]


def parts(wanted: Sequence[Project]) -> list[Project]:
    """The slices of all, each once."""
    return list({part.target: part for project in wanted for part in slices(project)}.values())


def runnable(folder: str) -> str:
    """The first of the project's targets whose executables this machine runs as they are."""
    names = projects.load(Path(folder)).targets
    machine = os.uname()
    for name in names:
        row = targets.get(name)
        if not row.runner and row.os == machine.sysname.lower() and row.arch == machine.machine:
            return name
    return names[0]


def steps(project: Project, store: Store, sdists: tuple[Sdist, ...] = ()) -> list[Step]:
    """The steps whose outputs a project needs for its target; the launcher's is the last.

    ``sdists`` are what its resolution says is built from source.
    """
    target = row(project, store)
    return [
        recipes.host_python(project.python),
        recipes.cpython(target, project.python),
        *recipes.steps(target, project.python, project.compression, sdists),
    ]


def known_steps(project: Project, store: Store) -> list[Step]:
    """The same, with what is known to be built from source: no network, no uv."""
    from oxcross.collect.resolve import known

    resolution = known(project, targets.get(project.target), store)
    return steps(project, store, resolution.built if resolution else ())


def every_step(target: Target) -> list[Step]:
    """Every step there is for a target, whatever a project chooses."""
    return _every_step([targets.get(name) for name in target.slices] or [target])


def _every_step(rows: Sequence[Target], python: str = "3.13") -> list[Step]:
    choices = itertools.product(rows, ("none", "zstd"))
    return [step for one, compression in choices for step in recipes.steps(one, python, compression)]


def step_plan(folder: str, target: Target, store: Store) -> Plan:
    """Every step of a target, for the project's Python and osxcross if there is a project in the folder."""
    if not (Path(folder) / "pyproject.toml").is_file():
        return Plan.of(every_step(target))
    project = projects.load(Path(folder))
    separate = slices(project.for_target(target.name))
    own = [step for part in separate for step in known_steps(part, store)]
    return Plan.of([*_every_step([row(part, store) for part in separate], project.python), *own])


def plan(wanted: Sequence[Project], store: Store, *, upgrade: bool = False) -> list[Row]:
    """What a build would do, without doing any of it: no network, no daemon, no uv."""
    from oxcross.collect.resolve import known

    separate = parts(wanted)
    resolutions = [known(project, targets.get(project.target), store) for project in separate]
    whole = Plan.of(
        step
        for project, found in zip(separate, resolutions, strict=True)
        for step in steps(project, store, found.built if found else ())
    )
    states = whole.states(store)
    rows = [Row(name=step.name, state=state.value, key=step.key) for step, state in states.items()]
    return rows + [
        _environment_row(project, None if upgrade else found, store)
        for project, found in zip(separate, resolutions, strict=True)
    ]


def _environment_row(project: Project, resolution: Resolution | None, store: Store) -> Row:
    """The installed requirements, as a line of the plan; what is not resolved yet has no key."""
    from oxcross.collect import environment

    target = row(project, store)
    name = f"{target.name}/environment"
    if resolution is None:
        return Row(name=name, state=State.BUILD.value, key="")
    key = environment.key(resolution.lines, project, target)
    cached = not resolution.lines or store.has(key)
    return Row(name=name, state=(State.CACHED if cached else State.BUILD).value, key=key)
