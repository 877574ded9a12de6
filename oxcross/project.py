"""What is wanted: the project's ``[tool.oxcross]``, every value checked, frozen.

``load`` reads pyproject.toml and raises ConfigErrors with all that is wrong, each with file, key and
next step. A ``Project`` is what holds for one target; ``for_target`` gives that of another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from oxcross.cache.settings import Cache
from oxcross.errors import ConfigError, UsageError
from oxcross.macos.settings import MacOS
from oxcross.publish.settings import Publish, Release
from oxcross.windows.settings import Windows

if TYPE_CHECKING:
    from oxcross.config.schema import Interpreter, Policy

RunKind = Literal["entry-point", "module", "file", "command", "repl", "commands"]


@dataclass(frozen=True)
class Run:
    """What the executable does when it is started."""

    kind: RunKind  # "commands": nothing, unless one of the commands is named
    value: str = ""  # pkg.mod:func | module | path below the project, with slashes | source text | ""


@dataclass(frozen=True)
class Command:
    """One of several programs in an executable, chosen by its name."""

    name: str
    run: Run | None  # None: the console script of that name that a requirement brings
    key: str  # where the configuration names it, dotted


@dataclass(frozen=True)
class DataFile:
    """A file that is embedded besides the packages."""

    source: Path  # absolute
    path: str  # below the mount point, with slashes


@dataclass(frozen=True, kw_only=True)
class Project:
    """Everything about one project, for one target. Paths are absolute."""

    root: Path  # the folder of pyproject.toml
    target: str  # a name in targets.toml
    targets: tuple[str, ...]  # what is built when no target is asked for
    name: str
    version: str
    python: str  # a pinned release: "3.13.15"
    run: Run
    commands: tuple[Command, ...]
    include_project: bool  # install the project itself, with its dependencies
    requirements: tuple[str, ...]  # PEP 508
    requirements_file: Path | None  # every line has hashes; says all that is installed
    lock: Path | None  # uv.lock or pylock.toml; says all that is installed
    data: tuple[DataFile, ...]  # sorted by path
    exclude_modules: tuple[str, ...]  # with all below them
    exclude_files: tuple[str, ...]  # globs; "!GLOB" keeps what one before leaves out
    exclude_packages: tuple[str, ...]  # distributions, normalised names (PEP 503)
    optimize: int  # 0, 1, 2
    sources: bool  # embed sources
    columns: bool  # keep the columns of code
    stdlib_exclude: tuple[str, ...]  # names of groups in collect/stdlib.toml
    stdlib_include: tuple[str, ...]  # modules to keep
    stdlib_unreached: bool  # keep modules of the standard library that nothing imports
    compression: Literal["none", "zstd", "zstd-resources"]
    glibc: str  # highest glibc a wheel may ask for
    link: (
        Literal["memory", "static"] | tuple[str, ...]
    )  # whose extension modules are linked in; normalised names
    pure_packages: tuple[str, ...]  # where they would be, the pure wheel is taken; normalised names
    interpreter: Interpreter
    policy: Policy
    mirrors: tuple[str, ...]
    configured: bool = True  # there is a [tool.oxcross]
    ignore: tuple[str, ...] = ()  # what `analyze` does not tell: "rule" or "rule:distribution"
    windows: Windows = field(default_factory=Windows)
    macos: MacOS = field(default_factory=MacOS)
    publish: Publish = field(default_factory=Publish)
    release: Release = field(default_factory=Release)
    cache: Cache = field(default_factory=Cache)
    views: Mapping[str, Project] = field(default_factory=dict, repr=False, compare=False)

    @property
    def pyproject(self) -> Path:
        """The file all this was read from."""
        return self.root / "pyproject.toml"

    def links(self, distribution: str) -> bool:
        """Whether a distribution's (normalised name) extension modules are linked into the executable."""
        return self.link == "static" or (self.link != "memory" and distribution in self.link)

    def for_target(self, name: str) -> Project:
        """The same project with the overrides of another target merged in.

        UsageError for a name that is no target.
        """
        if name not in self.views:
            from oxcross import targets

            targets.get(name)
            raise UsageError(
                f"nothing is configured for {name}",
                where=str(self.pyproject),
                hint=f"add it to targets, or write [tool.oxcross.target.{name}]",
            )
        return dataclasses.replace(self.views[name], views=self.views)


def load(folder: Path) -> Project:
    """Read and check the project in ``folder``; what it says for the first of its targets.

    ConfigError (one thing that prevents the rest) or ConfigErrors (all that is wrong).
    """
    from oxcross.config import configure

    return configure(folder)


def missing(folder: Path) -> ConfigError:
    """The error for a folder without pyproject.toml: what to write."""
    if (folder / "pyoxidizer.bzl").is_file():
        hint = "build and run read its pyoxidizer.bzl; for all else: oxcross migrate --write"
        return ConfigError("no pyproject.toml", where=str(folder), hint=hint, page="no-project")
    return ConfigError(
        "no pyproject.toml",
        where=str(folder),
        hint=(
            "go to your project's folder, name it with --project DIR, have `oxcross init` write one, or do it yourself:\n"
            '    [project]\n    name = "app"\n    version = "1.0"\n\n'
            '    [tool.oxcross]\n    run-file = "app.py"'
        ),
        page="no-project",
    )
