"""What an application needs besides its code: requirements, a lock, data files, a Python that it is for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from oxcross.config.files import check_hashed, check_lock
from oxcross.errors import ConfigError
from oxcross.init.chosen import Chosen
from oxcross.init.said import Project, table

_DATA: Final = ("assets", "data", "locale", "resources", "static", "templates")


def build_system(project: Project, chosen: Chosen) -> None:
    """Without a [build-system] no wheel is built: setup.py and setup.cfg need one."""
    if project.legacy:
        why = "what setup.py and setup.cfg are built by where nothing is said (PEP 517)"
        chosen.add("requires", ["setuptools>=40.8.0"], why, table="build-system")
        chosen.add("build-backend", "setuptools.build_meta:__legacy__", why, table="build-system")


def requirements(
    root: Path, document: Mapping[str, Any], project: Project, chosen: Chosen, *, as_file: bool
) -> None:
    """A lock, or a list of requirements where the project's own metadata do not have them."""
    tool = table(document, "tool")
    if (root / "poetry.lock").is_file():
        chosen.notes.append("poetry.lock is not read; oxcross.lock will pin what is resolved: commit it")
    if table(tool, "poetry").get("package-mode") is False:
        _without_package(document, chosen)
        return
    lock = root / "uv.lock"
    if project.standard and lock.is_file():
        if wrong := _unfit(lock):
            chosen.notes.append(f"uv.lock is not taken: {wrong}; oxcross.lock will pin what is resolved")
        else:
            chosen.add("lock", lock.name, "what uv resolved is what is embedded")
            return
    if project.requires:
        if as_file and not project.builds:
            chosen.add("project", True, "with the dependencies in [project]")
        return
    listed = root / "requirements.txt"
    if listed.is_file():
        try:
            check_hashed(listed)
        except (ConfigError, ValueError):
            _listed(listed, chosen)
        else:
            chosen.add("requirements-file", listed.name, "every line of it has hashes")


def _without_package(document: Mapping[str, Any], chosen: Chosen) -> None:
    why = "package-mode = false: no wheel can be built of it"
    chosen.add("project", False, why)
    meta = table(document, "project")
    found = meta.get("dependencies")
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        chosen.add("requirements", found, "the dependencies in [project]; change them there and here")
    else:
        chosen.notes.append(
            "the dependencies in [tool.poetry] are written in Poetry's own way; add them as requirements = […]"
        )


def _listed(file: Path, chosen: Chosen) -> None:
    """The lines of a requirements file that has nothing but requirements."""
    from packaging.requirements import InvalidRequirement, Requirement

    lines = file.read_bytes().decode("utf-8-sig", "replace").splitlines()
    found = [text for line in lines if (text := re.sub(r"(^|\s)#.*", "", line).strip())]
    for one in found:
        try:
            Requirement(one)
        except InvalidRequirement:
            message = f"{file.name} is left out, it has more than requirements: {one}"
            chosen.notes.append(f"{message}; write them as requirements = […]")
            return
    if found:
        chosen.add("requirements", found, f"the lines of {file.name}")


def _unfit(lock: Path) -> str:
    """Why a uv.lock cannot say all that is installed; "" when it can."""
    try:
        check_lock(lock)
        packages = tomllib.loads(lock.read_text(encoding="utf-8")).get("package", [])
    except (ConfigError, OSError, ValueError) as error:
        return str(error)
    for one in packages:
        for kind in ("editable", "virtual", "directory", "path"):
            if (place := table(one, "source").get(kind, ".")) != ".":
                return f"{one.get('name')} lies in {place}"
    return ""


def data(root: Path, document: Mapping[str, Any], chosen: Chosen, *, as_file: bool) -> None:
    """The usual folders of files that a script opens. Those of packages come with them."""
    found = []
    for name in _DATA:
        folder = root / name
        if any(path.is_file() for path in folder.rglob("*")) and not (folder / "__init__.py").is_file():
            found.append(f"{name}/**")
    if found and as_file:
        chosen.add("data", found, "files beside the script, which it may open")
    elif found:
        chosen.notes.append(
            f"if it opens files of the project's folder, add them: data = {found}".replace("'", '"')
        )
    setuptools = table(table(document, "tool"), "setuptools")
    if "package-data" in setuptools and not as_file:
        chosen.notes.append(
            "[tool.setuptools.package-data] comes with the packages; nothing is to be named again"
        )


def python(specifier: str, chosen: Chosen) -> None:
    """Another CPython than the default, where the project is not for that one."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    from oxcross import sources
    from oxcross.config.schema import Settings
    from oxcross.cpython import series

    try:
        wanted = SpecifierSet(specifier)
    except InvalidSpecifier:
        return  # that is told when the table is tried
    offered = {name: sources.get("cpython", name).version for name in series()}
    if wanted.contains(offered[Settings().python]):
        return
    if fit := [name for name, release in offered.items() if wanted.contains(release)]:
        chosen.add("python", fit[-1], f"requires-python is {specifier}")
