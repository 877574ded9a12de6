"""What is inside an executable, as the manifest lists it: libraries and distributions, each with the file that it was made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import oxcross
from oxcross.collect import licences
from oxcross.collect.collected import Collected
from oxcross.collect.distributions import Distribution, canonical
from oxcross.project import Project
from oxcross.recipes import components
from oxcross.recipes.components import Component
from oxcross.targets import Target

_LAUNCHER_LICENCE = "MIT"


def libraries(target: Target, collected: Collected) -> list[dict[str, Any]]:
    """CPython and all that is linked with it, what extension modules that are linked in brought, the compiler's run time, the
    launcher: "name", "version", "licence" and "source", whose "part" it may be.
    """
    known = components.of(target, str(collected.facts["version"]))
    stated = [(one["name"], one["version"], one["licence"]) for one in collected.facts["components"]]
    names = {name for name, _, _ in stated}
    more = [known[name] for name in dict.fromkeys(_added(target, collected, known)) if name not in names]
    stated += [(one.name, one.version, one.licence) for one in more]
    rows = [
        {"name": name, "version": version, "licence": licence, "source": _source(known[name])}
        for name, version, licence in stated
    ]
    return [
        *rows,
        {"name": licences.LAUNCHER, "version": oxcross.__version__, "licence": _LAUNCHER_LICENCE},
    ]


def _added(target: Target, collected: Collected, known: Mapping[str, Component]) -> Iterator[str]:
    """What oxcross adds to what CPython is linked with."""
    yield "zstd"
    yield from collected.linked
    yield from (name for name, one in known.items() if one.always)
    if any(library.fallback for library in collected.resources.libraries.values()):
        yield from (name for name in target.runtime if name in known)


def _source(one: Component) -> dict[str, str]:
    """The pinned file that a component is built from: no address but upstream's own."""
    source = one.source
    found = {"file": source.filename, "sha256": source.sha256}
    if source.upstream:
        found["url"] = source.upstream[0]
    if one.part:
        found["part-of"] = f"{source.name} {source.version}"
    return found


def distributions(project: Project, target: Target, collected: Collected) -> list[dict[str, Any]]:
    """The distributions: "name", "version", "licence", how many "files", which of the others each "requires", and the "source",
    a wheel or what it was built from, where that is known.
    """
    inside = collected.distributions
    needs = _requires(project, target, inside)
    rows = []
    for one in inside:
        name = canonical(one.name)
        row: dict[str, Any] = {
            "name": one.name,
            "version": one.version,
            "licence": one.licence,
            "files": one.files,
            "requires": needs[name],
        }
        if (file := collected.wheels.get(name)) is not None:
            row["source"] = {"file": file.filename, "sha256": file.sha256}
        rows.append(row)
    return rows


def _requires(project: Project, target: Target, inside: Sequence[Distribution]) -> dict[str, list[str]]:
    """By normalised name the names of those that each requires on the target, with the extras that are asked for."""
    if not inside:
        return {}
    from packaging.requirements import InvalidRequirement, Requirement

    names = {canonical(one.name): one.name for one in inside}
    version = str(project.python)
    environment = {**target.markers, "python_version": version, "python_full_version": f"{version}.0"}

    def parsed(lines: Sequence[str]) -> list[Requirement]:
        found = []
        for line in lines:
            try:
                found.append(Requirement(line.partition(" --hash")[0]))
            except InvalidRequirement:  # a path, or metadata that are older than the rules
                continue
        return [one for one in found if canonical(one.name) in names]

    lines = {canonical(one.name): parsed(one.requires) for one in inside}
    extras: dict[str, set[str]] = {name: {""} for name in names}
    for one in parsed(project.requirements):
        extras[canonical(one.name)] |= one.extras
    found: dict[str, set[str]] = {}
    while True:
        before = {name: set(wanted) for name, wanted in extras.items()}
        for name, requirements in lines.items():
            held = [
                one
                for one in requirements
                if one.marker is None
                or any(one.marker.evaluate({**environment, "extra": extra}) for extra in sorted(extras[name]))
            ]
            found[name] = {names[canonical(one.name)] for one in held} - {names[name]}
            for one in held:
                extras[canonical(one.name)] |= one.extras
        if extras == before:
            return {name: sorted(wanted, key=str.lower) for name, wanted in found.items()}
