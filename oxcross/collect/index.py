"""What the package index has of pinned versions: their files, by uv, which knows indexes, proxies and credentials."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from oxcross import cpython
from oxcross.collect import uv
from oxcross.collect.distributions import canonical
from oxcross.errors import CollectError
from oxcross.sdist import IndexFile


@dataclass(frozen=True, slots=True)
class Found:
    """A file and where it is: an address, or a path of this machine."""

    file: IndexFile
    location: str


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a distribution; ``wheels`` are those that fit the platform that was asked for."""

    name: str  # normalised
    version: str
    sdist: Found | None
    wheels: tuple[Found, ...]


def releases(
    lines: Sequence[str], arguments: Sequence[str], *, folder: Path, doing: str, where: str
) -> list[Release]:
    """The releases that requirement ``lines`` come to. ``arguments`` are uv's, about platform and Python.

    CollectError, with ``doing`` and ``where``, when uv cannot resolve them.
    """
    with tempfile.TemporaryDirectory(prefix="oxcross-") as name:
        wanted, lock = Path(name, "requirements.in"), Path(name, "pylock.toml")
        wanted.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        uv.run(
            ["pip", "compile", str(wanted), "--format", "pylock.toml", "--output-file", str(lock), "--no-header", *arguments],
            folder=folder,
            doing=doing,
            where=where,
        )  # fmt: skip
        document = tomllib.loads(lock.read_text(encoding="utf-8"))
        return [_release(package, Path(name)) for package in document.get("packages", [])]


def _release(package: dict[str, Any], folder: Path) -> Release:
    name, version = canonical(package["name"]), str(package.get("version", ""))

    def found(row: dict[str, Any]) -> Found:
        location = row["url"] if "url" in row else str((folder / row["path"]).resolve())
        filename = row.get("name") or unquote(urlsplit(location).path).rpartition("/")[2]
        file = IndexFile(
            name=name,
            version=version,
            filename=filename,
            sha256=row["hashes"]["sha256"],
            size=int(row.get("size", 0)),
        )
        return Found(file, location)

    sdist = found(package["sdist"]) if "sdist" in package else None
    return Release(name, version, sdist, tuple(map(found, package.get("wheels", []))))


def address(file: IndexFile) -> str:
    """Where the index has the very file. CollectError when it has it no more."""
    series = next(iter(cpython.series()))
    arguments = ["--no-deps", "--universal", "--python-version", series, *uv.python()]
    doing = f"{file.filename} cannot be found in the package index"
    for release in releases(
        [f"{file.name}=={file.version}"], arguments, folder=Path.cwd(), doing=doing, where=file.filename
    ):
        for one in (*release.wheels, *([release.sdist] if release.sdist else [])):
            if one.file.sha256 == file.sha256:
                return one.location
    raise CollectError(f"{doing}: no file of {file.name} {file.version} has its SHA-256", where=file.filename)
