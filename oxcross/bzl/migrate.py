"""The tables of ``[tool.oxcross]`` that do what a configuration file does, as text for pyproject.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from oxcross.bzl import reading, signing, tables, toml
from oxcross.bzl.apple import MacOsApplicationBundleBuilder
from oxcross.bzl.executable import PythonExecutable
from oxcross.bzl.files import FileManifest
from oxcross.bzl.goals import Goals
from oxcross.bzl.resolved import ResolvedTarget
from oxcross.bzl.staging import write
from oxcross.bzl.world import World
from oxcross.collect import projectfiles
from oxcross.config.findings import shown
from oxcross.errors import ConfigError


def migrate(world: World, goals: Goals) -> str:
    """The text; what has no equal stands above it as comments. ConfigError for a target that has no executable."""
    executables, notes, more = _executables(goals)
    if not executables:
        raise ConfigError(
            f"the target {goals.name()!r} has no executable",
            where=shown(world.file),
            hint="name one that has: oxcross migrate --bzl-target NAME",
        )
    executable = executables[0]
    notes += [f"another executable, a project of its own: {one.name}" for one in executables[1:]]
    notes += _moved_in(executable)
    wanted = tables.wanted(executable, more)
    notes += wanted.notes
    if any("sign" in wanted.tables.get(system, {}) for system in ("windows", "macos")):
        notes.append(f"the certificate's password is in the environment: {signing.VARIABLE}")
    wanted.tables = _relative(world, wanted.tables)
    head = _project(world, wanted, notes)
    if wanted.tables["targets"] == ["linux-x64"]:
        del wanted.tables["targets"]
    text = toml.dumps({**head, "tool": {"oxcross": wanted.tables}})
    return "".join(f"# {note}\n" for note in notes) + text


def _moved_in(executable: PythonExecutable) -> list[str]:
    """Have all resources lie in the executable, where [tool.oxcross] puts them; what is to be said of that."""
    resources = [
        *executable.added.values(),
        *(one for listed in executable.listed.values() for one in listed),
    ]
    prefixes = sorted({one.beside for one in resources if one.beside is not None})
    for one in resources:
        one.attributes["add_location"] = "in-memory"
    return [f"what lay beside the executable, in {prefix}, lies in it" for prefix in prefixes]


def put(world: World, text: str) -> Path:
    """Append the text to the pyproject.toml beside the file, or write one; its path."""
    path = world.folder / "pyproject.toml"
    old = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n" if path.is_file() else ""
    write(path, (old + text).encode())
    return path


def _executables(goals: Goals) -> tuple[list[PythonExecutable], list[str], dict[str, Any]]:
    """The executables of the resolved target, what lies beside them, and what is made of them."""
    value = goals.value()
    while isinstance(value, ResolvedTarget):
        value = value.value
    if isinstance(value, PythonExecutable):
        return [value], [], {}
    if isinstance(value, FileManifest):
        makers = [one.maker for one in value.files.values() if isinstance(one.maker, PythonExecutable)]
        plain = [path for path, one in value.files.items() if one.maker is None]
        notes = [f"a file beside the executable, which is for your own packaging: {path}" for path in plain]
        return list(dict.fromkeys(makers)), notes, {}
    if isinstance(value, MacOsApplicationBundleBuilder) and isinstance(value.executable, PythonExecutable):
        return [value.executable], [], value.tables()
    return [], [], {}


def _relative(world: World, thing: Any) -> Any:
    """Paths in the file's folder as seen from there."""
    if isinstance(thing, dict):
        return {key: _relative(world, one) for key, one in thing.items()}
    return thing.removeprefix(f"{world.folder}/") if isinstance(thing, str) else thing


def _project(world: World, wanted: tables.Wanted, notes: list[str]) -> dict[str, Any]:
    """Have the tables speak of the project's own folder; the tables that stand before them."""
    document, found = reading.tables(world.folder / "pyproject.toml"), wanted.tables
    named = document.get("project", {})
    head: dict[str, Any] = {}
    here = {one for one in found.get("requirements", []) if _folder(one) == world.folder}
    own = {path for path in wanted.files if path != found.get("run-file")}
    found.pop("project", None)
    if here:
        found["requirements"] = [one for one in found["requirements"] if one not in here]
        if not found["requirements"]:
            del found["requirements"]
        found["project"] = True
        if "build-system" not in document:
            notes.append("[build-system] is what pip takes for a project that has none")
            head = {"build-system": {"requires": ["setuptools"], "build-backend": "setuptools.build_meta"}}
    elif extra := _tops(own) - {str(found.get("run-module", "")).partition(".")[0]}:
        found["project"] = True
        notes.append(f"project = true takes all packages of the folder; wanted: {', '.join(sorted(extra))}")
        if not named:
            head = {"project": {"name": found["name"], "version": found["version"]}}
    elif not own and named:
        found["project"] = False
    if "version" in named:
        del found["version"]
    if named.get("name") == found["name"]:
        del found["name"]
    left = _left_out(world, own, notes, tests=found.get("policy", {}).get("include-tests", True))
    if left:
        found["exclude-files"] = [*left, *found.get("exclude-files", [])]
    return head


def _tops(paths: set[str]) -> set[str]:
    return {path.partition("/")[0].removesuffix(".py") for path in paths if path.endswith(".py")}


def _left_out(world: World, own: set[str], notes: list[str], *, tests: bool) -> list[str]:
    """The files of the project's packages that are not to go in; what lies elsewhere is told."""
    roots = (world.folder, world.folder / "src")
    notes += [
        f"not in the project's folder or its src: put it there: {path}"
        for path in sorted(own)
        if not any((root / path).is_file() for root in roots)
    ]
    left: list[str] = []
    for top in sorted({path.partition("/")[0] for path in own if "/" in path}):
        root = next((root for root in roots if (root / top).is_dir()), None)
        every = [f"{top}/{path}" for path in projectfiles.walk(root / top)] if root else []
        left += [path for path in every if path not in own and (tests or not tables.is_test(path))]
    return left


def _folder(requirement: str) -> Path | None:
    _, at, url = requirement.partition(" @ ")
    return Path(unquote(urlsplit(url).path)) if at and url.startswith("file:") else None
