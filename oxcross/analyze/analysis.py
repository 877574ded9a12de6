"""The whole of it: from a project to what is to be told about one target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from oxcross import recipes, wanted
from oxcross.analyze import parts, scan
from oxcross.analyze.judge import Told, judge
from oxcross.analyze.parts import Part
from oxcross.analyze.rules import SEVERITIES
from oxcross.analyze.scan import Scanned
from oxcross.collect import environment, resolve
from oxcross.collect.distributions import canonical
from oxcross.plan import Plan
from oxcross.project import Project
from oxcross.sources import Source
from oxcross.store import Store


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What was found for one target."""

    target: str
    told: tuple[Told, ...]  # the gravest first
    accepted: int  # how many more the configuration ignores
    unused: tuple[str, ...]  # what it ignores that is not there

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each severity."""
        found = Counter(one.severity for one in self.told)
        return {severity: found[severity] for severity in SEVERITIES}

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "target": self.target,
            "counts": self.counts,
            "ignored": self.accepted,
            "findings": [one.document() for one in self.told],
        }


def analyze(
    project: Project, store: Store, *, upgrade: bool = False, notice: Callable[[str], None] = lambda _: None
) -> Analysis:
    """Analyse all that the project's executable would embed.

    Raises CollectError when the requirements cannot be had, ToolError when uv is needed and missing.
    """
    target = wanted.row(project, store)
    resolution = resolve.resolve(project, target, store, upgrade=upgrade, notice=notice)
    scans: list[Scanned] = []
    if lines := resolution.lines:

        def installed() -> list[Part]:
            return list(
                parts.installed(environment.environment(lines, project, target, store, notice=notice))
            )

        scans += scan.environment(
            environment.key(lines, project, target), installed, target.os, store, notice
        )
    scans += scan.scan(list(_built(resolution, project, store, notice)), target.os, store, notice)
    scans += scan.scan(parts.local(project, resolution, store, notice), target.os, store, notice)
    told = judge(scans, project, target, _linked(project, store))
    names = {name: _ignored(name, told) for name in project.ignore}
    accepted = {one for hidden in names.values() for one in hidden}
    return Analysis(
        target=target.name,
        told=tuple(one for one in told if one not in accepted),
        accepted=len(accepted),
        unused=tuple(name for name, hidden in names.items() if not hidden),
    )


def _built(
    resolution: resolve.Resolution, project: Project, store: Store, notice: Callable[[str], None]
) -> Iterator[Part]:
    """The distributions that are built from source, as far as they have been."""
    for sdist in resolution.built:
        step = recipes.distribution(wanted.row(project, store), project.python, sdist)
        if (made := store.get(step.key)) is not None:
            yield from parts.installed(made / "tree")
        else:
            notice(f"{sdist.name} {sdist.version} is not built yet: build first, and it is analysed too")


def _linked(project: Project, store: Store) -> list[Source]:
    """The sources whose code ends in the executable itself: not those that only build."""
    steps = Plan.of(wanted.known_steps(project, store))
    found = {source.sha256: source for step in steps for source in step.sources}
    return [one for one in found.values() if isinstance(one, Source) and one.kind == "archive"]


def _ignored(entry: str, told: list[Told]) -> set[Told]:
    rule, colon, distribution = entry.partition(":")
    return {
        one
        for one in told
        if one.rule.id == rule and (not colon or one.distribution == canonical(distribution))
    }
