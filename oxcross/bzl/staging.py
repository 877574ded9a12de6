"""Projects made of a configuration file: a folder below the build path, with a pyproject.toml and what it speaks of."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxcross import project as projects
from oxcross.bzl import toml
from oxcross.bzl.resources import Source
from oxcross.collect import lockfile
from oxcross.project import Project

if TYPE_CHECKING:
    from oxcross.bzl.world import World


def stage(world: World, name: str, tables: Mapping[str, Any], files: Mapping[str, Source]) -> Project:
    """The project of these tables, in a folder of its own with these files.

    What the file's own oxcross.lock pins goes for it, too. ConfigErrors for tables that are wrong.
    """
    folder = world.build_path / "pyoxidizer" / name
    if folder.is_dir():
        for old in folder.iterdir():
            if old.name not in ("build", lockfile.NAME):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for path, source in files.items():
        write(folder / path, source.read(), executable=source.executable)
    named = {key: tables[key] for key in ("name", "version")}
    write(folder / "pyproject.toml", toml.dumps({"project": named, "tool": {"oxcross": tables}}).encode())
    kept = world.folder / lockfile.NAME
    if kept.is_file():
        write(folder / lockfile.NAME, kept.read_bytes())
    return projects.load(folder)


def keep_lock(world: World, project: Project) -> None:
    """Have what was resolved for a project lie beside the configuration file, to be committed."""
    made = project.root / lockfile.NAME
    kept = world.folder / lockfile.NAME
    if made.is_file() and (not kept.is_file() or kept.read_bytes() != made.read_bytes()):
        write(kept, made.read_bytes())


def write(path: Path, data: bytes, *, executable: bool = False) -> None:
    """Write a file beside its place, and move it there."""
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.chmod(0o755 if executable else 0o644)
    beside.replace(path)
