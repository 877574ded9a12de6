"""The whole road: from a project to executables, each inspected and run.

    project -> steps -> (plan, engine, store) -> collect -> pack -> link -> sign -> inspect -> run

What is on it is done elsewhere; this module only puts one thing after another.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxcross import cpython as pythons
from oxcross import engine as engines
from oxcross import link, recipes, runner
from oxcross.engine import Engine, Job
from oxcross.errors import BuildError, InspectError, UsageError
from oxcross.plan import Plan, Step
from oxcross.project import Project
from oxcross.report import Terminal
from oxcross.store import Store
from oxcross.targets import Target
from oxcross.wanted import parts, row, slices, steps

if TYPE_CHECKING:
    from oxcross.cache.shared import SharedCache
    from oxcross.collect.resolve import Resolution

_VERIFY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """An executable that was built, inspected and run. ``facts`` are the manifest's further fields."""

    target: str
    path: Path
    sha256: str  # lower-case hex
    size: int  # bytes
    seconds: float  # from its steps being there to having run it
    facts: Mapping[str, Any] = field(default_factory=dict)
    packages: tuple[Path, ...] = ()  # what was made of it for macOS, beside it
    steps: Mapping[str, str] = field(default_factory=dict)  # what it was put together from: name -> key

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "target": self.target,
            "path": str(self.path),
            "sha256": self.sha256,
            "size": self.size,
            "seconds": round(self.seconds, 3),
            **self.facts,
            **({"packages": [str(path) for path in self.packages]} if self.packages else {}),
        }


def output_folder(root: Path) -> Path:
    """Where a project's executables lie: ``build/TARGET/NAME`` below it."""
    return root / "build"


def workshop(
    store: Store,
    terminal: Terminal,
    *,
    engine: str = "auto",
    jobs: int = 0,
    mirrors: Iterable[str] = (),
    cache: SharedCache | None = None,
    output: Path | None = None,
) -> Workshop:
    """All that builds are made with. UsageError for an engine or a number of jobs that is none.

    The executables get into the folder ``output``, as TARGET/NAME; by default each project's own.
    """
    if engine not in engines.ENGINES:
        engines.choose(engine)  # says what is wrong with it
    if jobs < 0:
        raise UsageError(f"not a number of processes: {jobs}", where="--jobs")
    count = jobs or len(os.sched_getaffinity(0))
    return Workshop(
        store=store,
        terminal=terminal,
        engine=engine,
        jobs=count,
        mirrors=tuple(mirrors),
        cache=cache,
        output=output,
    )


