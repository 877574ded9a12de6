"""Files of folders: of a package's root, and of a virtual environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from oxcross.bzl.resources import Origin, Source
from oxcross.collect import projectfiles
from oxcross.errors import ConfigError, nearest


def packages(root: Path, names: Sequence[str]) -> list[Source]:
    """The files of the packages and modules ``names`` in ``root``. ConfigError for one that is not there."""
    found: list[Source] = []
    for name in names:
        folder, module = root / name, root / f"{name}.py"
        if folder.is_dir():
            found += [_source(root, f"{name}/{path}") for path in projectfiles.walk(folder)]
        elif module.is_file():
            found.append(_source(root, f"{name}.py"))
        else:
            known = sorted(one.stem for one in root.iterdir()) if root.is_dir() else []
            raise ConfigError(
                f"there is no package or module {name!r} in {root}",
                hint=nearest(name, known) if known else "there is no such folder",
            )
    return found


def virtualenv(root: Path) -> list[Source]:
    """The files of an environment's site-packages, without pip and what it brings itself."""
    folders = [*sorted(root.glob("lib/python3.*/site-packages")), root / "Lib" / "site-packages"]
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        raise ConfigError(
            f"not a virtual environment: {root}", hint="it has no site-packages; create it first"
        )
    return list(_site(folder))


def _site(folder: Path) -> Iterator[Source]:
    for path in projectfiles.walk(folder):
        top = path.partition("/")[0].partition("-")[0]
        if top not in ("pip", "_virtualenv.py", "distutils") and not path.endswith(".pth"):
            yield _source(folder, path)


def _source(root: Path, path: str) -> Source:
    file = root / path
    return Source(path, file.read_bytes, Origin(), bool(file.stat().st_mode & 0o111))
