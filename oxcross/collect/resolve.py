"""Which distributions go in: from a lock, a requirements file, or resolved and kept in oxcross.lock.

A resolution is used again as long as what it came from is the same, so a rebuild needs neither uv
nor a network, and gets the same versions everywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oxcross.collect import built, compiling, environment, lockfile, requirements, uv, wheel
from oxcross.collect.lockfile import Built, Locked
from oxcross.collect.requirements import Local
from oxcross.cpython import series_of
from oxcross.errors import CollectError
from oxcross.project import Project
from oxcross.sdist import Sdist
from oxcross.store import Store
from oxcross.targets import Target

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Resolution:
    """All that is installed: ``lines`` with version and hashes, what lies on this machine, and what is built from
    source."""

    lines: tuple[str, ...]
    local: tuple[Local, ...] = ()
    built: tuple[Sdist, ...] = ()


def resolve(
    project: Project,
    target: Target,
    store: Store,
    *,
    upgrade: bool = False,
    notice: Callable[[str], None] = lambda _: None,
) -> Resolution:
    """The distributions for ``target``, without the project itself and without excluded ones.

    ``upgrade`` resolves anew to the latest versions. Raises CollectError that lists what cannot be
    had and why, ToolError when uv is needed and is not there.
    """
    if project.link != "memory" and not target.from_source:
        raise CollectError(
            f"no extension modules are built from source for {target.name}",
            where=f"{project.pyproject}: tool.oxcross.link",
            hint=f'those of wheels are loaded: [tool.oxcross.target.{target.name}] link = "memory"',
        )
    found, wheelless = _resolution(project, target, store, upgrade, notice)
    if not _divides(project, found, wheelless):
        return found
    return _divided(project, target, store, found, wheelless, upgrade, notice)


def _divides(project: Project, found: Resolution, wheelless: Collection[str]) -> bool:
    """Whether something of it may have to be built from source: of what has extension modules, or has no wheel."""
    if project.link == "memory":
        return any(requirements.name_of(line) in wheelless for line in found.lines)
    return bool(found.lines)


def _resolution(
    project: Project, target: Target, store: Store, upgrade: bool, notice: Callable[[str], None]
) -> tuple[Resolution, Collection[str]]:
    """The distributions, whatever way they are taken, and the names of those that are known to have no wheel."""
    wheelless: Collection[str] = ()
    if project.lock is not None:
        lines = _locked(project, target, store)
        wheelless = requirements.wheelless(project.lock)
    elif project.requirements_file is not None:
        lines = requirements.logical_lines(project.requirements_file)
    else:
        wanted, local = _wanted(project, target, store)
        fixed = _resolved(project, target, store, wanted, upgrade, notice) if wanted else Locked("", ())
        lines = requirements.without(fixed.requirements, project.exclude_packages)
        return Resolution(tuple(lines), tuple(local)), fixed.wheelless
    where = project.lock or project.requirements_file
    base = where.parent if where else project.root
    requirements.check_remote(lines, str(where))
    local = [one for line in lines if (one := requirements.local_of(line, base))]
    remote = [line for line in lines if requirements.local_of(line, base) is None]
    remote = requirements.without(remote, project.exclude_packages)
    if project.lock is None:  # of a file, only installing the others tells
        told = _told_of_file(project, target, store, remote)
        wheelless = compiling.lacking(remote, project, target, store, notice) if told is None else told
    return Resolution(tuple(remote), tuple(one for one in local if one.path != project.root)), wheelless


def known(project: Project, target: Target, store: Store) -> Resolution | None:
    """The resolution, when it can be told without uv, network or build; else None: for plans."""
    if (both := _known(project, target, store)) is None:
        return None
    found, wheelless = both
    if not _divides(project, found, wheelless):
        return found
    entry = lockfile.read(project.root / lockfile.NAME).built.get(target.name)
    if entry is None or entry.input != _built_digest(found.lines, wheelless, target, project):
        return None
    return dataclasses.replace(found, lines=entry.requirements, built=entry.sdists)


def outdated(project: Project, target: Target) -> bool:
    """Whether oxcross.lock has a resolution for the target, but of other requirements; False where that takes a build to tell.

    CollectError for a lock that cannot be read.
    """
    entry = lockfile.read(project.root / lockfile.NAME).targets.get(target.name)
    if entry is None or project.lock is not None or project.requirements_file is not None:
        return False
    static = _static_dependencies(project)
    if static is None or any(requirements.local_of(line, project.root) for line in project.requirements):
        return False
    wanted = [*static, *project.requirements]
    return bool(wanted) and entry.input != _digest(wanted, target, project)


def _known(project: Project, target: Target, store: Store) -> tuple[Resolution, Collection[str]] | None:
    if project.lock is not None and project.lock.name == "uv.lock":
        return None
    if project.lock is None and project.requirements_file is None:
        static = _static_dependencies(project)
        if static is None or any(requirements.local_of(line, project.root) for line in project.requirements):
            return None
        wanted = [*static, *project.requirements]
        entry = lockfile.read(project.root / lockfile.NAME).targets.get(target.name)
        if not wanted:
            return Resolution(()), ()
        if entry is None or entry.input != _digest(wanted, target, project):
            return None
        lines = requirements.without(entry.requirements, project.exclude_packages)
        return Resolution(tuple(lines)), entry.wheelless
    path = project.lock or project.requirements_file
    if path is None:  # pragma: no cover - excluded above
        return None
    lines = requirements.pylock_lines(path) if project.lock else requirements.logical_lines(path)
    if any(requirements.local_of(line, path.parent) for line in lines):
        return None
    remote = requirements.without(lines, project.exclude_packages)
    wheelless = (
        requirements.wheelless(path) if project.lock else _told_of_file(project, target, store, remote)
    )
    return None if wheelless is None else (Resolution(tuple(remote)), wheelless)


def _told_of_file(
    project: Project, target: Target, store: Store, lines: Sequence[str]
) -> Collection[str] | None:
    """The names of those in a requirements file that have no wheel; None where no earlier build left word of it: the lock names
    them, or all are installed.
    """
    if project.link != "memory" or not lines:
        return ()
    entry = lockfile.read(project.root / lockfile.NAME).built.get(target.name)
    names = {sdist.name for sdist in entry.sdists} if entry is not None else set()
    if entry is not None and entry.input == _built_digest(lines, names, target, project):
        return names
    return () if store.has(environment.key(lines, project, target)) else None


def _wanted(project: Project, target: Target, store: Store) -> tuple[list[str], list[Local]]:
    """The requirements to resolve, and the local ones, whose own requirements are among the first."""
    lines = list(project.requirements)
    requirements.check_remote(lines, str(project.pyproject))
    static = _static_dependencies(project)
    if static is None:
        built = wheel.build(project.root, store)
        static = wheel.requires(built.metadata, "", target)
    lines += static
    local: list[Local] = []
    remote: list[str] = []
    while lines:
        line = lines.pop(0)
        one = requirements.local_of(line, project.root)
        if one is None:
            remote.append(line)
        elif one not in local and one.path != project.root:
            local.append(one)
            lines += wheel.requires(wheel.of(one.path, store).metadata, one.extras, target)
    return sorted(set(remote)), local


def _static_dependencies(project: Project) -> list[str] | None:
    """What the project itself depends on; None when only its build backend can tell."""
    if not project.include_project:
        return []
    document = tomllib.loads(project.pyproject.read_text(encoding="utf-8"))
    if "project" not in document and "build-system" in document:  # setup.py, Poetry's own tables
        return None
    table = document.get("project", {})
    if "dependencies" in table.get("dynamic", []):
        return None
    return [str(line) for line in table.get("dependencies", [])]


def _digest(wanted: Sequence[str], target: Target, project: Project) -> str:
    facts = {
        "format": _FORMAT,
        "requirements": sorted(set(wanted)),
        "platform": uv.platform(target, uv.oldest(project, target)),
        **uv.variables(target, uv.oldest(project, target)),
        "python": series_of(project.python),
    }
    if project.link != "memory":
        facts["sources"] = True
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _built_digest(lines: Sequence[str], wheelless: Collection[str], target: Target, project: Project) -> str:
    facts = {
        "format": built.FORMAT,
        **({"wheelless": sorted(wheelless)} if project.link == "memory" else {}),
        "lines": sorted(lines),
        "link": project.link,
        "pure": sorted(project.pure_packages),
        "platform": uv.platform(target, uv.oldest(project, target)),
        **uv.variables(target, uv.oldest(project, target)),
        "python": series_of(project.python),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _divided(
    project: Project,
    target: Target,
    store: Store,
    found: Resolution,
    wheelless: Collection[str],
    upgrade: bool,
    notice: Callable[[str], None],
) -> Resolution:
    """The resolution with its lines told apart: those that are wheels, and what is built from source."""
    path = project.root / lockfile.NAME
    digest = _built_digest(found.lines, wheelless, target, project)
    old = lockfile.read(path).built.get(target.name)
    if old is None or old.input != digest or upgrade:
        known = old.sdists if old is not None and not upgrade else ()
        # Where extension modules are loaded, all that has a wheel is taken as it is.
        asked = [
            line
            for line in found.lines
            if project.link != "memory" or requirements.name_of(line) in wheelless
        ]
        kept = [line for line in found.lines if line not in asked]
        choice = built.choose(project, target, store, asked, known, notice)
        old = Built(digest, tuple(sorted((*kept, *choice.lines))), choice.built)
        with _lock_file(path, store) as lock:
            lock.built[target.name] = old
    return dataclasses.replace(found, lines=old.requirements, built=old.sdists)


@contextlib.contextmanager
def _lock_file(path: Path, store: Store) -> Iterator[lockfile.Lock]:
    """oxcross.lock, to be changed: another process may write another target's entry meanwhile."""
    name = "lock-" + hashlib.sha256(str(path).encode()).hexdigest()
    with store.lock(name, name=path.name):
        lock = lockfile.read(path)
        yield lock
        lockfile.write(path, lock)