@dataclass(kw_only=True)
class Workshop:
    """Store, engine, sources and reporter, and what is made with them."""

    store: Store
    terminal: Terminal
    engine: str
    jobs: int
    mirrors: tuple[str, ...] = ()
    cache: SharedCache | None = None
    output: Path | None = None  # None: the projects' own folders

    def build(self, wanted: Sequence[Project], *, upgrade: bool = False) -> list[Artifact]:
        """The executables of the projects' targets, in order; those that a universal one holds are built, too."""
        built = {one.target: one for one in self._build(parts(wanted), upgrade=upgrade)}
        made = [
            built.get(project.target) or self._join(project, [built[part.target] for part in slices(project)])
            for project in wanted
        ]
        return [self._packed(project, artifact) for project, artifact in zip(wanted, made, strict=True)]

    def _build(self, wanted: Sequence[Project], *, upgrade: bool) -> list[Artifact]:
        for version in dict.fromkeys(project.python for project in wanted):
            if not pythons.pinned(version)[0].tested:
                self.terminal.notice(f"CPython {version} is offered, but no test of oxcross builds it")
        for project in wanted:
            target = row(project, self.store)  # what is wrong with a user's tool chain is told here, too
            if target.os == "windows":
                from oxcross.windows.appearance import require

                require(project)
            elif target.os == "macos":
                from oxcross.macos import sign as signing

                signing.require(project.macos)
        resolutions = self._resolve(wanted, upgrade=upgrade)
        needed = [
            steps(project, self.store, found.built)
            for project, found in zip(wanted, resolutions, strict=True)
        ]
        try:
            made = self.make([step for project in needed for step in project])
        except BuildError as error:
            raise _advised(error, wanted, resolutions, self.store) from None
        if len(wanted) == 1:
            return [self._assemble(wanted[0], resolutions[0], made)]
        from concurrent.futures import ThreadPoolExecutor

        # Side by side: what takes time in it (digests, compression, children) leaves other threads at work.
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="assemble") as pool:
            return list(
                pool.map(lambda project, found: self._assemble(project, found, made), wanted, resolutions)
            )

    def _resolve(self, wanted: Sequence[Project], *, upgrade: bool) -> list[Resolution]:
        """Write oxcross.lock first: a missing wheel or entry point shall not be told after a long build."""
        from oxcross.collect import required
        from oxcross.collect.resolve import known, resolve

        found = []
        for project in wanted:
            target = row(project, self.store)
            resolution = None if upgrade else known(project, target, self.store)
            if resolution is None:
                with self.terminal.stage(target.name, "resolve"):
                    resolution = resolve(
                        project, target, self.store, upgrade=upgrade, notice=self.terminal.notice
                    )
            required.check(project, resolution, target, self.store, self.terminal.notice)
            found.append(resolution)
        return found

    def shell(self, step: Step) -> int:
        """Enter the environment of a step; the shell's exit status."""
        from oxcross import executor

        with self._engine() as engine:
            return executor.shell(step, engine, self.store, self._fetcher(), self.terminal, self.jobs)

    def make(self, wanted: Iterable[Step]) -> dict[Step, Path]:
        """The outputs of steps, by step; what the store lacks of them and of what they need is built."""
        from oxcross import executor

        whole = Plan.of(wanted)
        with self._engine() as engine:
            return executor.run(
                whole, engine, self.store, self._fetcher(), self.terminal, self.jobs, self.cache
            )

    def _fetcher(self) -> Any:
        from oxcross.fetch import Fetcher

        return Fetcher(self.store, self.mirrors, self.terminal, cache=self.cache)

    @contextmanager
    def _engine(self) -> Iterator[_LazyEngine]:
        engine = _LazyEngine(lambda: engines.choose(self.engine, notice=self.terminal.notice))
        try:
            yield engine
        finally:
            engine.close()

    def _assemble(self, project: Project, resolution: Resolution, made: Mapping[Step, Path]) -> Artifact:
        """Collect, pack, link, inspect and run: the executable of one target."""
        with runner.warmed(row(project, self.store)):
            return self._assembled(project, resolution, made)

    def _assembled(self, project: Project, resolution: Resolution, made: Mapping[Step, Path]) -> Artifact:
        from oxcross import inspect, pack, squeeze
        from oxcross.collect import licences, stdlib
        from oxcross.collect.collected import Built, gather
        from oxcross.collect.settings import manifest, settings

        begun = time.monotonic()
        target = row(project, self.store)
        cpython = recipes.cpython(target, project.python)
        runtime = recipes.runtime(target)
        used = steps(project, self.store, resolution.built)
        launcher = made[used[-1]] / "bin" / "launcher"
        extensions = [recipes.distribution(target, project.python, sdist) for sdist in resolution.built]
        host = recipes.host_python(project.python)
        built = Built(
            cpython=made[cpython],
            cpython_key=cpython.key,
            host=made[host],
            host_key=host.key,
            runtime=made[runtime] if runtime else None,
            extensions={step.key: made[step] for step in extensions},
        )
        with self.terminal.stage(target.name, "collect"):
            collected = gather(
                project, target, built, self.store, resolution=resolution, notice=self.terminal.notice
            )
        for text in collected.warnings:
            self.terminal.notice(text)
        out = self._out(project, target)
        with self.store.temporary("blob") as scratch:
            with self.terminal.stage(target.name, "pack"), self.store.guard():
                options = settings(project, collected)
                facts = manifest(project, target, collected, launcher_sha256=_sha256(launcher))
                options.append(
                    licences.embed(
                        *(collected.resources, facts, collected.notices),
                        texts=made[recipes.licences(target, project.python)] / "texts",
                        folder=stdlib.folder(facts["python"]),
                    )
                )
                blob = scratch / "blob"
                pack.write(collected.resources, options, facts, blob)
            with self.terminal.stage(target.name, "link"):
                unused = squeeze.unused(collected.left_out, collected.facts["builtin"])
                if target.os == "windows":
                    linked = self._link_windows(project, target, launcher, blob, out)
                elif target.os == "macos":
                    linked = self._link_macos(project, target, launcher, blob, out)
                else:
                    linked = link.attach(launcher, blob, out, target, without=unused)
        with self.terminal.stage(target.name, "check"):
            seen = inspect.inspect(linked.path)
            inspect.check(seen, target)
            if (lacking := runner.lacking(target)) is None:
                _try_out(linked.path, target)
        if lacking is not None:
            self.terminal.notice(f"{target.name}: inspected, but not run: {lacking}")
        return Artifact(
            target=target.name,
            path=linked.path,
            sha256=linked.sha256,
            size=linked.size,
            seconds=time.monotonic() - begun,
            facts={
                "minimum": project.macos.minimum if target.os == "macos" else seen.glibc or target.floor,
                "python": project.python,
                "glibc": seen.glibc,
                "commands": sorted(seen.commands),
            },
            steps={step.name: step.key for step in used},
        )

    def _out(self, project: Project, target: Target) -> Path:
        return (self.output or output_folder(project.root)) / target.name / file_name(project, target)

    def _join(self, project: Project, parts: Sequence[Artifact]) -> Artifact:
        """One executable for several machines, of one for each."""
        from oxcross import inspect

        begun = time.monotonic()
        target = row(project, self.store)
        out = self._out(project, target)
        with self.terminal.stage(target.name, "join"):
            linked = link.join([part.path for part in parts], out)
            inspect.check(inspect.inspect(linked.path), target)
        return Artifact(
            target=target.name,
            path=linked.path,
            sha256=linked.sha256,
            size=linked.size,
            seconds=time.monotonic() - begun,
            facts=parts[0].facts,
            steps={name: key for part in parts for name, key in part.steps.items()},
        )

    def _link_macos(
        self, project: Project, target: Target, launcher: Path, blob: Path, out: Path
    ) -> link.Linked:
        """Link with an ad-hoc signature; sign anew, where another one is wanted."""
        wanted, settings = project.macos, link.macho.Settings(identifier=project.macos.identifier)
        if wanted.sign is None:
            return link.attach(launcher, blob, out, target, macos=settings)
        from oxcross.macos.sign import sign

        unsigned = blob.with_name(out.name)
        link.attach(launcher, blob, unsigned, target, macos=settings)
        return sign(unsigned, out, wanted.sign, wanted.identifier, self.terminal.notice)

    def _packed(self, project: Project, artifact: Artifact) -> Artifact:
        """The same executable, when what is made of it for macOS is made, too."""
        target = row(project, self.store)
        if target.os != "macos" or not (project.macos.app or project.macos.package.formats):
            return artifact
        from oxcross.macos.product import packages

        with self.terminal.stage(target.name, "package"):
            made = packages(project, target, artifact.path, self.terminal.notice)
        self.terminal.notice(f"{target.name}: beside it lie {', '.join(path.name for path in made)}")
        return replace(artifact, packages=tuple(made))

    def _link_windows(
        self, project: Project, target: Target, launcher: Path, blob: Path, out: Path
    ) -> link.Linked:
        """Link with icon, version and manifest; sign, where that is wanted."""
        from oxcross.windows.appearance import appearance

        wanted = project.windows.sign
        if wanted is None:
            return link.attach(launcher, blob, out, target, appearance=appearance(project))
        from oxcross.windows.sign import sign

        unsigned = blob.with_name(out.name)
        link.attach(launcher, blob, unsigned, target, appearance=appearance(project))
        return sign(unsigned, out, wanted, self.terminal.notice)


