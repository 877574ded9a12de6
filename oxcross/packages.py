"""What is known of building certain distributions from source: the rows of ``packages.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_name("packages.toml")


@dataclass(frozen=True, kw_only=True)
class Package:
    """What the build of one distribution needs besides what it says itself."""

    name: str  # normalised (PEP 503)
    libraries: tuple[str, ...] = ()  # names of oxcross.recipes.LIBRARIES, linked in
    requires: tuple[str, ...] = ()  # further build requirements (PEP 508)
    environment: Mapping[str, str] = field(default_factory=dict)  # variables
    settings: Mapping[str, str] = field(default_factory=dict)  # config_settings of the backend (PEP 517)


@cache
def _document() -> Mapping[str, Any]:
    document: Mapping[str, Any] = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return document


@cache
def _rows() -> Mapping[str, Package]:
    rows: dict[str, Package] = {}
    for row in _document()["package"]:
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
        rows[row["name"]] = Package(**fields)
    return rows


def get(name: str) -> Package:
    """The row of a distribution (its normalised name); an empty one when nothing is known of it."""
    return _rows().get(name, Package(name=name))


def obstacle(backend: str, own: bool, requires: Iterable[str]) -> str | None:
    """Why a distribution cannot be built for another machine; None when it can be tried.

    ``backend`` is its build backend, ``own`` whether that is part of it, ``requires`` what the build asks for.
    """
    names = {
        re.sub(r"[-_.]+", "-", match[0]).lower() for line in requires if (match := re.match(r"[\w.-]+", line))
    }
    for name, reason in _document()["obstacles"].items():
        if name in names:
            return f"its build needs {name} ({reason})"
    if not own and backend.partition(".")[0].partition(":")[0] not in _document()["backends"]:
        return f"its build backend is {backend}, which oxcross cannot make build for another machine"
    return None
