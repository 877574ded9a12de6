"""A distribution that is built from source: its files, each pinned by SHA-256, and how its backend is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class IndexFile:
    """A file of the package index, as a step reads it (oxcross.plan.Pinned). Its address is asked of the index."""

    name: str  # normalised (PEP 503)
    version: str
    filename: str
    sha256: str  # lower-case hex
    size: int  # bytes; 0 where the index does not say it

    kind = "index"
    upstream: tuple[str, ...] = ()
    pool: str | None = None

    @property
    def text(self) -> str:
        """As oxcross.lock has it."""
        return f"{self.name}=={self.version} {self.filename} {self.size} sha256:{self.sha256}"

    @classmethod
    def of(cls, text: str) -> IndexFile:
        """From what oxcross.lock has. ValueError for anything else."""
        pinned, filename, size, digest = text.split(" ")
        name, _, version = pinned.partition("==")
        kind, _, sha256 = digest.partition(":")
        if kind != "sha256" or len(sha256) != 64:
            raise ValueError(f"not a SHA-256: {digest}")
        return cls(name=name, version=version, filename=filename, sha256=sha256, size=int(size))


@dataclass(frozen=True, kw_only=True)
class Sdist:
    """A source distribution, its build backend, and the wheels that this needs on the build machine (PEP 517)."""

    file: IndexFile
    backend: str  # "setuptools.build_meta"; an object inside a module stands behind a colon
    backend_path: tuple[str, ...] = ()  # folders of the distribution that have the backend
    cxx: bool = False  # C++ is among its sources
    pure: bool = False  # it has no extension modules: one wheel of it does for every target
    wheels: tuple[IndexFile, ...] = ()

    @property
    def name(self) -> str:
        """The distribution's normalised name."""
        return self.file.name

    @property
    def version(self) -> str:
        """Its version."""
        return self.file.version

    def row(self) -> dict[str, str | list[str]]:
        """As oxcross.lock has it."""
        return {
            "sdist": self.file.text,
            "backend": self.backend,
            "backend-path": list(self.backend_path),
            "languages": ["python"] if self.pure else ["c++"] if self.cxx else [],
            "wheels": [wheel.text for wheel in self.wheels],
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Sdist:
        """From what oxcross.lock has. KeyError, TypeError or ValueError for anything else."""
        return cls(
            file=IndexFile.of(row["sdist"]),
            backend=row["backend"],
            backend_path=tuple(row["backend-path"]),
            cxx="c++" in row["languages"],
            pure="python" in row["languages"],
            wheels=tuple(map(IndexFile.of, row["wheels"])),
        )
