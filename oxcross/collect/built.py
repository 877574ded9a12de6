"""Which distributions are built from source: because their wheels' extension modules cannot be loaded, or there is no wheel.

A wheel without extension modules is taken as it is. Of the others the source distribution is, when its build
backend can build for another machine, else a pure wheel of the same version, when there is one. A source distribution
without extension modules is built once for all targets.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from oxcross import packages, targets
from oxcross.collect import backend, index, requirements, uv
from oxcross.collect.backend import Backend
from oxcross.collect.index import Found, Release
from oxcross.errors import CollectError
from oxcross.project import Project
from oxcross.recipes import HOST
from oxcross.sdist import IndexFile, Sdist
from oxcross.store import Store
from oxcross.targets import Target

FORMAT = 1  # of what is chosen: part of oxcross.lock's digests
_WHEEL_ADVICE = (
    "ask for a version that has a wheel for this target, leave the target out, build the wheel and name its folder in "
    "UV_FIND_LINKS, or name it in pure-packages, if it can do without extension modules"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """``lines`` are installed as wheels, ``built`` from source."""

    lines: tuple[str, ...]
    built: tuple[Sdist, ...]


def choose(
    project: Project,
    target: Target,
    store: Store,
    lines: Sequence[str],
    known: Sequence[Sdist] = (),
    notice: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Tell for each of the requirement ``lines`` (with versions and hashes) how it is taken.

    What is ``known`` already is built with the same wheels again.
    CollectError names every distribution that can be taken in no way, why, and what can be done.
    """
    chooser = _Chooser(project, target, store, notice, {sdist.file.sha256: sdist for sdist in known})
    pinned = {name: line for line in lines if (name := requirements.name_of(line))}
    if not pinned:
        return Choice(tuple(lines), ())
    kept = [line for line in lines if requirements.name_of(line) is None]
    for release in chooser.releases([line.partition(" --hash")[0] for line in pinned.values()]):
        chooser.take(release, pinned[release.name])
    if chooser.errors:
        reasons = "\n".join(f"    {text}" for text in chooser.errors)
        if project.link == "memory":
            raise CollectError(
                f"without a wheel, and cannot be built for {target.name}:\n{reasons}",
                where=chooser.where,
                hint=advice(project, target),
                page="no-wheel-and-not-built",
            )
        raise CollectError(
            f"cannot be linked into an executable for {target.name}:\n{reasons}",
            where=chooser.where,
            hint=advice(project, target),
            page="it-cannot-be-linked-in",
        )
    built = sorted(chooser.built, key=lambda sdist: sdist.name)
    return Choice((*kept, *chooser.lines), tuple(built))


def advice(project: Project, target: Target) -> str:
    """What can be done about a distribution that cannot be built from source for ``target``."""
    if project.link == "memory":
        return _WHEEL_ADVICE
    if not target.static:
        return (
            'list those that can be: link = ["…", …]; the extension modules of others are loaded from memory'
        )
    others = [
        row.name for row in targets.load().values()
        if row.arch == target.arch and row.os == target.os and not row.static
    ]  # fmt: skip
    other = f"build for {' or '.join(others)}, which loads the extension modules of wheels" if others else ""
    return f"{other or 'build for another target'}, or require a pure Python version or replacement"


