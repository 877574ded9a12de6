"""From pyproject.toml to a checked Project: all that is wrong is found before anything is built.

schema.py says what the tables may hold (problems.py: what pydantic found there), view.py checks one target's settings against the project
around them (entry.py: what is to run; files.py: what is read), findings.py collects what is wrong.
"""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from oxcross import targets
from oxcross.config import schema
from oxcross.config.computed import Computed
from oxcross.config.findings import Findings, shown
from oxcross.config.problems import problems
from oxcross.config.view import linked, view
from oxcross.errors import ConfigError, nearest
from oxcross.project import Project, missing


def configure(folder: Path, text: str | None = None) -> Project:
    """The Project in ``folder``; see ``project.load``. With ``text`` for what its pyproject.toml will say: a version that is
    computed is any then.
    """
    root = folder.resolve()
    file = root / "pyproject.toml"
    try:
        computed = Computed(root, ask=text is None)
        text = file.read_text(encoding="utf-8") if text is None else text
        document = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        raise missing(folder) from None
    except (ValueError, OSError) as error:  # not TOML, not UTF-8, not readable
        raise ConfigError(f"cannot be read: {error}", where=shown(file)) from None

    for table, name in ((document, "tool"), (document, "project"), (document.get("project"), "scripts")):
        if isinstance(table, dict) and not isinstance(table.get(name, {}), dict):
            raise ConfigError(f"{name} must be a table, not {table[name]!r}", where=shown(file))
    findings = Findings(file, text)
    config = _validated(document, findings)
    names = _target_names(config, findings)
    overridden = [name for name in config.target if name in targets.load()]
    views = {name: view(root, document, config, name, findings, computed) for name in overridden}
    plain = [name for name in names or targets.load() if name not in views]
    if plain:  # also when no target is right: the rest may be wrong as well
        base = view(root, document, config, plain[0], findings, computed)
        for name in targets.load():
            views.setdefault(name, dataclasses.replace(base, target=name, link=linked(config.link, name)))
    findings.raise_any()
    return dataclasses.replace(views[names[0]], views=views)


def _validated(document: dict[str, Any], findings: Findings) -> schema.Config:
    """The table as a model, without the keys that are wrong: what is right is checked further."""
    table = copy.deepcopy(document.get("tool", {}).get("oxcross", {}))
    told: set[str] = set()  # what is wrong, and must be there, is not missing as well
    while True:
        try:
            return schema.Config.model_validate(table)
        except ValidationError as error:
            found = [problem for problem in problems(error) if problem[0] not in told]
            for key, message, hint in found:
                dotted = f"tool.oxcross.{key}".rstrip(".")
                findings.add(dotted, message, hint, page="no-such-key-or-value")
            told.update(key for key, _, _ in found)
            if not isinstance(table, dict):
                findings.raise_any()
            for detail in error.errors(include_url=False):
                place = detail["loc"]
                _drop(table, place[:-1] if detail["type"] == "missing" else place)


def _drop(table: dict[str, Any], place: tuple[int | str, ...]) -> None:
    """Take the key at ``place`` out, or the list that it is in."""
    for part, after in zip(place, (*place[1:], 0), strict=True):
        if isinstance(after, int):
            table.pop(str(part), None)
            return
        if not isinstance(table := table.get(str(part), {}), dict):
            return


def _target_names(config: schema.Config, findings: Findings) -> list[str]:
    """The targets to build by default; those that there are not are findings."""
    known = targets.load()
    if not config.targets:
        findings.add("tool.oxcross.targets", "names no target", f"choose from: {', '.join(known)}")
    places = {f"tool.oxcross.targets[{index}]": name for index, name in enumerate(config.targets)}
    places |= {f"tool.oxcross.target.{name}": name for name in config.target}
    for key, name in places.items():
        if name not in known:
            hint = nearest(name, known)
            findings.add(key, f"there is no target {name!r}", hint, page="no-such-key-or-value")
    return [name for name in dict.fromkeys(config.targets) if name in known]
