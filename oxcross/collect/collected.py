"""Everything that goes into one executable: made once, kept as sets in the store, merged into one.

What a set's bytes depend on is its key: the files, the interpreter that compiles, and the settings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oxcross import elf, pack, packages, recipes
from oxcross.collect import (
    application,
    bytecode,
    choose,
    commands,
    environment,
    libraries,
    licences,
    macos,
    make,
    quirks,
    resolve,
    resourceset,
    startup,
    stdlib,
    wheel,
    wheels,
    windows,
)
from oxcross.collect.distributions import Distribution
from oxcross.collect.licences import Notice
from oxcross.collect.make import Entry, Options, Tree
from oxcross.collect.resourceset import ResourceSet
from oxcross.cpython import series_of
from oxcross.errors import CollectError
from oxcross.pack.codec import Compression, Encoder
from oxcross.project import Project, Run
from oxcross.recipes import components
from oxcross.sdist import IndexFile
from oxcross.store import Store
from oxcross.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What the steps made: the output trees of ``cpython`` for the target and for the build machine, each with its
    step's key, of ``runtime``, and of the distributions that are built from source, by their steps' keys.
    """

    cpython: Path
    cpython_key: str
    host: Path
    host_key: str
    runtime: Path | None = None  # libstdc++ and libgcc_s, for systems without them
    extensions: Mapping[str, Path] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Any]:
        """link.json of the cpython step: version, soabi, builtin, components."""
        facts: Mapping[str, Any] = json.loads((self.cpython / "link.json").read_text(encoding="utf-8"))
        return facts


@dataclass(frozen=True, slots=True)
class Collected:
    """All resources of an executable; ``glibc`` is the oldest that its wheels' libraries run with, ``left_out`` are the
    interpreter's own modules that it does without, ``linked`` are the sources of libraries that extension modules linked
    into the executable brought with them.
    """

    resources: pack.Resources
    commands: Mapping[str, Run]
    distributions: tuple[Distribution, ...]
    facts: Mapping[str, Any]
    glibc: tuple[int, ...]
    startup: startup.Startup
    left_out: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()  # of the distributions, in their order
    wheels: Mapping[str, IndexFile] = field(default_factory=dict)  # which were installed, by normalised name


