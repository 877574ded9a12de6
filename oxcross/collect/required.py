"""Whether a requirement brings what the executable is to run: looked up in its files, nothing imported."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

from oxcross.collect import environment
from oxcross.collect.resolve import Resolution
from oxcross.config import entry
from oxcross.errors import ConfigError, nearest
from oxcross.project import Project
from oxcross.store import Store
from oxcross.targets import Target


def check(
    project: Project, resolution: Resolution, target: Target, store: Store, notice: Callable[[str], None]
) -> None:
    """Raise ConfigError when an entry point or module that only a requirement can have is not there.

    What lies in the project itself was checked with the configuration. Requirements that are folders of this
    machine are not looked into: their wheels are built later.
    """
    run = project.run
    module = run.value.partition(":")[0]
    if run.kind not in ("entry-point", "module") or entry.is_stdlib(module) or resolution.local:
        return
    document = tomllib.loads(project.pyproject.read_text(encoding="utf-8"))
    if entry.local(entry.source_roots(project.root, document), module):
        return
    tree = environment.environment(resolution.lines, project, target, store, notice=notice)
    wrong: tuple[str, str | None] | None
    if not entry.local([tree], module):
        known = [name for name in entry.packages([tree]) if not name.startswith("_")]
        hint = nearest(module.partition(".")[0], known) if known else None
        wrong = f"there is no module {module!r}, in this project or required by it", hint
    elif run.kind == "module":
        wrong = entry.check_module([tree], module, as_main=True)
    else:
        wrong = entry.check_function([tree], run.value)
    if wrong:
        key = "entry-point" if run.kind == "entry-point" else "run-module"
        raise ConfigError(wrong[0], where=f"{project.pyproject}: tool.oxcross.{key}", hint=wrong[1])
