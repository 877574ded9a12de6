"""What an executable of a configuration file comes to: ``[tool.oxcross]``, the files it speaks of, and what lies beside it."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from oxcross.bzl import reading
from oxcross.bzl.executable import PythonExecutable
from oxcross.bzl.resources import Origin, PythonExtensionModule, PythonModuleSource, Resource, Source
from oxcross.bzl.world import World

_TESTS: Final = re.compile(r"(^|/)(tests?|_tests)/")  # as collect/choose.py has them
# Groups of the standard library whose extension modules need libraries (collect/stdlib.toml).
_WITH_LIBRARIES: Final = ("openssl", "databases")


@dataclass
class Wanted:
    """An executable as oxcross's own project."""

    tables: dict[str, Any]  # [tool.oxcross]
    files: dict[str, Source] = field(default_factory=dict)  # the project's, by path
    beside: dict[str, Source] = field(default_factory=dict)  # what lies beside the executable, by path
    notes: list[str] = field(default_factory=list)  # what has no equal


def wanted(executable: PythonExecutable, more: Mapping[str, Any] = MappingProxyType({})) -> Wanted:
    """The tables of an executable, for what is built, with ``more`` in them. Whatever the file does not set is as oxcross
    has it.
    """
    world = executable.world
    result = Wanted({"name": executable.name, "version": _version(world), "targets": [world.target.name]})
    tables = result.tables
    run = executable.config.run()
    tables |= run
    if "run-file" in run:
        script = world.folder / run["run-file"]
        result.files[run["run-file"]] = Source(run["run-file"], script.read_bytes, Origin())
    _requirements(executable, result)
    tables |= _contents(executable, result)
    _run_from_beside(result)
    interpreter = executable.config.table()
    prefixes = dict.fromkeys(one.beside for one in executable.added.values() if one.beside is not None)
    if prefixes:
        paths = ["$ORIGIN" if prefix == "." else f"$ORIGIN/{prefix}" for prefix in prefixes]
        interpreter["sys-path"] = list(dict.fromkeys([*interpreter.get("sys-path", []), *paths]))
        interpreter["filesystem-importer"] = True
    if interpreter:
        tables["interpreter"] = interpreter
    if policy := _policy(executable):
        tables["policy"] = policy
    if executable.policy.get("extension_module_filter") in ("minimal", "no-libraries"):
        tables["stdlib"] = {"exclude": list(_WITH_LIBRARIES)}
    if "windows_subsystem" in executable.changed:
        tables["windows"] = {"subsystem": executable.get("windows_subsystem")}
    if world.signer is not None and world.target.os in ("windows", "macos"):
        tables.setdefault(world.target.os, {})["sign"] = world.signer.table()
    for key, value in more.items():
        old = tables.get(key)
        tables[key] = {**old, **value} if isinstance(old, dict) else value
    return result


def _run_from_beside(result: Wanted) -> None:
    """Have a module that lies beside the executable run: what is named by run-module lies in it."""
    name = str(result.tables.get("run-module", ""))
    path = name.replace(".", "/")
    if name and any(f"/{one}".endswith((f"/{path}.py", f"/{path}/__main__.py")) for one in result.beside):
        del result.tables["run-module"]
        command = f"import runpy; runpy.run_module({name!r}, run_name='__main__', alter_sys=True)"
        result.tables["run-command"] = command


def _version(world: World) -> str:
    """The version that the project beside the file has; a file of PyOxidizer's says none."""
    found = reading.metadata(world.folder / "pyproject.toml").get("version")
    return found if isinstance(found, str) else "0.0.0"