@dataclass(slots=True)
class _Gatherer:
    project: Project
    target: Target
    built: Built
    store: Store
    notice: Callable[[str], None]
    facts: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.facts = self.built.facts

    @property
    def compression(self) -> Compression:
        """How payloads are compressed; what else the project's setting means is not for here."""
        return "none" if self.project.compression == "none" else "zstd"

    @property
    def python(self) -> Path:
        """The interpreter that compiles, for every target: bytecode is the same on all of them."""
        series = series_of(str(self.facts["version"]))
        return self.built.host / "bin" / f"python{series}"

    def options(self, encoder: Encoder, *, sources: bool, kept: bool = False) -> Options:
        """``kept``: compile each file once and keep its bytecode, for files that are edited."""
        return Options(
            python=self.python,
            target=self.target,
            soabi=self.facts["soabi"],
            optimize=self.project.optimize,
            sources=sources,
            columns=self.project.columns,
            encoder=encoder,
            compiler=self.compiled if kept else None,
        )

    def cached(
        self,
        name: str,
        identity: object,
        options: Options,
        tree: Callable[[], Tree],
        **how: Any,
    ) -> ResourceSet:
        """The set of ``tree``, which ``identity`` tells from others; made when the store has none."""
        facts = {
            "formats": [resourceset.FORMAT, bytecode.FORMAT],
            "identity": identity,
            "compiler": self.built.host_key,
            "soabi": options.soabi,
            "optimize": options.optimize,
            "sources": options.sources,
            "columns": options.columns,
            "compression": options.encoder.compression,
            "dictionary": hashlib.sha256(options.encoder.dictionary).hexdigest(),
            "how": how,
            "quirks": [] if how.get("stdlib") else quirks.identity(),
        }
        key = "set-" + hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        if (found := self.store.get(key)) is not None:
            return resourceset.load(found)
        with self.store.lock(key, name=f"{self.target.name}/set/{name}"):
            if (found := self.store.get(key)) is None:
                self.notice(f"compiling {name}")
                with self.store.temporary("set") as folder:
                    (folder / "tree").mkdir()
                    make.make(folder / "tree", tree(), options, **how)
                    found = self.store.put(key, folder / "tree", f"{self.target.name}/set/{name}")
        return resourceset.load(found)

    def compiled(self, sources: Mapping[str, bytes]) -> dict[str, bytecode.Compiled]:
        """Bytecode, file by file from the store; only what is new is compiled."""
        result: dict[str, bytecode.Compiled] = {}
        keys = {path: self._code_key(path, source) for path, source in sources.items()}
        for path, key in keys.items():
            if (value := self.store.value(key)) is not None:
                result[path] = bytecode.Compiled.of(value)
        new = {path: source for path, source in sources.items() if path not in result}
        made = bytecode.compile_all(
            self.python, new, optimize=self.project.optimize, columns=self.project.columns
        )
        for path, one in made.items():
            self.store.put_value(keys[path], one.value())
        result |= made
        return result

    def _code_key(self, path: str, source: bytes) -> str:
        digest = hashlib.sha256()
        for part in (
            str(bytecode.FORMAT),
            self.built.host_key,
            str(self.project.optimize),
            str(self.project.columns),
            path,
        ):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(source)
        return "code-" + digest.hexdigest()

    def stdlib(self) -> ResourceSet:
        embed = self.project.policy.include_stdlib_sources
        sources = self.project.sources if embed is None else embed
        return self.cached(
            "stdlib",
            [stdlib.identity(self.target.os), self.built.cpython_key],
            self.options(Encoder(self.compression), sources=sources),
            lambda: stdlib.tree(self.built.cpython, self.facts["version"], self.target.os),
            prefix=stdlib.folder(self.facts["version"]) + "/",
            stdlib=True,
            train=self.compression == "zstd",
        )

    def site(self, encoder: Encoder, resolution: resolve.Resolution) -> list[ResourceSet]:
        """Dependencies, local requirements, the project, its data: later ones win."""
        options = self.options(encoder, sources=self.project.sources)
        kept = self.options(encoder, sources=self.project.sources, kept=True)
        found: list[ResourceSet] = []
        if resolution.lines:
            installed = environment.environment(
                resolution.lines, self.project, self.target, self.store, notice=self.notice
            )
            key = environment.key(resolution.lines, self.project, self.target)
            found.append(self.cached("dependencies", key, options, lambda: make.read_tree(installed)))
        for key, tree in self.built.extensions.items():
            found.append(self._built(key, tree / "tree", options))
        found += [self._wheel(wheel.of(one.path, self.store), kept) for one in resolution.local]
        if self.project.include_project and application.has_build_system(self.project):
            built = wheel.build(self.project.root, self.store, notice=self.notice)
            found.append(self._wheel(built, kept))
            if self.project.run.kind == "file":
                script = {self.project.run.value: Entry.at(self.project.root / self.project.run.value)}
                found.append(self._files("script", script, kept))
        elif files := application.tree(self.project):
            found.append(self._files("application", application.installed(self.project, files), kept))
        if self.project.data:
            data = {one.path: Entry.at(one.source) for one in self.project.data}
            found.append(self._files("data", data, options, importable=False))
        return found

    def _wheel(self, one: wheel.Wheel, options: Options) -> ResourceSet:
        tree = {path: Entry.of(data) for path, data in one.files.items()}
        return self.cached(one.information.partition("-")[0], one.key, options, lambda: tree)

    def _built(self, key: str, tree: Path, options: Options) -> ResourceSet:
        name = next(tree.glob("*.dist-info")).name.partition("-")[0]
        return self.cached(name, key, options, lambda: make.read_tree(tree), linked=True)

    def _files(self, name: str, tree: Tree, options: Options, **how: Any) -> ResourceSet:
        identities = {path: entry.identity for path, entry in tree.items()}
        return self.cached(name, identities, options, lambda: tree, **how)


