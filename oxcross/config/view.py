"""One target's settings, checked against the project around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from oxcross import sources, targets
from oxcross.config import cache, macos, publish, release, schema, windows
from oxcross.config.computed import Computed
from oxcross.config.files import check_hashed, check_lock, data_files, existing_file
from oxcross.config.findings import Findings
from oxcross.config.running import RUN_KINDS, Running
from oxcross.config.table import Table
from oxcross.cpython import series, series_of
from oxcross.errors import ConfigError, SourceError, nearest
from oxcross.project import DataFile, Project

# Where resources may lie has its place in the model; one place is built today.
_BUILT_LOCATION: Final = "in-memory"
_LOCATIONS: Final = ("location", "location_fallback", "modules", "extensions", "data")


def view(
    root: Path,
    document: Mapping[str, Any],
    config: schema.Config,
    target: str,
    findings: Findings,
    computed: Computed,
) -> Project:
    """The Project for one target; what is wrong goes to ``findings``, and the result is then of no use."""
    return _View(root, document, config, target, findings, computed).project()


def linked(
    wanted: Literal["memory", "static"] | tuple[str, ...] | None, target: str
) -> Literal["memory", "static"] | tuple[str, ...]:
    """What ``link`` comes to on a target: one that loads nothing links all in."""
    if targets.get(target).static:
        return "static"
    if wanted is None or isinstance(wanted, str):
        return wanted or "memory"
    return tuple(sorted({_normalised(name) for name in wanted}))


class _View:
    def __init__(
        self,
        root: Path,
        document: Mapping[str, Any],
        config: schema.Config,
        target: str,
        findings: Findings,
        computed: Computed,
    ) -> None:
        self._root = root
        self._computed = computed
        self._document = document
        self._meta: Mapping[str, Any] = document.get("project", {})
        self._config = config
        self._target = target
        self._findings = findings
        self._override = config.target.get(target, schema.Settings())
        self._settings = _merged(config, self._override)

    def project(self) -> Project:
        settings = self._settings
        running = Running(self._root, self._document, settings, self._key, findings=self._findings)
        self._check_policy()
        self._check_requirements()
        name = self._from_project("name", self._config.name)
        version = self._from_project("version", self._config.version)
        return Project(
            root=self._root,
            target=self._target,
            targets=tuple(dict.fromkeys(self._config.targets)),
            name=name,
            version=version,
            python=self._python(),
            run=running.run,
            commands=running.commands,
            include_project=running.include_project,
            configured="oxcross" in self._document.get("tool", {}),
            requirements=settings.requirements,
            requirements_file=self._file("requirements_file", check_hashed),
            lock=self._file("lock", check_lock),
            data=self._data(),
            exclude_modules=settings.exclude_modules,
            exclude_files=settings.exclude_files,
            exclude_packages=tuple(_normalised(name) for name in settings.exclude_packages),
            optimize=settings.optimize,
            sources=settings.sources,
            columns=settings.sources if settings.columns is None else settings.columns,
            stdlib_exclude=settings.stdlib.exclude,
            stdlib_include=settings.stdlib.include,
            stdlib_unreached=settings.stdlib.unreached,
            compression=settings.compression,
            glibc=self._glibc(),
            link=self._link(),
            pure_packages=tuple(_normalised(name) for name in settings.pure_packages),
            interpreter=settings.interpreter,
            policy=settings.policy,
            mirrors=self._config.store.mirrors,
            ignore=self._config.analyze.ignore,
            publish=publish.resolve(self._config.publish, self._add),
            release=release.resolve(self._root, self._config.release, self._add),
            cache=cache.resolve(self._root, self._config.cache, self._add),
            windows=windows.resolve(
                self._root,
                settings.windows,
                self._meta,
                name=name,
                windowed=running.windowed,
                wrong=self._add,
            ),
            macos=macos.resolve(
                self._root, settings.macos, self._meta, name=name, version=version, wrong=self._add
            ),
        )

    # -- where a value stands ---------------------------------------------------------------

    def _key(self, field: str) -> str:
        """The dotted key of a field, in the table that gave its value."""
        first = field.partition(".")[0].partition("[")[0]
        here = first in self._override.model_fields_set
        table = f"tool.oxcross.target.{self._target}" if here else "tool.oxcross"
        return f"{table}.{field.replace('_', '-')}"

    def _add(self, field: str, message: str, hint: str | None = None, *, page: str | None = None) -> None:
        self._findings.add(self._key(field), message, hint, page=page)

    # -- name, version, python --------------------------------------------------------------

    def _from_project(self, key: Literal["name", "version"], own: str | None) -> str:
        if own is not None:
            return own
        value = self._meta.get(key)
        where = f"tool.oxcross.{key}"
        if isinstance(value, str):
            try:
                schema.Config(**{key: value})
            except ValueError:
                self._findings.add(f"project.{key}", f"cannot be a file name: {value!r}", f"set {where}")
            return value
        message, hint = f"missing, and there is no project.{key}", None
        told = key in self._meta.get("dynamic", []) or "project" not in self._document
        if told and "build-system" in self._document:
            try:
                return self._computed.value(key)
            except ConfigError as error:
                message, hint = error.message, error.hint
        elif key in self._meta.get("dynamic", []):
            message = (
                f"missing: the project's {key} is dynamic, and there is no [build-system] that computes it"
            )
        advice = f'write {key} = "…" below [tool.oxcross]'
        self._findings.add(where, message, f"{hint}\n  or {advice}" if hint else advice)
        return ""

    def _python(self) -> str:
        wanted = self._settings.python
        try:
            version = sources.get("cpython", wanted).version
        except SourceError:
            offered = {v.rpartition(".")[0] for v in sources.versions("cpython")}
            self._add("python", f"CPython {wanted} is not offered", nearest(wanted, offered))
            return wanted
        required = self._meta.get("requires-python")
        if isinstance(required, str):
            from packaging.specifiers import InvalidSpecifier, SpecifierSet

            try:
                if not SpecifierSet(required).contains(version, prereleases=True):
                    self._add(
                        "python", f"CPython {version} is not in the project's requires-python: {required}"
                    )
            except InvalidSpecifier:
                self._findings.add("project.requires-python", f"not a version specifier: {required!r}")
        if self._settings.interpreter.allocator == "mimalloc" and version.startswith("3.12."):
            hint = '"default" or "malloc", or python = "3.13"'
            self._add("interpreter.allocator", f"CPython {version} has no mimalloc", hint)
        system = targets.get(self._target).os
        if not series()[series_of(version)].on(system):
            names = " or ".join(f'"{name}"' for name, row in series().items() if row.on(system))
            self._add(
                "python", f"there is no recipe for CPython {version} on {self._target}", f"python = {names}"
            )
        return version

    def _glibc(self) -> str:
        if int(self._settings.glibc.partition(".")[2]) < 17:
            self._add("glibc", f"{self._settings.glibc} is below 2.17, which the interpreter itself asks for")
        return self._settings.glibc

    def _link(self) -> Literal["memory", "static"] | tuple[str, ...]:
        wanted = self._settings.link
        if targets.get(self._target).static and wanted == "memory":
            message = f"{self._target} executables can load no extension modules: all of them are linked in"
            self._add(
                "link",
                message,
                f'write it for other targets only, or [tool.oxcross.target.{self._target}] link = "static"',
            )
        return linked(wanted, self._target)

    # -- policy, requirements, data ---------------------------------------------------------

    def _check_policy(self) -> None:
        for field in _LOCATIONS:
            value = getattr(self._settings.policy, field)
            if value not in (None, _BUILT_LOCATION):
                message = f"{value!r} cannot be built by this version of oxcross"
                self._add(f"policy.{field}", message, f"only {_BUILT_LOCATION!r} is")

    def _check_requirements(self) -> None:
        if self._settings.requirements:
            self._parse_requirements()
        pairs = [
            ("requirements_file", "requirements"),
            ("lock", "requirements"),
            ("lock", "requirements_file"),
        ]
        for field, other in pairs:
            if getattr(self._settings, field) and getattr(self._settings, other):
                names = f"{field} and {other}".replace("_", "-")
                self._add(
                    field, f"{names} exclude each other", "the locked file must name all that is installed"
                )

    def _parse_requirements(self) -> None:
        from packaging.requirements import InvalidRequirement, Requirement

        for index, text in enumerate(self._settings.requirements):
            try:
                Requirement(text)
            except InvalidRequirement as error:
                reason = str(error).splitlines()[0]
                hint = "write it as 'name>=1.0', or 'name @ file:///path' for a folder or wheel"
                self._add(f"requirements[{index}]", f"not a requirement (PEP 508): {text!r}: {reason}", hint)

    def _file(self, field: str, check: Callable[[Path], None]) -> Path | None:
        name = getattr(self._settings, field)
        if name is None:
            return None
        try:
            path = existing_file(self._root, name)
            check(path)
        except ConfigError as problem:
            self._add(field, problem.message, problem.hint, page=problem.page)
            return None
        return path

    def _data(self) -> tuple[DataFile, ...]:
        files: dict[str, DataFile] = {}
        for index, item in enumerate(self._settings.data):
            try:
                matched = data_files(self._root, item.source, item.to)
            except ConfigError as problem:
                self._add(f"data[{index}]", problem.message, problem.hint)
                continue
            for file in matched:
                if files.setdefault(file.path, file).source != file.source:
                    other = files[file.path].source
                    self._add(
                        f"data[{index}]", f"two files for one place, {file.path}: {other} and {file.source}"
                    )
        return tuple(files[path] for path in sorted(files))


def _merged(config: schema.Config, override: schema.Settings) -> schema.Settings:
    """The general settings with one target's in their place; tables are merged key by key."""
    values = {
        name: getattr(config, name)
        for name in config.model_fields_set
        if name in schema.Settings.model_fields
    }
    changes = {name: getattr(override, name) for name in override.model_fields_set}
    if RUN_KINDS.keys() & changes.keys():
        values = {name: value for name, value in values.items() if name not in RUN_KINDS}
    for name, value in changes.items():
        known = values.get(name)
        values[name] = _updated(known, value) if isinstance(known, Table) else value
    return schema.Settings.model_construct(_fields_set=set(values), **values)


def _updated(table: Table, change: Table) -> Table:
    """A table with the keys of another one in their place; tables in it likewise."""
    updates = {}
    for key in change.model_fields_set:
        known, value = getattr(table, key), getattr(change, key)
        both = isinstance(known, Table) and isinstance(value, Table)
        updates[key] = _updated(known, value) if both else value
    return table.model_copy(update=updates)


def _normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