def _resolved(
    project: Project,
    target: Target,
    store: Store,
    wanted: Sequence[str],
    upgrade: bool,
    notice: Callable[[str], None],
) -> Locked:
    path = project.root / lockfile.NAME
    digest = _digest(wanted, target, project)
    old = lockfile.read(path).targets.get(target.name)
    if old is not None and old.input == digest and not upgrade:
        return old
    notice(f"resolving requirements for {target.name}")
    preferred = old.requirements if old is not None and not upgrade else ()
    lines, wheelless = compiling.compiled(project, target, wanted, preferred)
    new = Locked(digest, lines, wheelless)
    with _lock_file(path, store) as lock:
        lock.targets[target.name] = new
    return new


def _locked(project: Project, target: Target, store: Store) -> list[str]:
    path = project.lock
    if path is None:
        return []
    if path.name != "uv.lock":
        return requirements.pylock_lines(path)
    key = (
        "uv-lock-"
        + hashlib.sha256(
            b"\0".join((str(_FORMAT).encode(), path.read_bytes(), project.pyproject.read_bytes()))
        ).hexdigest()
    )
    text = store.value(key)
    if text is None:
        exported = uv.run(
            [
                "export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate",
                "--format", "requirements.txt", "--project", str(path.parent), *uv.python(),
            ],
            folder=path.parent,
            doing=f"{path.name} cannot be used for {target.name}",
            where=str(path),
        )  # fmt: skip
        text = exported.encode()
        store.put_value(key, text)
    with tempfile.TemporaryDirectory(prefix="oxcross-") as name:
        file = Path(name, "requirements.txt")
        file.write_bytes(text)
        return requirements.logical_lines(file)
