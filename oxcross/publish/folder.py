"""A release folder (dist.py's ``dist/NAME/VERSION/``) as it is published: its files in order, each with its digest, checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxcross.errors import PublishError
from oxcross.publish import keys
from oxcross.publish import manifest as manifests

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a release. ``name`` is below the folder, with slashes."""

    name: str
    path: Path
    size: int  # bytes
    sha256: str  # hex
    stamp: tuple[int, ...] = ()  # by which a change after that is seen

    def unchanged(self) -> None:
        """PublishError when it is not what it was when it was read: the kernel keeps the time of every change."""
        if self.stamp and stamp(self.path) != self.stamp:
            raise PublishError(
                "it changed while it was published", where=str(self.path), hint="release it again"
            )


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A release on this machine. ``files``: in the order in which they are published; manifest.json is the last."""

    path: Path
    name: str
    version: str
    files: tuple[File, ...]

    @property
    def manifest(self) -> File:
        """The file that makes a release complete."""
        return self.files[-1]


def read(path: Path, name: str, version: str) -> Folder:
    """The release of that name and version in the folder, read and hashed as a whole.

    PublishError when there is none, or when it is not what its manifest and SHA256SUMS say.
    """
    hint = "`oxcross release` makes it"
    file = path / keys.MANIFEST
    if not file.is_file():
        message = f"there is no release {version} of {name}"
        raise PublishError(message, where=str(path), hint=hint, page="nothing-to-publish")
    manifest = parse(file.read_bytes(), str(file), name, version)
    claimed = rows(manifest)
    sums = path / keys.SUMS
    if not sums.is_file():
        raise PublishError("it has no SHA256SUMS", where=str(path), hint=hint)
    listed = parse_sums(sums.read_bytes(), str(sums))
    files = [_file(path, one) for one in sorted(path.rglob("*")) if not one.is_dir()]
    found = {one.name: one for one in files}
    for source, wanted in ((keys.MANIFEST, claimed), (keys.SUMS, listed)):
        for file_name, sha256 in wanted.items():
            if file_name not in found:
                message = f"{source} names {file_name}, which is not there"
                raise PublishError(message, where=str(path), hint=hint)
            if found[file_name].sha256 != sha256:
                where = str(found[file_name].path)
                raise PublishError(f"it is not what {source} says", where=where, hint=hint)
    named = {*claimed, *listed, keys.MANIFEST, keys.SUMS}
    for one in files:
        keys.Layout("", name).file(version, one.name)
        if one.name not in named and not keys.is_signature(one.name):
            message = f"{keys.SUMS} does not name it: it is not of the release"
            raise PublishError(message, where=str(one.path), hint="remove it, or release again with it")
    files.sort(key=lambda one: (keys.rank(one.name, artifact=one.name in claimed), one.name))
    return Folder(path=path, name=name, version=version, files=tuple(files))


def _file(root: Path, path: Path) -> File:
    name = path.relative_to(root).as_posix()
    if path.is_symlink() or not path.is_file():
        raise PublishError("only files can be published", where=str(path))
    before = stamp(path)
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    file = File(name=name, path=path, size=size, sha256=digest.hexdigest(), stamp=before)
    file.unchanged()
    return file


def stamp(path: Path) -> tuple[int, ...]:
    """What differs after a file was changed or replaced (stat(2))."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def parse(content: bytes, where: str, name: str, version: str) -> dict[str, Any]:
    """A manifest, which has to be of that name and version. PublishError."""
    try:
        manifest = json.loads(content)
    except ValueError:
        raise PublishError("it is not JSON", where=where) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("artifacts"), list):
        raise PublishError("it is no manifest of a release", where=where)
    if (manifest.get("name"), manifest.get("version")) != (name, version):
        raise PublishError(
            f"it is of {manifest.get('name')} {manifest.get('version')}, not of {name} {version}", where=where
        )
    manifests.check(manifest, where)
    return manifest


def rows(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The SHA-256 (hex) of every file that a manifest names, at whatever depth."""
    return {row["file"]: row["sha256"] for row in _rows(manifest)}


def _rows(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("file"), str) and keys.is_digest(value.get("sha256")):
            yield value
        for one in value.values():
            yield from _rows(one)
    elif isinstance(value, list):
        for one in value:
            yield from _rows(one)


def parse_sums(content: bytes, where: str) -> dict[str, str]:
    """SHA256SUMS, as sha256sum(1) writes it: file name -> hex. PublishError."""
    found = {}
    for line in content.decode("utf-8", errors="replace").splitlines():
        sha256, space, name = line.partition("  ")
        if not space or not keys.is_digest(sha256):
            raise PublishError(f"a line is not sha256sum's: {line[:80]!r}", where=where)
        found[name] = sha256
    return found
