"""What an executable runs: its one program, its commands, and whether the project itself goes in for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from oxcross.config import entry, schema
from oxcross.config.files import existing_file
from oxcross.config.findings import Findings
from oxcross.errors import ConfigError, nearest
from oxcross.project import Command, Run, RunKind

RUN_KINDS: Final[Mapping[str, RunKind]] = {
    "entry_point": "entry-point",
    "run_module": "module",
    "run_file": "file",
    "run_command": "command",
    "repl": "repl",
}


class Running:
    """One target's choice, checked; what is wrong goes to ``findings``.

    ``key_of`` gives a field's dotted key in the table where its value stands.
    """

    def __init__(
        self,
        root: Path,
        document: Mapping[str, Any],
        settings: schema.Settings,
        key_of: Callable[[str], str],
        *,
        findings: Findings,
    ) -> None:
        self._root = root
        self._document = document
        self._meta: Mapping[str, Any] = document.get("project", {})
        self._settings = settings
        self._key_of = key_of
        self._findings = findings
        self._roots = entry.source_roots(root, document)
        self.run, key = self._run()
        self.commands = self._commands()
        wanted = [(self.run, key), *((one.run, one.key) for one in self.commands if one.run)]
        self.include_project = self._include([run for run, _ in wanted])
        for run, key in wanted:
            self._check(run, key)

    @property
    def windowed(self) -> bool:
        """Whether what runs is one of the project's windowed programs."""
        windowed, plain = (
            {str(one).partition("[")[0].strip() for one in self._meta.get(key, {}).values()}
            for key in ("gui-scripts", "scripts")
        )
        return self.run.kind == "entry-point" and self.run.value in windowed - plain and not self.commands

    def _scripts(self) -> dict[str, Run]:
        """The project's own console scripts; without them its windowed programs."""
        scripts = self._meta.get("scripts", {}) or self._meta.get("gui-scripts", {})
        return {name: Run("entry-point", str(one).partition("[")[0].strip()) for name, one in scripts.items()}

    def _run(self) -> tuple[Run, str]:
        """What runs when no command is named, and the dotted key that says so."""
        settings = self._settings
        given = [field for field in RUN_KINDS if getattr(settings, field) is not None]
        if len(given) > 1:
            names = " and ".join(field.replace("_", "-") for field in given)
            self._findings.add(
                self._key_of(given[1]), f"{names} exclude each other", "keep the one that is to run"
            )
        if given:
            value = getattr(settings, given[0])
            return Run(RUN_KINDS[given[0]], value if isinstance(value, str) else ""), self._key_of(given[0])
        if settings.commands is not None:
            return Run("commands"), self._key_of("commands")
        if any(self._findings.about(f"tool.oxcross.{key}") for key in (*schema.RUN_KEYS, "commands")):
            return Run("repl"), "tool.oxcross.repl"  # said already
        scripts = self._scripts()
        if len(scripts) == 1:
            [(name, run)] = scripts.items()
            return run, f"project.scripts.{name}"
        if scripts:
            lines = "".join(f'\n    entry-point = "{run.value}"  # {name}' for name, run in scripts.items())
            hint = f"the project has {len(scripts)} scripts; commands = true takes them all, or choose one:{lines}"
        else:
            hint = f"write one of {', '.join((*schema.RUN_KEYS, 'commands'))} below [tool.oxcross]"
        if "oxcross" not in self._document.get("tool", {}):
            hint += "\n  or have `oxcross init` write a [tool.oxcross]"
        message = "nothing says what the executable runs"
        self._findings.add("tool.oxcross.entry-point", message, hint, page="nothing-to-run")
        return Run("repl"), "tool.oxcross.repl"

    def _commands(self) -> tuple[Command, ...]:
        scripts = self._scripts()
        found: list[Command] = []
        if self._settings.commands == {} and not self._findings.about(self._key_of("commands")):
            hint = "write commands = true for all of [project.scripts]"
            self._findings.add(self._key_of("commands"), "names no command", hint)
        for name, given in (self._settings.commands or {}).items():
            key = self._key_of(f"commands.{name}")
            if name == schema.ALL_SCRIPTS:
                key = self._key_of("commands")
                if not scripts:
                    hint = 'write [project.scripts], or commands as a table: name = "package.module:function"'
                    self._findings.add(key, "the project has no scripts", hint)
                found += [
                    Command(script, run, f"project.scripts.{script}") for script, run in scripts.items()
                ]
            elif given.entry_point and given.run_module:
                self._findings.add(key, "entry-point and run-module exclude each other")
            elif given.entry_point:
                found.append(Command(name, Run("entry-point", given.entry_point), key))
            elif given.run_module:
                found.append(Command(name, Run("module", given.run_module), key))
            else:
                found.append(Command(name, scripts.get(name), key))
                known = name in scripts or self._has_requirements(include=True)
                if not known and not self._findings.about(key):
                    hint = nearest(name, scripts) if scripts else "write [project.scripts]"
                    self._findings.add(key, f"there is no script {name!r} in this project", hint)
        return tuple(found)

    def _check(self, run: Run, key: str) -> None:
        """Whether what is to run is there, as far as the project's own files tell."""
        wrong: ConfigError | None = None
        module = run.value.partition(":")[0]
        if run.kind == "entry-point":
            wrong = entry.check_function(self._roots, run.value)
        elif run.kind == "module":
            wrong = entry.check_module(self._roots, run.value, as_main=True)
        elif run.kind == "file":
            try:
                existing_file(self._root, run.value)
            except ConfigError as problem:
                wrong = problem
        elif run.kind == "command":
            wrong = entry.check_command(run.value)
        if wrong is None and run.kind in ("entry-point", "module") and not entry.is_stdlib(module):
            here = entry.local(self._roots, module)
            if here and not self.include_project:
                message = f"{module} lies in this project, which is not included"
                wrong = ConfigError(message, hint="set project = true")
            elif not here and not self._has_requirements(include=self.include_project):
                tops = entry.packages(self._roots)
                wrong = entry.nobody_has(module, tops)
        if wrong:
            self._findings.add(key, wrong.message, wrong.hint, page=wrong.page)

    def _has_requirements(self, *, include: bool) -> bool:
        settings = self._settings
        own = include and (self._meta.get("dependencies") or "dependencies" in self._meta.get("dynamic", []))
        return bool(own or settings.requirements or settings.requirements_file or settings.lock)

    def _include(self, runs: list[Run]) -> bool:
        if self._settings.project is None:
            own = any(
                entry.local(self._roots, run.value.partition(":")[0])
                for run in runs
                if run.kind in ("entry-point", "module")
            )
            return "build-system" in self._document or own or bool(self._meta.get("dependencies"))
        if self._settings.project and not self._meta and "build-system" not in self._document:
            message = "there is no [project] to include"
            self._findings.add(
                self._key_of("project"), message, "write a [project] table, or project = false"
            )
        return self._settings.project
