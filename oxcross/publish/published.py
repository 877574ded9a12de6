"""What lies in a bucket: the releases there are, whether they are whole, and the check of every byte of one."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from packaging.version import InvalidVersion, Version

from oxcross.errors import PublishError, nearest
from oxcross.publish import folder, keys, marks, pointer
from oxcross.publish.keys import Layout
from oxcross.publish.s3 import Bucket, Head, Object

_NEVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass
class Row:
    """A version as the bucket's listing shows it."""

    version: str
    objects: list[Object] = field(default_factory=list)
    complete: bool = False  # manifest.json is there
    time: dt.datetime = _NEVER  # when its last object was written
    channels: list[str] = field(default_factory=list)
    yanked: bool = False
    pruned: bool = False

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(one.size for one in self.objects)

    @property
    def state(self) -> str:
        """For people."""
        if self.pruned:
            return "pruned"
        if not self.complete:
            return "unfinished"
        return "yanked" if self.yanked else "complete"

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "version": self.version,
            "state": self.state,
            "channels": self.channels,
            "time": self.time.isoformat(),
            "size": self.size,
            "files": len(self.objects),
        }


def order(version: str) -> tuple[int, Version, str]:
    """What versions are compared by: PEP 440, what is no such version before all that are."""
    try:
        return 1, Version(version), version
    except InvalidVersion:
        return 0, Version("0"), version


def releases(bucket: Bucket, layout: Layout) -> list[Row]:
    """All releases, newest version first, those that are unfinished or about to be removed among them."""
    found: dict[str, Row] = {}
    for one in bucket.objects(layout.root):
        if version := layout.version_of(one.key):
            row = found.setdefault(version, Row(version))
            row.objects.append(one)
            row.complete |= one.key == layout.file(version, keys.MANIFEST)
            row.time = max(row.time, one.modified)
    for channel in pointer.channels(bucket, layout):
        current = pointer.read(bucket, layout, channel).pointer
        if current and current.version in found:
            found[current.version].channels.append(channel)
    for version in marks.all_of(bucket, layout, "yanked"):
        if version in found:
            found[version].yanked = True
    for version in marks.all_of(bucket, layout, "pruned"):
        if version in found:
            found[version].pruned = True
    return sorted(found.values(), key=lambda row: order(row.version), reverse=True)


@dataclass(frozen=True)
class Manifest:
    """The manifest of a published release. ``files``: the SHA-256 (hex) of all that it and SHA256SUMS name."""

    sha256: str
    files: dict[str, str]


def manifest(bucket: Bucket, layout: Layout, version: str) -> Manifest:
    """What a published release consists of. PublishError when it is not complete, or not what oxcross publishes."""
    key = layout.file(version, keys.MANIFEST)
    found = bucket.get(key)
    if found is None:
        known = set(filter(None, (layout.version_of(one.key) for one in bucket.objects(layout.root))))
        if version in known:
            hint = "`oxcross publish` of the same folder goes on with it"
            raise PublishError(f"{version} is not published completely", where=bucket.where(key), hint=hint)
        raise PublishError(
            f"{version} is not published",
            where=bucket.where(layout.root),
            hint=nearest(version, known) if known else "`oxcross publish` does it",
        )
    content = found[0]
    files = folder.rows(folder.parse(content, bucket.where(key), layout.name, version))
    sums_key = layout.file(version, keys.SUMS)
    sums = bucket.get(sums_key)
    if sums is None:
        raise PublishError("it is missing", where=bucket.where(sums_key))
    for name, sha256 in folder.parse_sums(sums[0], bucket.where(sums_key)).items():
        if files.setdefault(name, sha256) != sha256:
            raise PublishError(f"it and the manifest differ about {name}", where=bucket.where(sums_key))
    return Manifest(hashlib.sha256(content).hexdigest(), files)


def check_whole(bucket: Bucket, layout: Layout, version: str) -> Manifest:
    """That a release is complete: every file is there and is what the manifest says, as far as the server's word goes.

    PublishError. ``verify`` takes nobody's word.
    """
    found = manifest(bucket, layout, version)
    for name, sha256 in found.files.items():
        key = layout.file(version, name)
        head = bucket.head(key)
        if head is None:
            raise PublishError("it is missing", where=bucket.where(key), hint="publish it again")
        if _digest_of(head) not in ("", sha256):
            raise PublishError("it is not what the manifest says", where=bucket.where(key))
    return found


def _digest_of(head: Head) -> str:
    """The SHA-256 that the server made, or the metadata says; "" when neither is there."""
    return head.sha256 or head.noted


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What ``verify`` found. ``problems``: each with its place."""

    version: str
    files: int
    size: int  # bytes that were downloaded
    channels: tuple[str, ...]  # those that point there
    problems: tuple[str, ...]


def verify(bucket: Bucket, layout: Layout, version: str) -> Verified:
    """Download and hash all of a release, and follow the pointers of all channels back to their beginning."""
    size = 0
    prefix = layout.version(version)
    whole = manifest(bucket, layout, version)
    there = {one.key.removeprefix(prefix): one for one in bucket.objects(prefix)}
    lost = sorted(whole.files.keys() - there.keys())
    problems = [f"{bucket.where(prefix + name)}: it is missing" for name in lost]
    for name in sorted(there):
        head = bucket.head(prefix + name)
        got = bucket.digest(prefix + name)
        if got and head and got[0] != (whole.files.get(name) or _digest_of(head)):
            got = bucket.digest(prefix + name)  # the way may have damaged it
        if got is None or head is None:
            problems.append(f"{bucket.where(prefix + name)}: it is missing")
            continue
        size += got[1]
        wanted = whole.files.get(name) or _digest_of(head)
        if wanted != got[0]:
            problems.append(
                f"{bucket.where(prefix + name)}: its SHA-256 is {got[0]}, not {wanted or 'known'}"
            )
        if head.noted and head.noted != got[0]:
            problems.append(f"{bucket.where(prefix + name)}: its metadata says another SHA-256")
    pointing, wrong = chains(bucket, layout, version, whole.sha256)
    return Verified(
        version=version,
        files=len(there),
        size=size,
        channels=tuple(pointing),
        problems=tuple(problems + wrong),
    )


def chains(bucket: Bucket, layout: Layout, version: str, sha256: str) -> tuple[list[str], list[str]]:
    """The channels that point at a version, and what is wrong with any channel's pointers."""
    pointing = []
    problems = []
    for channel in pointer.channels(bucket, layout):
        try:
            current = pointer.read(bucket, layout, channel).pointer
            if current is None:
                continue
            pointer.named(bucket, layout, channel, current.digest)
            for one in (current, *pointer.history(bucket, layout, current)):
                if one.version == version and one.manifest != sha256:
                    where = bucket.where(layout.history(channel, one.digest))
                    problems.append(f"{where}: it names another manifest of {version}: {one.manifest}")
            if current.version == version:
                pointing.append(channel)
        except PublishError as error:
            problems.append(f"{error.where}: {error.message}")
    return pointing, problems
