"""Requirements as lines: read from files and locks, told apart, filtered."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from oxcross.collect.distributions import canonical
from oxcross.errors import CollectError

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_LOCAL = re.compile(r"(?:-e\s+|--editable[ =])?(?P<path>(?:\.{1,2}(?:/|$)|/|file:).*)")


@dataclass(frozen=True, slots=True)
class Local:
    """A requirement that lies on this machine: a project's folder or a wheel, absolute."""

    path: Path
    extras: str = ""  # "[a,b]" or empty


def logical_lines(path: Path) -> list[str]:
    """The lines of a requirements file: continued ones joined, without comments, includes read.

    CollectError for a file that cannot be read. Source: pip's requirements file format.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CollectError(f"cannot be read: {error.strerror}", where=str(path)) from error
    lines: list[str] = []
    for raw in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = " ".join(re.sub(r"(^|\s)#.*", "", raw).split())
        if include := re.match(r"(?:-r|--requirement)[ =]?(.+)", line):
            lines += logical_lines(path.parent / include[1].strip())
        elif line:
            lines.append(line)
    return lines


def name_of(line: str) -> str | None:
    """The normalised name of the distribution that a line asks for; None for an option or a path."""
    if line.startswith("-") or _LOCAL.match(line):
        return None
    match = _NAME.match(line)
    return canonical(match[1]) if match else None


def local_of(line: str, root: Path) -> Local | None:
    """The path that a line names (``./x``, ``-e x``, ``name @ file:///x``), relative to ``root``."""
    named = re.fullmatch(r"[A-Za-z0-9._-]+\s*(\[[^\]]*\])?\s*@\s*(file:[^\s;]+)\s*(;.*)?", line.strip())
    if named:
        return Local(_path(named[2], root), named[1] or "")
    match = _LOCAL.fullmatch(line.strip().partition(" ;")[0].strip())
    if match is None:
        return None
    path, bracket, extras = match["path"].partition("[")
    return Local(_path(path.strip(), root), bracket + extras)


def _path(text: str, root: Path) -> Path:
    if text.startswith("file:"):
        text = unquote(urlsplit(text).path)
    return (root / text).resolve()


def without(lines: Iterable[str], excluded: Iterable[str]) -> list[str]:
    """The lines whose distribution is not among ``excluded`` (normalised names)."""
    unwanted = set(excluded)
    return [line for line in lines if name_of(line) not in unwanted]


def check_remote(lines: Iterable[str], where: str) -> None:
    """Refuse what cannot be had as a wheel with a hash: version control addresses."""
    for line in lines:
        if re.search(r"(^|@\s*)(git|hg|svn|bzr)\+", line):
            raise CollectError(
                f"from version control, not a wheel: {line.split(' --hash')[0]}",
                where=where,
                hint="clone it and name the folder (NAME @ file:///…), or build a wheel of it",
            )


def pylock_lines(path: Path) -> list[str]:
    """The packages of a ``pylock.toml`` (PEP 751) as requirement lines with the hashes of wheels, or of what else there is.

    CollectError for a package without files, and for a file that is not such a lock.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        packages: list[dict[str, Any]] = document["packages"]
        return [line for package in packages for line in _pylock_line(package, path)]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CollectError(f"not a lock file that can be read: {error}", where=str(path)) from error


def _pylock_line(package: dict[str, Any], path: Path) -> Iterator[str]:
    name = package["name"]
    marker = f" ; {package['marker']}" if "marker" in package else ""
    if "directory" in package:
        yield str(Path(path.parent, package["directory"]["path"]).resolve()) + marker
        return
    files = package.get("wheels", []) or [one for one in [package.get("sdist")] if one]
    if not files:
        raise CollectError(
            f"{name} {package.get('version', '')} is locked without a wheel or a source distribution",
            where=str(path),
            hint="lock a version that has one, or leave it out (exclude-packages)",
            page="a-lock-without-files",
        )
    hashes = " ".join(f"--hash=sha256:{one['hashes']['sha256']}" for one in files)
    yield f"{name}=={package['version']}{marker} {hashes}"


def wheelless(path: Path) -> frozenset[str]:
    """The normalised names of what a ``pylock.toml`` or ``uv.lock`` has a source distribution of, and no wheel.

    CollectError for a file that is not such a lock.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        rows = document["package" if path.name == "uv.lock" else "packages"]
        return frozenset(canonical(row["name"]) for row in rows if "sdist" in row and not row.get("wheels"))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CollectError(f"not a lock file that can be read: {error}", where=str(path)) from error
