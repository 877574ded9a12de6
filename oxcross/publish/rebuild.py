"""Builds a release again: from the commit that it names, with the lock that it names, into a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import oxcross
from oxcross import project as projects
from oxcross import wanted
from oxcross.build import Artifact, Workshop
from oxcross.collect import lockfile
from oxcross.errors import ReproduceError
from oxcross.plan import Plan
from oxcross.project import Project
from oxcross.publish import buildinfo, dist, revision, unsigned
from oxcross.publish.buildinfo import BuildInfo
from oxcross.publish.original import Original
from oxcross.store import Store

Notice = Callable[[str], None]


def info(original: Original) -> BuildInfo:
    """What the release says of its build. ReproduceError when it says nothing."""
    found = buildinfo.parse(original.manifest)
    if found is None:
        raise ReproduceError(
            "its manifest does not say what it was built from",
            where=original.place,
            hint="releases can be reproduced that this version of oxcross makes, or a later one",
        )
    return found


@contextmanager
def source(project: Project, made: BuildInfo, version: str, notice: Notice) -> Iterator[Project]:
    """The project as the release was built from it: a checkout of its commit; without one, the project as it lies there.

    ReproduceError when that is not what the release was built from.
    """
    if made.source is None:
        notice("the release was made outside of a git repository: the project's folder is taken as it is")
        yield _checked(project.root, project, made, version)
        return
    commit = made.source.commit
    if made.source.dirty:
        notice(f"the release was made of more than {commit[:12]}: there were changes that are in no commit")
    with revision.checkout(project.root, commit) as top:
        folder = top / made.source.path
        own = project.root / lockfile.NAME
        if buildinfo.digest(folder / lockfile.NAME) != made.lock and buildinfo.digest(own) == made.lock:
            notice(f"{lockfile.NAME} is not that of {commit[:12]}; the one in {project.root} is taken")
            if made.lock:
                shutil.copyfile(own, folder / lockfile.NAME)
        yield _checked(folder, project, made, version)


def _checked(folder: Path, project: Project, made: BuildInfo, version: str) -> Project:
    where = made.source.commit if made.source else str(folder)
    found = buildinfo.digest(folder / lockfile.NAME)
    if found != made.lock:
        have, had = (f"one with SHA-256 {one}" if one else "none" for one in (found, made.lock))
        raise ReproduceError(
            f"{lockfile.NAME} is not the one that the release was built with: there is {have}, there was {had}",
            where=where,
            hint=f"put the one of that time into {project.root}; it belongs into the commit that is released",
        )
    if buildinfo.digest(folder / "pyproject.toml") != made.config and not (made.source and made.source.dirty):
        raise ReproduceError(
            "pyproject.toml is not the one that the release was built with",
            where=where,
            hint="check out what the release was built from",
        )
    loaded = projects.load(folder)
    if (loaded.name, loaded.version) != (project.name, version):
        raise ReproduceError(
            f"it is {loaded.name} {loaded.version}, not {project.name} {version}", where=where
        )
    return loaded


def same_builder(
    project: Project, made: BuildInfo, targets: Sequence[str], store: Store, notice: Notice
) -> None:
    """Say so when another oxcross, or other recipes, build now: of the steps that can be told before anything is resolved."""
    if made.oxcross != oxcross.__version__:
        notice(
            f"oxcross {made.oxcross} made the release, this is {oxcross.__version__}: what differs may come from that"
        )
    for target in targets:
        parts = wanted.slices(project.for_target(target))
        now = {step.name: step.key for part in parts for step in wanted.known_steps(part, store)}
        before = made.steps.get(target, {})
        if other := sorted(name for name in now.keys() & before.keys() if now[name] != before[name]):
            notice(f"{target}: built otherwise than the release was: {', '.join(other)}")


def sources(project: Project, targets: Sequence[str], store: Store) -> set[str]:
    """The SHA-256 (hex) of every pinned source that the steps of these targets read."""
    parts = [part for target in targets for part in wanted.slices(project.for_target(target))]
    whole = Plan.of(step for part in parts for step in wanted.known_steps(part, store))
    return {source.sha256 for step in whole for source in step.sources}


def executables(project: Project, targets: Sequence[str], shop: Workshop) -> list[Artifact]:
    """The executables, without signatures of certificates. ReproduceError when oxcross.lock did not say all of it."""
    lock = project.root / lockfile.NAME
    before = buildinfo.digest(lock)
    built = shop.build([unsigned.project(project.for_target(target)) for target in targets])
    if buildinfo.digest(lock) != before:
        raise ReproduceError(
            "it does not say all that the release was built with: requirements were resolved anew",
            where=str(lock),
            hint="build with the oxcross that made the release; commit oxcross.lock before a release",
        )
    return built


def with_signatures(
    project: Project, original: Original, artifacts: Sequence[Artifact], scratch: Path
) -> tuple[list[Artifact], set[str]]:
    """The executables, with a copy of the release's in the place of each that differs by a certificate's signature only.

    The copies lie in ``scratch``, under the names that the project's executables have. And the names of what is taken so rather than built: whatever was made of it can be compared then.
    """
    taken: set[str] = set()
    found = []
    for one in artifacts:
        name = dist.file_name(project.name, project.version, one)
        file = original.folder / name
        macos = project.for_target(one.target).macos
        if file.is_file() and original.files[name] != one.sha256 and unsigned.equal(file, one.path):
            taken.add(name)
            copy = scratch / one.target / one.path.name
            copy.parent.mkdir(parents=True)
            shutil.copyfile(file, copy)
            one = replace(one, path=copy, sha256=original.files[name], size=copy.stat().st_size)  # noqa: PLW2901
        signed = [
            path
            for path in one.packages
            if path.is_file() and (name in taken or (path.suffix == ".pkg" and macos.package.identity))
        ]
        there = {path: original.folder / f"{name}{path.suffix}" for path in signed}
        kept = tuple(
            there[path] if path in there and there[path].is_file() else path for path in one.packages
        )
        taken.update(path.name for path in kept if path.parent == original.folder)
        found.append(replace(one, packages=kept))
    return found, taken
