"""One target's settings, checked against the project around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from oxcross import sources
from oxcross.config import entry, schema
from oxcross.config.files import check_hashed, check_lock, data_files, existing_file
from oxcross.config.findings import Findings
from oxcross.errors import ConfigError, SourceError, nearest
from oxcross.project import DataFile, Project, Run, RunKind

_RUN_KINDS: Final[Mapping[str, RunKind]] = {
    "entry_point": "entry-point",
    "run_module": "module",
    "run_file": "file",
    "run_command": "command",
    "repl": "repl",
}

# Where resources may lie has its place in the model; one place is built today.
_BUILT_LOCATION: Final = "in-memory"
_LOCATIONS: Final = ("location", "location_fallback", "modules", "extensions", "data")


def view(
    root: Path, document: Mapping[str, Any], config: schema.Config, target: str, findings: Findings
) -> Project:
    """The Project for one target; what is wrong goes to ``findings``, and the result is then of no use."""
    return _View(root, document, config, target, findings).project()


class _View:
    def __init__(
        self, root: Path, document: Mapping[str, Any], config: schema.Config, target: str, findings: Findings
    ) -> None:
        self._root = root
        self._document = document
        self._meta: Mapping[str, Any] = document.get("project", {})
        self._config = config
        self._target = target
        self._findings = findings
        self._override = config.target.get(target, schema.Settings())
        self._settings = _merged(config, self._override)
        self._roots = entry.source_roots(root, document)

    def project(self) -> Project:
        settings = self._settings
        run, run_key = self._run()
        include = self._include_project(run)
        self._check_run(run, run_key, include=include)
        self._check_policy()
        self._check_requirements()
        return Project(
            root=self._root,
            target=self._target,
            targets=tuple(dict.fromkeys(self._config.targets)),
            name=self._from_project("name", self._config.name),
            version=self._from_project("version", self._config.version),
            python=self._python(),
            run=run,
            include_project=include,
            requirements=settings.requirements,
            requirements_file=self._file("requirements_file", check_hashed),
            lock=self._file("lock", check_lock),
            data=self._data(),
            exclude_modules=settings.exclude_modules,
            exclude_packages=tuple(_normalised(name) for name in settings.exclude_packages),
            optimize=settings.optimize,
            sources=settings.sources,
            compression=settings.compression,
            glibc=self._glibc(),
            interpreter=settings.interpreter,
            policy=settings.policy,
            mirrors=self._config.store.mirrors,
            ignore=self._config.analyze.ignore,
        )

    # -- where a value stands ---------------------------------------------------------------

    def _add(self, field: str, message: str, hint: str | None = None) -> None:
        """Note a finding at the field, in the table that gave its value."""
        first = field.partition(".")[0].partition("[")[0]
        here = first in self._override.model_fields_set
        table = f"tool.oxcross.target.{self._target}" if here else "tool.oxcross"
        self._findings.add(f"{table}.{field.replace('_', '-')}", message, hint)

    # -- name, version, python --------------------------------------------------------------

    def _from_project(self, key: str, own: str | None) -> str:
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
        if key in self._meta.get("dynamic", []):
            message = f"missing: the project's {key} is dynamic"
        else:
            message = f"missing, and there is no project.{key}"
        self._findings.add(where, message, f'write {key} = "…" below [tool.oxcross]')
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
        return version

    def _glibc(self) -> str:
        if int(self._settings.glibc.partition(".")[2]) < 17:
            self._add("glibc", f"{self._settings.glibc} is below 2.17, which the interpreter itself asks for")
        return self._settings.glibc

    # -- what runs --------------------------------------------------------------------------

    def _run(self) -> tuple[Run, str]:
        """What runs, and the dotted key that says so."""
        settings = self._settings
        given = [field for field in _RUN_KINDS if getattr(settings, field) is not None]
        if len(given) > 1:
            names = " and ".join(field.replace("_", "-") for field in given)
            self._add(given[1], f"{names} exclude each other", "keep the one that is to run")
        if given:
            value = getattr(settings, given[0])
            table = "tool.oxcross"
            if given[0] in self._override.model_fields_set:
                table += f".target.{self._target}"
            run = Run(_RUN_KINDS[given[0]], value if isinstance(value, str) else "")
            return run, f"{table}.{given[0].replace('_', '-')}"
        if any(self._findings.about(f"tool.oxcross.{key}") for key in schema.RUN_KEYS):
            return Run("repl"), "tool.oxcross.repl"  # said already
        scripts = self._meta.get("scripts", {}) or self._meta.get("gui-scripts", {})
        if len(scripts) == 1:
            [(name, value)] = scripts.items()
            return Run("entry-point", str(value).partition("[")[0].strip()), f"project.scripts.{name}"
        if scripts:
            lines = "".join(f'\n    entry-point = "{value}"' for value in scripts.values())
            hint = f"the project has {len(scripts)} scripts; choose one:{lines}"
        else:
            hint = f"write one of {', '.join(schema.RUN_KEYS)} below [tool.oxcross]"
        self._findings.add("tool.oxcross.entry-point", "nothing says what the executable runs", hint)
        return Run("repl"), "tool.oxcross.repl"

    def _check_run(self, run: Run, key: str, *, include: bool) -> None:
        wrong: tuple[str, str | None] | None = None
        module = run.value.partition(":")[0]
        if run.kind == "entry-point":
            wrong = entry.check_function(self._roots, run.value)
        elif run.kind == "module":
            wrong = entry.check_module(self._roots, run.value, as_main=True)
        elif run.kind == "file":
            try:
                existing_file(self._root, run.value)
            except ConfigError as problem:
                wrong = problem.message, problem.hint
        elif run.kind == "command":
            wrong = entry.check_command(run.value)
        if wrong is None and run.kind in ("entry-point", "module") and not entry.is_stdlib(module):
            here = entry.local(self._roots, module)
            if here and not include:
                wrong = f"{module} lies in this project, which is not included", "set project = true"
            elif not here and not self._has_requirements(include=include):
                tops = entry.packages(self._roots)
                known = nearest(module.partition(".")[0], tops) if tops else None
                wrong = f"there is no module {module!r}, in this project or required by it", known
        if wrong:
            self._findings.add(key, *wrong)

    def _has_requirements(self, *, include: bool) -> bool:
        settings = self._settings
        own = include and (self._meta.get("dependencies") or "dependencies" in self._meta.get("dynamic", []))
        return bool(own or settings.requirements or settings.requirements_file or settings.lock)

    def _include_project(self, run: Run) -> bool:
        if self._settings.project is None:
            module = run.value.partition(":")[0]
            runs_own = run.kind in ("entry-point", "module") and entry.local(self._roots, module)
            return "build-system" in self._document or runs_own
        if self._settings.project and not self._meta and "build-system" not in self._document:
            self._add(
                "project", "there is no [project] to include", "write a [project] table, or project = false"
            )
        return self._settings.project

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
            self._add(field, problem.message, problem.hint)
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
    if _RUN_KINDS.keys() & changes.keys():
        values = {name: value for name, value in values.items() if name not in _RUN_KINDS}
    for name, value in changes.items():
        if isinstance(value, schema.Table) and name in values:
            updates = {key: getattr(value, key) for key in value.model_fields_set}
            values[name] = values[name].model_copy(update=updates)
        else:
            values[name] = value
    return schema.Settings.model_construct(_fields_set=set(values), **values)


def _normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