@dataclass(slots=True)
class _Chooser:
    project: Project
    target: Target
    store: Store
    notice: Callable[[str], None]
    known: Mapping[str, Sdist]
    lines: list[str] = field(default_factory=list)
    built: list[Sdist] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    resolved: dict[tuple[str, ...], tuple[IndexFile, ...]] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return str(self.project.lock or self.project.requirements_file or self.project.pyproject)

    @property
    def _given(self) -> bool:
        """Whether the user gives the hashes; else they are our own, of what was looked at."""
        return bool(self.project.lock or self.project.requirements_file)

    def releases(self, lines: Sequence[str]) -> list[Release]:
        arguments = [
            "--no-deps",
            *uv.common(self.target, uv.oldest(self.project, self.target), self.project.python, wheels=False),
        ]
        doing = f"files of distributions that cannot be found for {self.target.name}"
        return index.releases(lines, arguments, folder=self.project.root, doing=doing, where=self.where)

    def take(self, release: Release, line: str) -> None:
        """Decide for one distribution; ``line`` is what the resolution has of it."""
        native = [found for found in release.wheels if _abi(found) != "none"]
        if release.wheels and (not native or not self.project.links(release.name)):
            # Of what was resolved from source, the hashes of wheels are not among those that came out.
            self.lines.append(
                line
                if self._given or self.project.link != "memory"
                else _with_hash(line, *(one.file for one in release.wheels))
            )
            return
        pure = next((found.file for found in release.wheels if _abi(found) == "none"), None)
        if pure is not None and release.name in self.project.pure_packages:
            self.lines.append(_with_hash(line, pure))
            return
        try:
            self.built.append(self._sdist(release, line))
        except _CannotBeBuiltError as error:
            if pure is not None:
                self.notice(f"{release.name} {release.version}: its pure wheel is taken: {error}")
                self.lines.append(_with_hash(line, pure))
            else:
                self.errors.append(f"{release.name} {release.version}: {error}")

    def _sdist(self, release: Release, line: str) -> Sdist:
        if release.sdist is None:
            raise _CannotBeBuiltError(
                f"{'it has extension modules, and' if release.wheels else 'there is'} no source distribution"
            )
        file = release.sdist.file
        if self._given and "--hash=" in line and f"--hash=sha256:{file.sha256}" not in line:
            raise _CannotBeBuiltError(
                f"{file.filename} is needed, and its hash is not among those that are given"
            )
        if (same := self.known.get(file.sha256)) is not None:
            return same
        path = backend.fetch(release.sdist, self.store)
        known = packages.get(release.name)
        found = backend.read(path, file.filename)
        named = release.name in self.project.pure_packages
        compiled = any(_abi(one) != "none" for one in release.wheels)
        found = dataclasses.replace(found, pure=named or (found.pure and not compiled))
        requires = (*found.requires, *known.requires)
        self._check(found, requires)
        if found.asks:
            self.notice(f"asking the build backend of {release.name} what it needs")
            requires = (*requires, *backend.asked(found, path, file.filename, self.project.root))
            self._check(found, requires)
        return Sdist(
            file=file,
            backend=found.backend,
            backend_path=found.path,
            cxx=found.cxx and not found.pure,
            pure=found.pure,
            wheels=self._wheels(requires, file.filename),
        )

    def _check(self, found: Backend, requires: Iterable[str]) -> None:
        if found.pure:
            return
        if not self.target.from_source:
            raise _CannotBeBuiltError(
                "it has extension modules, which oxcross does not build for this target"
            )
        if reason := packages.obstacle(found.backend, bool(found.path), requires):
            raise _CannotBeBuiltError(reason)

    def _wheels(self, requires: Iterable[str], wanted_by: str) -> tuple[IndexFile, ...]:
        """The wheels of build requirements, for the build machine."""
        key = tuple(sorted(set(requires)))
        if key not in self.resolved:
            host = targets.get(HOST)
            found = index.releases(
                key,
                uv.common(host, "2.28", self.project.python),
                folder=self.project.root,
                doing=f"the build requirements of {wanted_by} cannot be had",
                where=self.where,
            )
            self.resolved[key] = tuple(min(one.wheels, key=_rank).file for one in found)
        return self.resolved[key]


class _CannotBeBuiltError(Exception):
    """Its text says why, for the user."""


def _abi(found: Found) -> str:
    """The ABI tag of a wheel: "none" when it has no extension modules. Source: PEP 425."""
    return found.file.filename.removesuffix(".whl").split("-")[-2]


def _rank(found: Found) -> tuple[int, str]:
    abi = _abi(found)
    return {"none": 2, "abi3": 1}.get(abi, 0), found.file.filename


def _with_hash(line: str, *files: IndexFile) -> str:
    return line.partition(" --hash")[0] + "".join(f" --hash=sha256:{file.sha256}" for file in files)
