"""A docker image with osxcross in it: its /osxcross, copied out once, into the user's cache folder.

The copy is no part of the store: Apple's SDK is in it, which is nobody's to pass on.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import locks, trees
from oxcross.engine import copying, docker
from oxcross.errors import ConfigError, ToolError

if TYPE_CHECKING:
    from docker import APIClient

_INSIDE = "/osxcross"


def folder(name: str, where: str) -> Path:
    """The copy of the image's /osxcross, made now if there is none of this very image yet.

    The daemon is asked which image the name stands for. Without a daemon that is the one it stood for the last time.
    Raises ToolError without either, ConfigError when there is no such image or it has no osxcross.
    """
    root = _root()
    noted = root / f"name-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    try:
        api = docker.client()
    except ToolError as error:
        last = _last(noted)
        if last is not None:
            return last
        raise ToolError(
            f"image {name}: {error.message}",
            where=where,
            hint="start docker (systemctl start docker), or copy /osxcross out of the image and name that folder",
        ) from None
    try:
        return _copied(api, name, root, noted, where)
    finally:
        api.close()


def _root() -> Path:
    from platformdirs import user_cache_path

    root = user_cache_path("oxcross") / "osxcross"
    (root / "tmp").mkdir(parents=True, exist_ok=True)
    return root


def _last(noted: Path) -> Path | None:
    """The copy that was made for a name before."""
    try:
        copy = noted.with_name(noted.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return copy if copy.is_dir() else None


def _copied(api: APIClient, name: str, root: Path, noted: Path, where: str) -> Path:
    digest = copying.image(api, name)
    if digest is None:
        raise ConfigError(
            f"there is no image {name!r}",
            where=where,
            hint=f"get it first: docker pull {name}, or docker load",
        )
    copy = root / digest.partition(":")[2]
    with locks.locked(root / "lock"):
        if not copy.is_dir():
            locks.sweep(root / "tmp")  # what a process that was killed left
            with locks.temporary(root / "tmp", "image") as scratch:
                made = scratch / "osxcross"
                made.mkdir()
                if not copying.copy(api, digest, _INSIDE, made):
                    raise ConfigError(
                        f"the image {name!r} has no folder {_INSIDE}",
                        where=where,
                        hint="name an image that has osxcross there, or a folder",
                    )
                trees.normalise(made)
                made.rename(copy)
        noted.write_text(copy.name, encoding="utf-8")
    return copy
