"""The keys that ``oxcross init`` writes: what is to run, its name and version, and for which targets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from oxcross import targets
from oxcross.config.files import existing_file
from oxcross.errors import ConfigError
from oxcross.init import needs, programs, script, version
from oxcross.init.chosen import OWN, Chosen
from oxcross.init.said import Project, Said

TARGET: Final = "linux-x64"
_VERSION: Final = "0.1.0"


def choose(root: Path, document: Mapping[str, Any], project: Project, script_file: str = "") -> Chosen:
    """The keys for a project, or for one script in its folder.

    ConfigError where nothing says what is to run.
    """
    chooser = _Chooser(root, document, project)
    if script_file:
        chooser.one_script(script_file)
    else:
        chooser.whole_project()
    others = ", ".join(one for one in targets.load() if one != TARGET)
    chooser.chosen.add("targets", [TARGET], f"it needs nothing that is not here; there are also {others}")
    return chooser.chosen


class _Chooser:
    def __init__(self, root: Path, document: Mapping[str, Any], project: Project) -> None:
        self._root = root
        self._document = document
        self._project = project
        self._name = project.name.name if project.name else root.name
        # Where nothing says anything yet, a [project] is begun; what is there is not added to.
        self._fresh = not project.places and not document
        self.chosen = Chosen()

    def whole_project(self) -> None:
        said = self._project.scripts
        if said:
            self._choose_name()
            self._choose_scripts(said)
            self._choose_needs("")
            return
        key, value, why = programs.find(self._root, self._document, self._name)
        self._choose_name()
        self.chosen.add(key, value, why)
        self._choose_needs(value if key == "run-file" else "")

    def one_script(self, given: str) -> None:
        path = (self._root / given).resolve()
        if not path.is_relative_to(self._root):
            hint = "name its folder with --project DIR"
            raise ConfigError("lies outside the project", where=f"--script {given}", hint=hint)
        file = path.relative_to(self._root).as_posix()
        try:
            existing_file(self._root, file)
        except ConfigError as problem:
            raise ConfigError(
                problem.message, where="--script", hint=problem.hint, page=problem.page
            ) from None
        self._add("name", _file_name(path.stem), "the script's name")
        if self._project.version is None or self._project.version.where != "[project]":
            self._choose_version()
        self.chosen.add("run-file", file, "as asked for")
        self._choose_needs(file)

    def _add(self, key: str, value: str, why: str) -> None:
        """A key that [project] has, too."""
        self.chosen.add(key, value, why, table="project" if self._fresh else OWN)

    # -- name and version -------------------------------------------------------------------

    def _choose_name(self) -> None:
        said = self._project.name
        if said is None:
            self._add("name", _file_name(self._name), "the folder's name")
        elif said.where != "[project]":
            self._add("name", _file_name(said.name), f"as in {said.where}")
        if self._project.version is None or self._project.version.where != "[project]":
            self._choose_version()

    def _choose_version(self) -> None:
        if said := self._project.version:
            self._add("version", said.version, f"as in {said.where}; change it there and here")
        elif self._project.builds:
            self.chosen.notes.append("the version is the one that the project's build backend computes")
        elif found := version.find(self._root, self._document, self._name):
            self._add("version", found[0], f"as in {found[1]}; change it there and here")
        else:
            self._add("version", _VERSION, "the first one")

    # -- what runs --------------------------------------------------------------------------

    def _choose_scripts(self, said: Said) -> None:
        scripts = said.scripts or said.windowed
        if said.scripts and said.windowed:
            names = ", ".join(said.windowed)
            self.chosen.notes.append(
                f"windowed programs are left out: {names}; commands, as a table, can name them"
            )
        [(name, place), *more] = scripts.items()
        if said.where == "[project]":
            table = "[project.scripts]" if said.scripts else "[project.gui-scripts]"
            if more:
                self.chosen.add("commands", True, f"all of {table}; {self._picking(scripts)}")
            else:
                self.chosen.comments.append(f"It runs {name}, the one program in {table}.")
        elif more:
            self.chosen.add(
                "commands", dict(scripts), f"all scripts in {said.where}; {self._picking(scripts)}"
            )
        else:
            self.chosen.add("entry-point", place, f"{name}, the one script in {said.where}")

    def _picking(self, scripts: Mapping[str, str]) -> str:
        """How a user comes to each of several programs."""
        if self._name not in scripts:
            return "the first argument picks one, or the name of a link to the executable"
        others = " or ".join(name for name in scripts if name != self._name)
        return f"called {self._name} it runs that, by a link called {others} the other"

    # -- what it needs ----------------------------------------------------------------------

    def _choose_needs(self, file: str) -> None:
        """``file`` is the script that runs, "" when a package's function or module does."""
        inline = script.read(self._root / file) if file else script.Inline()
        if inline.there:
            self._choose_inline(file, inline)
        else:
            needs.build_system(self._project, self.chosen)
            needs.requirements(self._root, self._document, self._project, self.chosen, as_file=bool(file))
        needs.python(inline.python or self._project.python, self.chosen)
        needs.data(self._root, self._document, self.chosen, as_file=bool(file) and "/" not in file)

    def _choose_inline(self, file: str, inline: script.Inline) -> None:
        why = f"the inline metadata of {file} (PEP 723)"
        if inline.python and self._fresh:
            self._add("requires-python", inline.python, why)
        if inline.dependencies:
            self.chosen.add("requirements", list(inline.dependencies), why)
        if "build-system" in self._document:
            self.chosen.add("project", False, "the script says itself what it needs")


def _file_name(name: str) -> str:
    """A name that can be a file's and a project's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "app"
