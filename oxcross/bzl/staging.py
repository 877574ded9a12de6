"""Projects made of a configuration file: a folder below the build path, with a pyproject.toml and what it speaks of."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxcross import atomic
from oxcross import project as projects
from oxcross.bzl import toml
from oxcross.bzl.resources import Source
from oxcross.collect import lockfile
from oxcross.errors import ConfigError
from oxcross.project import Project

if TYPE_CHECKING:
    from oxcross.bzl.world import World


_MARK = ".made-by-oxcross"


def stage(world: World, name: str, tables: Mapping[str, Any], files: Mapping[str, Source]) -> Project:
    """The project of these tables, in a folder of its own with these files.

    What the file's own oxcross.lock pins goes for it, too. ConfigErrors for tables that are wrong.
    """
    folder = world.build_path / "pyoxidizer" / name
    _clear(folder)
    for path, source in files.items():
        write(folder / path, source.read(), executable=source.executable)
    named = {key: tables[key] for key in ("name", "version")}
    write(folder / "pyproject.toml", toml.dumps({"project": named, "tool": {"oxcross": tables}}).encode())
    kept = world.folder / lockfile.NAME
    if kept.is_file():
        write(folder / lockfile.NAME, kept.read_bytes())
    return projects.load(folder)


def _clear(folder: Path) -> None:
    """An empty folder, but for what was built and resolved there. ConfigError for a folder that is somebody else's."""
    folder.mkdir(parents=True, exist_ok=True)
    found = list(folder.iterdir())
    if found and not (folder / _MARK).is_file():
        hint = "take it away, or choose another with set_build_path()"
        raise ConfigError("this folder is needed, and was not made by oxcross", where=str(folder), hint=hint)
    for old in found:
        if old.name not in ("build", lockfile.NAME, _MARK):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    (folder / _MARK).touch()


def keep_lock(world: World, project: Project) -> None:
    """Have what was resolved for a project lie beside the configuration file, to be committed."""
    made = project.root / lockfile.NAME
    kept = world.folder / lockfile.NAME
    if made.is_file() and (not kept.is_file() or kept.read_bytes() != made.read_bytes()):
        write(kept, made.read_bytes())


def write(path: Path, data: bytes, *, executable: bool = False) -> None:
    """Write a file beside its place, and move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, data, 0o755 if executable else 0o644)
