"""Builds what a target of a configuration file came to: executables, and the files around them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from oxcross.build import Artifact, Workshop
from oxcross.bzl import staging, tables
from oxcross.bzl.apple import MacOsApplicationBundleBuilder
from oxcross.bzl.executable import PythonEmbeddedResources, PythonExecutable
from oxcross.bzl.files import FileContent, FileManifest
from oxcross.bzl.goals import Goals
from oxcross.bzl.resolved import ResolvedTarget
from oxcross.bzl.values import Value
from oxcross.bzl.world import World
from oxcross.collect import application
from oxcross.config.findings import shown
from oxcross.errors import ConfigError
from oxcross.project import Project


class Making:
    """Makes each executable once."""

    def __init__(self, world: World, workshop: Workshop, *, upgrade: bool = False) -> None:
        self.world = world
        self.workshop = workshop
        self.upgrade = upgrade
        self.made: dict[tuple[int, str], tuple[Artifact, tables.Wanted]] = {}

    def make(self, goals: Goals) -> list[Artifact]:
        """Build the resolved target into ``build/TRIPLE/release/NAME``; its executables, where they lie there."""
        value = goals.value()
        while isinstance(value, ResolvedTarget):
            value = value.value
        folder = self.world.build_path / self.world.triple / "release" / goals.name()
        artifacts = self._into(folder, value, goals.name(), replaced=True)
        for manifest, path, replaced in self.world.installs:
            self._into(self.world.built(path), manifest, goals.name(), replaced=replaced)
        return artifacts

    def _into(self, folder: Path, value: Any, name: str, *, replaced: bool) -> list[Artifact]:
        if isinstance(value, PythonExecutable):
            manifest = value.to_file_manifest(".")
        elif isinstance(value, FileManifest):
            manifest = value
        elif isinstance(value, FileContent):
            manifest = FileManifest(self.world)
            manifest.add_file(value)
        elif isinstance(value, MacOsApplicationBundleBuilder):
            return self._bundle(value, folder)
        else:
            raise self._unbuildable(value, name)
        built = [
            (path, self._built(content.maker))
            for path, content in manifest.files.items()
            if isinstance(content.maker, PythonExecutable)
        ]
        if replaced:
            self._clear(folder)
        for path, content in manifest.files.items():
            if content.maker is None:
                staging.write(folder / path, content.data, executable=bool(content.get("executable")))
        if not built:
            self.world.notice(f"written: {shown(folder)}")
        return [self._placed(folder / path, *one) for path, one in built]

    def _clear(self, folder: Path) -> None:
        """Take an earlier build away. What lies outside of the build path may be anything: it stays, and is written over."""
        built = self.world.build_path.resolve()
        if folder.is_dir() and built in folder.resolve().parents:
            shutil.rmtree(folder)

    def _placed(self, path: Path, artifact: Artifact, wanted: tables.Wanted) -> Artifact:
        staging.write(path, artifact.path.read_bytes(), executable=True)
        for below, source in wanted.beside.items():
            staging.write(path.parent / below, source.read(), executable=source.executable)
        return replace(artifact, path=path)

    def _built(
        self, executable: PythonExecutable, more: Mapping[str, Any] | None = None
    ) -> tuple[Artifact, tables.Wanted]:
        key = (id(executable), str(more))
        if key not in self.made:
            wanted = tables.wanted(executable, more or {})
            for text in wanted.notes:
                self.world.notice(f"{shown(self.world.file)}: {text}")
            project = staging.stage(self.world, executable.name, wanted.tables, wanted.files)
            one = project.for_target(self.world.target.name)
            self._check_taken(one, wanted)
            [artifact] = self.workshop.build([one], upgrade=self.upgrade)
            staging.keep_lock(self.world, one)
            self.made[key] = artifact, wanted
        return self.made[key]

    def _check_taken(self, project: Project, wanted: tables.Wanted) -> None:
        """ConfigError for files that oxcross does not take for the application's: it wants packages."""
        taken = {*application.tree(project), *(one.path for one in project.data)}
        lost = sorted(set(wanted.files) - taken)
        if lost:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            hint = "its folder needs an __init__.py; or have pip_install() take what brings it"
            message = f"a module of no package cannot go in: {lost[0]}{more}"
            raise ConfigError(message, where=shown(self.world.file), hint=hint)

    def _bundle(self, builder: MacOsApplicationBundleBuilder, folder: Path) -> list[Artifact]:
        if self.world.target.os != "macos":
            raise ConfigError(
                f"bundles are for macOS, not for {self.world.triple}",
                where=shown(self.world.file),
                hint="oxcross build --target-triple universal2-apple-darwin",
            )
        if not isinstance(builder.executable, PythonExecutable):
            hint = 'builder.add_macos_manifest(exe.to_file_manifest("."))'
            raise ConfigError("the bundle has no executable", where=shown(self.world.file), hint=hint)
        artifact, wanted = self._built(builder.executable, builder.tables())
        self._clear(folder)
        for package in artifact.packages:
            shutil.copytree(package, folder / package.name, symlinks=True)
        path = folder / PurePosixPath(artifact.path.name)
        placed = self._placed(path, artifact, wanted)
        return [replace(placed, packages=tuple(folder / one.name for one in artifact.packages))]

    def _unbuildable(self, value: Any, name: str) -> ConfigError:
        kind = value.kind if isinstance(value, Value) else repr(value)
        hint = (
            "its function must return a PythonExecutable, a FileManifest, a FileContent or a bundle's builder"
        )
        if isinstance(value, PythonEmbeddedResources):
            hint = "the resources are always in the executable: build its target"
        return ConfigError(
            f"the target {name!r} is nothing to build: {kind}", where=shown(self.world.file), hint=hint
        )
