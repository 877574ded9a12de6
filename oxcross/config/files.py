"""The files that a configuration names: they exist, and hold what they should."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from oxcross.errors import ConfigError, nearest
from oxcross.project import DataFile

# Never matched by a data glob: what oxcross and other tools leave in a project's folder.
_OUTPUT = frozenset({"build", "dist", "__pycache__"})


def existing_file(root: Path, name: str) -> Path:
    """A file of the project, by its path below the project's folder."""
    path = root / name
    if path.is_file():
        return path
    if path.is_dir():
        raise ConfigError(f"{name} is a folder", hint="name a file")
    raise ConfigError(f"there is no file {name!r} in {root}", hint=_nearest_path(root, name))


def data_files(root: Path, pattern: str, to: str) -> list[DataFile]:
    """The files that a glob matches, with their places in the executable.

    Without ``to`` a file keeps its path below the project; with it, its path below the last folder
    that the pattern spells out is put below ``to``.
    """
    parts = PurePosixPath(pattern).parts
    if pattern.startswith("/") or ".." in parts:
        raise ConfigError(
            f"must lie in the project: {pattern!r}", hint="write a path relative to pyproject.toml"
        )
    if to.startswith("/") or ".." in PurePosixPath(to).parts:
        raise ConfigError(f"must lie in the executable: {to!r}", hint="write a relative path, without '..'")
    plain = _plain_prefix(parts)
    matches = [root / pattern] if (root / pattern).is_file() else list(root.glob(pattern))
    files = sorted(file for match in matches for file in _below(match) if not _is_output(file, root, plain))
    if not files:
        raise ConfigError(f"{pattern!r} matches nothing", hint=_nearest_path(root, pattern))
    base = root / plain
    base = base if base.is_dir() else base.parent
    return [
        DataFile(
            file,
            str(
                PurePosixPath(to) / file.relative_to(base).as_posix()
                if to
                else file.relative_to(root).as_posix()
            ),
        )
        for file in files
    ]


def _plain_prefix(parts: tuple[str, ...]) -> PurePosixPath:
    """The beginning of a glob that has no wildcard."""
    for index, part in enumerate(parts):
        if re.search(r"[*?\[]", part):
            return PurePosixPath(*parts[:index])
    return PurePosixPath(*parts)


def _below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        yield path


def _is_output(file: Path, root: Path, plain: PurePosixPath) -> bool:
    """Whether a wildcard (not the user's own words) led into hidden folders or build output."""
    parts = file.relative_to(root).parts[len(plain.parts) : -1]
    return any(part.startswith(".") or part in _OUTPUT for part in parts)


def _nearest_path(root: Path, name: str) -> str | None:
    """Where the path leaves what exists, and the nearest name there."""
    folder = root
    for part in PurePosixPath(name).parts:
        if (folder / part).exists():
            folder = folder / part
            continue
        there = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        if not there:
            return f"{folder} is empty"
        if re.search(r"[*?\[]", part):
            return f"in {folder} there are: {', '.join(there[:12])}{' …' if len(there) > 12 else ''}"
        return nearest(part, there[:40])
    return None


def check_hashed(path: Path) -> None:
    """ConfigError unless every requirement of a requirements file has hashes, and no line is an option."""
    text = re.sub(r"\\\r?\n", " ", path.read_text(encoding="utf-8"))
    wanted = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if not line:
            continue
        if line.startswith("-"):
            option = line.split()[0].partition("=")[0]
            raise ConfigError(
                f"{path.name} holds an option: {option}", hint="write requirements with hashes only"
            )
        if "--hash=" not in line:
            name = re.split(r"[\s;=<>!~\[@]", line)[0]
            raise ConfigError(
                f"{path.name}: {name} has no hash",
                hint="make the file with: uv pip compile --generate-hashes pyproject.toml -o " + path.name,
                page="a-requirements-file-without-hashes",
            )
        wanted = number > 0
    if not wanted:
        raise ConfigError(f"{path.name} holds no requirement")


def check_lock(path: Path) -> None:
    """ConfigError unless the file is a lock of a kind that can be read, by its name and version."""
    name = path.name
    if name != "uv.lock" and not (
        name == "pylock.toml" or (name.startswith("pylock.") and name.endswith(".toml"))
    ):
        raise ConfigError(
            f"{name} is no lock file known here", hint="uv.lock, pylock.toml or pylock.NAME.toml (PEP 751)"
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{name} cannot be read: {error}") from None
    if "version" not in content and "lock-version" not in content:
        raise ConfigError(f"{name} is no lock file: it has no version")
