"""What a project says of itself: in [project], in Poetry's own tables, in setup.cfg, or in the literals of setup.py.

Nothing is run: what setup.py computes is not known.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oxcross.init import version as versions


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one place says; what it does not say is empty."""

    where: str  # as people call the place: "[project]", "setup.cfg"
    name: str = ""
    version: str = ""
    scripts: Mapping[str, str] = field(default_factory=dict)  # name -> "package.module:function"
    windowed: Mapping[str, str] = field(default_factory=dict)  # the same, of [project.gui-scripts]
    python: str = ""  # a version specifier
    requires: bool = False  # it has dependencies, or something gives them when it is built


@dataclass(frozen=True, kw_only=True)
class Project:
    """All places together: of each value the first that is there."""

    places: tuple[Said, ...]
    standard: bool  # there is a [project]
    builds: bool  # something can build a wheel of it: a build system, or setuptools' own files
    legacy: bool  # … and that is setuptools' own files only, without a [build-system]

    @property
    def name(self) -> Said | None:
        """Who says the name."""
        return next((one for one in self.places if one.name), None)

    @property
    def version(self) -> Said | None:
        """Who says the version."""
        return next((one for one in self.places if one.version), None)

    @property
    def scripts(self) -> Said | None:
        """Who says which programs there are."""
        return next((one for one in self.places if one.scripts or one.windowed), None)

    @property
    def python(self) -> str:
        """Which Pythons it is for."""
        return next((one.python for one in self.places if one.python), "")

    @property
    def requires(self) -> bool:
        """Whether it declares dependencies."""
        return any(one.requires for one in self.places)


def project(root: Path, document: Mapping[str, Any]) -> Project:
    """The project in ``root``; ``document`` is its pyproject.toml."""
    meta = table(document, "project")
    setup = [_setup_cfg(root), _setup_py(root)]
    places = [_standard(document) if meta else None, _poetry(document), *setup]
    legacy = any(setup) and "build-system" not in document
    return Project(
        places=tuple(one for one in places if one),
        standard=bool(meta),
        builds="build-system" in document or legacy,
        legacy=legacy,
    )


def _standard(document: Mapping[str, Any]) -> Said:
    meta = table(document, "project")
    dynamic = meta.get("dynamic")
    return Said(
        where="[project]",
        name=_text(meta, "name"),
        version=_text(meta, "version"),
        scripts=_programs(table(meta, "scripts")),
        windowed=_programs(table(meta, "gui-scripts")),
        python=_text(meta, "requires-python"),
        requires=bool(meta.get("dependencies")) or (isinstance(dynamic, list) and "dependencies" in dynamic),
    )


def _poetry(document: Mapping[str, Any]) -> Said | None:
    poetry = table(table(document, "tool"), "poetry")
    if not poetry:
        return None
    dependencies = table(poetry, "dependencies")
    python = _text(dependencies, "python")
    if caret := re.fullmatch(r"\^(3\.\d+)(\.\d+)*", python):
        python = f">={caret[1]}"
    scripts = {name: one for name, one in table(poetry, "scripts").items() if isinstance(one, str)}
    return Said(
        where="[tool.poetry]",
        name=_text(poetry, "name"),
        version=_text(poetry, "version"),
        scripts=_programs(scripts),
        python=python if python[:1] in "<>=!" else "",
        requires=bool(dependencies.keys() - {"python"}),
    )


def _setup_cfg(root: Path) -> Said | None:
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string((root / "setup.cfg").read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return None
    if not config.has_section("metadata") and not config.has_section("options"):
        return None  # other tools keep their settings there, too

    def value(section: str, key: str) -> str:
        return config.get(section, key, fallback="").strip()

    version = value("metadata", "version")
    if version.startswith(("attr:", "file:")):
        version = versions.told(root, version)
    return Said(
        where="setup.cfg",
        name=value("metadata", "name"),
        version=version,
        scripts=_entry_points(value("options.entry_points", "console_scripts")),
        windowed=_entry_points(value("options.entry_points", "gui_scripts")),
        python=value("options", "python_requires"),
        requires=bool(value("options", "install_requires")),
    )


def _setup_py(root: Path) -> Said | None:
    try:
        tree = ast.parse((root / "setup.py").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    values = dict(_literals(tree))
    points = values.get("entry_points")
    if isinstance(points, str):
        config = configparser.ConfigParser(interpolation=None, delimiters=("=",))
        try:
            config.read_string(points)
        except configparser.Error:
            points = {}
        else:
            points = {
                group: [f"{name}={value}" for name, value in config.items(group)]
                for group in config.sections()
            }

    def programs(group: str) -> dict[str, str]:
        lines = points.get(group, []) if isinstance(points, dict) else []
        return _entry_points(lines if isinstance(lines, str) else "\n".join(map(str, lines)))

    return Said(
        where="setup.py",
        name=_text(values, "name"),
        version=_text(values, "version"),
        scripts=programs("console_scripts"),
        windowed=programs("gui_scripts"),
        python=_text(values, "python_requires"),
        requires="install_requires" in values,
    )


def _literals(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """The arguments of ``setup(…)``; those that are computed are None."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called != "setup":
            continue
        for keyword in node.keywords:
            try:
                value = ast.literal_eval(keyword.value)
            except ValueError:
                value = None
            if keyword.arg:
                yield keyword.arg, value


def _entry_points(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return _programs({name.strip(): place.strip() for name, _, place in pairs})


def _programs(places: Mapping[str, Any]) -> dict[str, str]:
    """Without the extras that a place may name behind the function."""
    return {name: place.partition("[")[0].strip() for name, place in places.items() if isinstance(place, str)}


def table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The table at a key; an empty one where there is none."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _text(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    return value.strip() if isinstance(value, str) else ""
