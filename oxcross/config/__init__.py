"""From pyproject.toml to a checked Project: all that is wrong is found before anything is built.

schema.py says what the tables may hold, view.py checks one target's settings against the project
around them (entry.py: what is to run; files.py: what is read), findings.py collects what is wrong.
"""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from oxcross import targets
from oxcross.config import schema
from oxcross.config.findings import Findings, shown
from oxcross.config.view import view
from oxcross.errors import ConfigError, nearest
from oxcross.project import Project, missing


def configure(folder: Path) -> Project:
    """The Project in ``folder``; see ``project.load``."""
    root = folder.resolve()
    file = root / "pyproject.toml"
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        raise missing(folder) from None
    except (ValueError, OSError) as error:  # not TOML, not UTF-8, not readable
        raise ConfigError(f"cannot be read: {error}", where=shown(file)) from None

    findings = Findings(file, text)
    config = _validated(document, findings)
    names = _target_names(config, findings)
    overridden = [name for name in config.target if name in targets.load()]
    views = {name: view(root, document, config, name, findings) for name in overridden}
    if rest := [name for name in names if name not in views]:
        base = view(root, document, config, rest[0], findings)
        for name in targets.load():
            views.setdefault(name, dataclasses.replace(base, target=name))
    findings.raise_any()
    return dataclasses.replace(views[names[0]], views=views)


def _validated(document: dict[str, Any], findings: Findings) -> schema.Config:
    try:
        return schema.Config.model_validate(document.get("tool", {}).get("oxcross", {}))
    except ValidationError as error:
        for key, message, hint in schema.problems(error):
            findings.add(f"tool.oxcross.{key}".rstrip("."), message, hint)
    findings.raise_any()
    raise AssertionError("unreachable: a ValidationError has problems")


def _target_names(config: schema.Config, findings: Findings) -> list[str]:
    """The targets to build by default; those that cannot be are findings."""
    known = targets.load()
    ready = [name for name, target in known.items() if target.ready]
    if not config.targets:
        findings.add("tool.oxcross.targets", "names no target", f"choose from: {', '.join(ready)}")
    for index, name in enumerate(config.targets):
        key = f"tool.oxcross.targets[{index}]"
        if name not in known:
            findings.add(key, f"there is no target {name!r}", nearest(name, known))
        elif name not in ready:
            hint = f"choose from: {', '.join(ready)}"
            findings.add(key, f"{name} cannot be built by this version of oxcross", hint)
    for name in config.target:
        if name not in known:
            findings.add(f"tool.oxcross.target.{name}", f"there is no target {name!r}", nearest(name, known))
    return [name for name in dict.fromkeys(config.targets) if name in ready]