def _requirements(executable: PythonExecutable, result: Wanted) -> None:
    """What is to be installed, without what of it was not added."""
    lines: dict[str, None] = {}
    kept: set[str] = set()
    left: list[Resource] = []
    for origin, listed in executable.listed.items():
        taken = {one.source.path for one in listed if _is_added(executable, one)}
        inside = {one.source.path for one in listed if one.source.path in taken and one.beside is None}
        if inside or (taken and not listed):
            lines |= dict.fromkeys(origin.requirements)
            kept |= inside
            left += [one for one in listed if one.source.path not in inside]
        if not listed:  # what is built from source cannot be listed before it is built
            lines |= dict.fromkeys(origin.requirements)
    if lines:
        result.tables["requirements"] = sorted(lines)
    include_tests = executable.policy.get("include_test")
    paths = {one.source.path: one for one in left if one.source.path not in kept}
    if not include_tests:
        paths = {path: one for path, one in paths.items() if not is_test(path)}
    modules, files = _folded(paths, kept)
    if modules:
        result.tables["exclude-modules"] = modules
    files += _library(executable, result)
    if files:
        result.tables["exclude-files"] = files


def is_test(path: str) -> bool:
    """Whether `policy.include-tests = false` leaves a file out."""
    return _TESTS.search(path) is not None


def _is_added(executable: PythonExecutable, resource: Resource) -> bool:
    found = executable.added.get(resource.source.path)
    return found is not None and found.source is resource.source


def _folded(left: dict[str, Resource], kept: set[str]) -> tuple[list[str], list[str]]:
    """Paths as modules, with all below them, and patterns: a folder of which nothing is kept is one of either."""
    kept_folders = {path[: at + 1] for path in kept for at in _slashes(path)}
    modules: dict[str, None] = {}
    files: dict[str, None] = {}
    for path, resource in sorted(left.items()):
        folders = [path[: at + 1] for at in _slashes(path)]
        whole = next((folder for folder in folders if folder not in kept_folders), None)
        if whole and f"{whole}__init__.py" in left:
            modules[whole.rstrip("/").replace("/", ".")] = None
        elif whole:
            files[f"{whole}**"] = None
        elif isinstance(resource, PythonModuleSource | PythonExtensionModule) and not path.endswith(
            "/__init__.py"
        ):
            modules[resource.full_name] = None
        else:
            files[path] = None
    return list(modules), list(files)


def _slashes(path: str) -> Iterable[int]:
    return (at for at, letter in enumerate(path) if letter == "/")


def _library(executable: PythonExecutable, result: Wanted) -> list[str]:
    """The files of the standard library that are not to be included."""
    out = [one for one in executable.library if not one.get("add_include")]
    native = [one.full_name for one in out if isinstance(one, PythonExtensionModule)]
    if native:
        result.notes.append(f"extension modules of the interpreter stay in it: {', '.join(sorted(native))}")
    return sorted(one.source.path for one in out if not isinstance(one, PythonExtensionModule))


def _contents(executable: PythonExecutable, result: Wanted) -> dict[str, Any]:
    """The files that no requirement brings, and keys that hold for all modules."""
    tables: dict[str, Any] = {}
    for path, resource in executable.added.items():
        if resource.beside is not None:
            below = path if resource.beside == "." else f"{resource.beside}/{path}"
            result.beside[below] = resource.source
        elif not resource.source.origin.requirements:
            result.files[path] = resource.source
    own = [path for path in result.files if path != result.tables.get("run-file")]
    packages = {path.rpartition("/")[0] for path in own if path.endswith("/__init__.py")}
    tops = {path.partition("/")[0] for path in packages}
    native = {path for path, one in executable.added.items() if isinstance(one, PythonExtensionModule)}
    loose = {path for path in own if path.partition("/")[0] not in tops and not path.endswith(".py")}
    data = loose - native
    if any(path.endswith(".py") for path in own):
        tables["project"] = True
    if data:
        tables["data"] = sorted(glob.escape(path) for path in data)
    modules = [one for one in executable.added.values() if isinstance(one, PythonModuleSource)]
    sourceless = [one for one in modules if not one.get("add_source")]
    if modules and len(sourceless) == len(modules):
        tables["sources"] = False
    elif sourceless:
        result.notes.append(
            f"sources are embedded of all modules or of none: of {len(sourceless)} they were not to be"
        )
    if level := executable.config.get("optimization_level"):
        tables["optimize"] = level
    return tables


def _policy(executable: PythonExecutable) -> dict[str, Any]:
    policy, table = executable.policy, {}
    if not policy.get("include_test"):
        table["include-tests"] = False
    if not policy.get("include_distribution_sources"):
        table["include-stdlib-sources"] = False
    return table
