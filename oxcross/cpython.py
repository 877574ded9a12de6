"""The series of CPython that oxcross has a recipe for: ``cpython.toml``, and the sources pinned for them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from oxcross import sources
from oxcross.errors import ConfigError, nearest
from oxcross.sources import Source

_TABLE = Path(__file__).with_name("cpython.toml")


@dataclass(frozen=True, kw_only=True)
class Series:
    """A row of ``cpython.toml``."""

    series: str  # "3.13"
    tested: bool  # whether oxcross's own tests build and run it
    libraries: tuple[str, ...]  # names of oxcross.recipes.LIBRARIES
    configure: tuple[str, ...]  # further arguments
    modules: tuple[str, ...]  # extension modules that must be built in on Linux
    windows: tuple[str, ...] = ()  # the same on Windows; () where there is no recipe for it
    macos: tuple[str, ...] = ()  # the same on macOS

    def on(self, system: str) -> tuple[str, ...]:
        """The extension modules that must be built in on "linux", "windows" or "macos"; () when it is not built for that."""
        return {"windows": self.windows, "macos": self.macos}.get(system, self.modules)


@cache
def series() -> Mapping[str, Series]:
    """The series by name ("3.13"), in the table's order."""
    known: dict[str, Series] = {}
    for row in tomllib.loads(_TABLE.read_text(encoding="utf-8"))["cpython"]:
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
        known[row["series"]] = Series(**fields)
    return known


def series_of(version: str) -> str:
    """The series that a version belongs to: "3.13" for "3.13" and for "3.13.15"."""
    return ".".join(version.split(".")[:2])


def pinned(version: str) -> tuple[Series, Source]:
    """The series and the pinned source of "3.13" or "3.13.15".

    ConfigError for a series without a recipe, SourceError for a version that is not pinned.
    """
    name = series_of(version)
    if name not in series():
        raise ConfigError(f"there is no recipe for Python {version}", hint=nearest(name, series()))
    return series()[name], sources.get("cpython", version)