def file_name(project: Project, target: Target) -> str:
    """What the project's executable is called on a target."""
    return f"{project.name}.exe" if target.os == "windows" else project.name


def _advised(
    error: BuildError, wanted: Sequence[Project], resolutions: Sequence[Resolution], store: Store
) -> BuildError:
    """The error of a step; when a distribution could not be built from source, with what can be done instead."""
    from oxcross.collect import built

    for project, resolution in zip(wanted, resolutions, strict=True):
        target = row(project, store)
        for sdist in resolution.built:
            if error.where == recipes.distribution(target, project.python, sdist).name:
                advice = built.advice(project, target)
                if project.link != "memory":
                    advice += f'; or, if it has a pure wheel, pure-packages = ["{sdist.name}"]'
                hint = f"{error.hint}\n  {advice}"
                return BuildError(error.message, where=error.where, hint=hint, page=error.page)
    return error


def _try_out(executable: Path, target: Target) -> None:
    """Run the executable's own verification. InspectError when it does not answer as it must."""
    try:
        done = subprocess.run(
            runner.line(target, executable, "--oxcross-verify"),
            env=runner.environment(target),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_VERIFY_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InspectError(f"it does not run: {error}", where=str(executable)) from None
    if done.returncode != 0 or done.stdout.strip() != "ok":
        said = (done.stderr or done.stdout).strip() or "nothing"
        raise InspectError(
            f"it does not run: exit status {done.returncode}, it said: {said}", where=str(executable)
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _LazyEngine:
    """The engine that is chosen when the first step has to be built: asking a daemon takes time."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._chosen: Engine | None = None

    def choose(self) -> Engine:
        """The engine, chosen now. ToolError when it cannot work here, or lacks tools."""
        if self._chosen is None:
            self._chosen = self._make()
            if self._chosen.name == "local":
                from oxcross.doctor import require_tools

                require_tools()
        return self._chosen

    @property
    def name(self) -> str:
        """The chosen engine's."""
        return self.choose().name

    def prepare(self, images: Iterable[str]) -> None:
        """As the engine's."""
        self.choose().prepare(images)

    def run(self, job: Job) -> int:
        """As the engine's."""
        return self.choose().run(job)

    def shell(self, job: Job) -> int:
        """As the engine's."""
        return self.choose().shell(job)

    def stop(self) -> None:
        """As the engine's; nothing when none was needed."""
        if self._chosen is not None:
            self._chosen.stop()

    def close(self) -> None:
        """As the engine's; nothing when none was needed."""
        if self._chosen is not None:
            self._chosen.close()
