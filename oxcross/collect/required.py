"""Whether a requirement brings what the executable and its commands are to run: looked up in its files, nothing imported."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from oxcross.collect import commands, environment
from oxcross.collect.resolve import Resolution
from oxcross.config import entry
from oxcross.errors import ConfigError
from oxcross.project import Project, Run
from oxcross.store import Store
from oxcross.targets import Target


def check(
    project: Project, resolution: Resolution, target: Target, store: Store, notice: Callable[[str], None]
) -> None:
    """Raise ConfigError when an entry point or module that only a requirement can have is not there, CollectError for
    a command that neither the project nor a requirement brings.

    What lies in the project itself was checked with the configuration. Requirements that are folders of this
    machine, or built from source, are not looked into: their wheels are built later.
    """
    if resolution.local or resolution.built:
        return
    document = tomllib.loads(project.pyproject.read_text(encoding="utf-8"))
    roots = entry.source_roots(project.root, document)
    key = "entry-point" if project.run.kind == "entry-point" else "run-module"
    runs = {f"tool.oxcross.{key}": project.run, **{one.key: one.run for one in project.commands if one.run}}
    foreign = {key: run for key, run in runs.items() if _is_foreign(run, roots)}
    unknown = [command for command in project.commands if command.run is None]
    if not foreign and not unknown:
        return
    tree = environment.environment(resolution.lines, project, target, store, notice=notice)
    for key, run in foreign.items():
        _check_run(project, key, run, tree)
    scripts = commands.of_metadata(path.read_bytes() for path in tree.glob("*.dist-info/entry_points.txt"))
    for command in unknown:
        if command.name not in scripts:
            raise commands.missing(project, command.key, command.name, scripts)


def _is_foreign(run: Run, roots: list[Path]) -> bool:
    module = run.value.partition(":")[0]
    named = run.kind in ("entry-point", "module")
    return named and not entry.is_stdlib(module) and not entry.local(roots, module)


def _check_run(project: Project, key: str, run: Run, tree: Path) -> None:
    module = run.value.partition(":")[0]
    wrong: ConfigError | None
    if not entry.local([tree], module):
        wrong = entry.nobody_has(
            module, (name for name in entry.packages([tree]) if not name.startswith("_"))
        )
    elif run.kind == "module":
        wrong = entry.check_module([tree], module, as_main=True)
    else:
        wrong = entry.check_function([tree], run.value)
    if wrong:
        where = f"{project.pyproject}: {key}"
        raise ConfigError(wrong.message, where=where, hint=wrong.hint, page=wrong.page)