def gather(
    project: Project,
    target: Target,
    built: Built,
    store: Store,
    *,
    resolution: resolve.Resolution | None = None,
    upgrade: bool = False,
    notice: Callable[[str], None] = lambda _: None,
) -> Collected:
    """Everything that goes into the project's executable for ``target``.

    ``resolution`` is asked for when it is not given; what is built from source in it must be in ``built``.
    ``notice`` is told (one line) what takes time. Raises CollectError for what cannot be had or does
    not fit the target, ToolError when uv is needed and missing.
    """
    if resolution is None:
        resolution = resolve.resolve(project, target, store, upgrade=upgrade, notice=notice)
    gatherer = _Gatherer(project, target, built, store, notice)
    library = gatherer.stdlib()
    encoder = Encoder(gatherer.compression, library.resources.dictionary)
    site = gatherer.site(encoder, resolution)
    merged, warnings = pack.merge(
        library.resources, *(one.resources for one in site), builtin=gatherer.facts["builtin"]
    )
    for one in site:
        # Only what runs here counts; old syntax in a dependency's data is its own affair.
        warnings += [f"{path}: not compiled: {error}" for path, error in one.skipped if _own(project, path)]
    named = commands.resolve(project, merged)
    warnings += choose.apply(merged, project)
    builtin = gatherer.facts["builtin"]
    runs = (project.run, *named.values())
    left_out = choose.thin(merged, project, target.os, gatherer.python, runs, builtin)
    commands.add_programs(named, merged)
    for sdist, tree in zip(resolution.built, built.extensions.values(), strict=True):
        if not sdist.pure and not (tree / "modules").read_bytes():
            name = next((tree / "tree").glob("*.dist-info")).name.partition("-")[0]
            warnings.append(f"{name}: its build made no extension modules; it runs as pure Python, if it can")
    shared = [file for one in site for file in one.shared if file.path in merged.files]
    inside = sorted((one for part in site for one in part.distributions), key=lambda one: one.name.lower())
    if target.os == "windows":
        warnings += windows.check(merged, project)
        warnings += windows.add_libraries(merged, [file for file in shared if file.arch == target.arch])
    elif target.os == "macos":
        warnings += macos.missing(shared)
    else:
        warnings += _add_libraries(merged, shared, built)
    for run in runs:
        choose.check_run(merged, project, run, set(builtin) - set(left_out))
    started = startup.of(merged, target.os)
    return Collected(
        merged,
        named,
        tuple(inside),
        gatherer.facts,
        max((file.glibc for file in shared), default=()),
        started,
        left_out,
        _linked_libraries(resolution),
        (*warnings, *started.warnings),
        licences.of_distributions(inside, [one.resources for one in site]),
        wheels.installed(resolution, project, target, store, notice=notice),
    )


def _linked_libraries(resolution: resolve.Resolution) -> tuple[str, ...]:
    names = {name for sdist in resolution.built for name in packages.get(sdist.name).libraries}
    found = [recipes.LIBRARIES[name].source for name in sorted(names)]
    return (*found, *([components.LIBCXX] if any(sdist.cxx for sdist in resolution.built) else []))


def _own(project: Project, path: str) -> bool:
    return any((root / path).is_file() for root in (project.root, project.root / "src"))


def _add_libraries(resources: pack.Resources, shared: list[libraries.Shared], built: Built) -> list[str]:
    """Put the needed libraries into load order; warnings for those that nobody provides."""
    if not shared:
        return []
    available = sorted((built.runtime / "lib").glob("*.so*")) if built.runtime else []
    fallback = {path.name: path.read_bytes() for path in available}
    try:
        needs = {name: tuple(elf.Elf(data).needed) for name, data in fallback.items()}
    except elf.ElfError as error:
        raise CollectError(f"a damaged library: {error}", where=str(built.runtime)) from error
    loading = libraries.order(shared, needs)
    encoder = Encoder("none")
    for library in loading.libraries:
        if library.fallback:
            resources.add_file(pack.File(library.path, encoder.payload(fallback[library.soname])))
        resources.add_library(library)
    return [
        f"{name}: needed by {users[0]}, and no wheel has it: it must be on the user's system"
        for name, users in loading.missing.items()
    ]
