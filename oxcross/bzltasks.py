"""What `oxcross build` and `run` do with a ``pyoxidizer.bzl``, and `oxcross migrate`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from oxcross import bzl, report
from oxcross.command import command
from oxcross.errors import ConfigError, ToolError, UsageError
from oxcross.storetasks import open_store

if TYPE_CHECKING:
    from oxcross.build import Artifact, Workshop
    from oxcross.bzl.goals import Goals
    from oxcross.bzl.world import World

HELP = {
    "path": "the folder of a pyoxidizer.bzl (default: the current one)",
    "bzl-target": "the target of pyoxidizer.bzl, which may also stand behind the task's name",
    "target-triple": "what pyoxidizer.bzl builds for, as Rust names it (default: x86_64-unknown-linux-gnu)",
    "var": "a variable for pyoxidizer.bzl, NAME=VALUE or NAME VALUE; may be repeated",
    "var-env": "the same from the environment, NAME=VARIABLE or NAME VARIABLE; may be repeated",
}
RELEASE = {"release": "what `pyoxidizer build` takes: every build is one"}
ITERABLE = ("var", "var_env")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the command line says of a pyoxidizer.bzl."""

    folder: Path
    target: str = ""
    triple: str = ""
    variables: tuple[str, ...] = ()
    from_environment: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.folder.resolve() / bzl.NAME


def wish(
    task: str,
    project: str,
    path: str,
    bzl_target: str,
    target_triple: str,
    var: Iterable[str] | None,
    var_env: Iterable[str] | None,
) -> Wish | None:
    """What is wished of a pyoxidizer.bzl; None where there is none, or [tool.oxcross] goes before it.

    UsageError for flags that speak of one where there is none.
    """
    found = Wish(
        folder=Path(path or project),
        target=bzl_target,
        triple=target_triple,
        variables=tuple(var or ()),
        from_environment=tuple(var_env or ()),
    )
    if found.file.is_file() and not _configured(found.folder):
        return found
    if bzl_target:
        hint = f"there is no {bzl.NAME} in {found.folder}, whose target it could be"
        if found.file.is_file():
            hint = f"[tool.oxcross] in pyproject.toml goes before {bzl.NAME}"
        raise UsageError(
            f"{task} takes no argument {bzl_target!r}", hint=f"{hint}; see oxcross {task} --help"
        )
    given = {"path": path, "target-triple": target_triple, "var": var, "var-env": var_env}
    for flag, value in given.items():
        if value:
            raise UsageError(
                f"--{flag} is for a {bzl.NAME}, which is not what is built", where=str(found.folder)
            )
    return None


def _configured(folder: Path) -> bool:
    """Whether there is a [tool.oxcross]; what cannot be read counts, for it is to be told."""
    file = folder / "pyproject.toml"
    try:
        return "oxcross" in tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True


def folders(project: str) -> set[str]:
    """The names of what lies in the build folder of a pyoxidizer.bzl; none where there is none."""
    from oxcross.bzl import triples

    return {"pyoxidizer", *triples.NAMES} if Wish(folder=Path(project)).file.is_file() else set()


def build(
    wanted: Wish, *, engine: str, jobs: int, upgrade: bool, verbose: bool, store: str
) -> list[Artifact]:
    """Build what a target of the file comes to; its executables."""
    from oxcross.bzl.make import Making

    with _read(wanted, engine, jobs, store, verbose=verbose) as (world, goals, workshop):
        return Making(world, workshop, upgrade=upgrade).make(goals)


def runnable(wanted: Wish, artifacts: list[Artifact]) -> Artifact:
    """The executable that `run` starts: the last one. UsageError when there is none."""
    if not artifacts:
        raise UsageError(
            "the target has no executable to run", where=str(wanted.file), hint="name one that has"
        )
    return artifacts[-1]


@command(
    help={
        **HELP,
        "write": "append the tables to pyproject.toml",
        "bzl-target": "the target that is to be migrated",
    },
    iterable=list(ITERABLE),
)
def migrate(
    _c: Context,
    path: str = ".",
    bzl_target: str = "",
    target_triple: str = "",
    var: list[str] | None = None,
    var_env: list[str] | None = None,
    write: bool = False,
    json: bool = False,
    store: str = "",
) -> None:
    """Print the [tool.oxcross] that does what a pyoxidizer.bzl does; what has no equal is in its comments.

    `--json` prints {"tables", "written"}: the text, and the file that it was appended to.

    Examples:
      oxcross migrate          # of the pyoxidizer.bzl in this folder
      oxcross migrate --write  # append it to pyproject.toml
    """
    from oxcross.bzl import migrate as migration

    wanted = Wish(
        folder=Path(path),
        target=bzl_target,
        triple=target_triple,
        variables=tuple(var or ()),
        from_environment=tuple(var_env or ()),
    )
    if not wanted.file.is_file():
        raise ConfigError(f"no {bzl.NAME}", where=path, hint="name its folder: --path DIR")
    if _configured(wanted.folder):
        file = str(wanted.folder / "pyproject.toml")
        raise ConfigError("[tool.oxcross] is there already", where=file, hint="take it out first")
    with _read(wanted, "auto", 0, store, verbose=False) as (world, goals, _):
        text = migration.migrate(world, goals)
        place = migration.put(world, text) if write else None
    if json:
        report.emit({"tables": text, "written": str(place) if place else None})
    elif place is None:
        print(text, end="")
    else:
        print(f"written: {place}")


@contextmanager
def _read(
    wanted: Wish, engine: str, jobs: int, store: str, *, verbose: bool
) -> Iterator[tuple[World, Goals, Workshop]]:
    """The evaluated file, and what builds what it wants. ToolError where there is no Starlark to read it with."""
    import importlib.util

    if importlib.util.find_spec("starlark") is None:  # its wheels leave Macs with Intel processors out
        raise ToolError(
            "this installation of oxcross has no Starlark",
            where=str(wanted.file),
            hint="pip install starlark-pyo3; or `oxcross migrate` on another machine, and go on with its [tool.oxcross]",
        )
    from oxcross import build as road
    from oxcross.bzl import triples
    from oxcross.bzl.evaluate import evaluate
    from oxcross.bzl.world import World

    triple = wanted.triple or triples.DEFAULT
    triples.target(triple)
    with open_store(store) as opened, report.terminal(verbose=verbose) as terminal:
        workshop = road.workshop(opened, terminal, engine=engine, jobs=jobs)

        world = World(
            file=wanted.file,
            triple=triple,
            store=opened,
            notice=terminal.notice,
            make=workshop.make,
            variables=_variables(wanted),
        )
        yield world, evaluate(world, wanted.target or None), workshop


def _variables(wanted: Wish) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in wanted.variables:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"not a variable: {text!r}", where="--var", hint="write NAME=VALUE")
        found[name] = value
    for text in wanted.from_environment:
        name, equals, variable = text.partition("=")
        if not equals or not name:
            raise UsageError(f"not a variable: {text!r}", where="--var-env", hint="write NAME=VARIABLE")
        found[name] = os.environ.get(variable)
    return found
