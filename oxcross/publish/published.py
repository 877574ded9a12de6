"""What lies in a bucket: the releases there are, what each consists of, and whether it is whole and signed, as far as the server's word goes."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from packaging.version import InvalidVersion, Version

from oxcross.errors import PublishError, nearest
from oxcross.publish import folder, keys, marks, pointer, signing
from oxcross.publish.connection import Missing
from oxcross.publish.keys import Layout
from oxcross.publish.s3 import Bucket, Head, Object
from oxcross.publish.signing import Anchor

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
    """The manifest of a published release. ``files``: the SHA-256 (hex) of all that it and SHA256SUMS name; ``read``: the bytes
    of these two.
    """

    files: dict[str, str]
    document: dict[str, Any]
    read: dict[str, bytes]

    @property
    def sha256(self) -> str:
        """Of manifest.json, in hex."""
        return hashlib.sha256(self.read[keys.MANIFEST]).hexdigest()


def described(bucket: Bucket, layout: Layout, version: str) -> Manifest:
    """What a release's manifest and SHA256SUMS say of it. Missing when one of them is not there, PublishError when they are not what
    oxcross publishes.
    """
    found: dict[str, bytes] = {}
    for file in (keys.MANIFEST, keys.SUMS):
        key = layout.file(version, file)
        there = bucket.get(key)
        if there is None:
            raise Missing(key)
        found[file] = there[0]
    where = {file: bucket.where(layout.file(version, file)) for file in found}
    document = folder.parse(found[keys.MANIFEST], where[keys.MANIFEST], layout.name, version)
    files = folder.rows(document)
    for name, sha256 in folder.parse_sums(found[keys.SUMS], where[keys.SUMS]).items():
        if files.setdefault(name, sha256) != sha256:
            raise PublishError(f"it and the manifest differ about {name}", where=where[keys.SUMS])
    return Manifest(files, document, found)


def manifest(bucket: Bucket, layout: Layout, version: str) -> Manifest:
    """What a published release consists of. PublishError when it is not complete, or not what oxcross publishes."""
    try:
        return described(bucket, layout, version)
    except Missing as missing:
        key = str(missing)
        if key != layout.file(version, keys.MANIFEST):
            raise PublishError("it is missing", where=bucket.where(key)) from None
        known = set(filter(None, (layout.version_of(one.key) for one in bucket.objects(layout.root))))
        if version in known:
            hint = "`oxcross publish` of the same folder goes on with it"
            raise PublishError(
                f"{version} is not published completely", where=bucket.where(key), hint=hint
            ) from None
        raise PublishError(
            f"{version} is not published",
            where=bucket.where(layout.root),
            hint=nearest(version, known) if known else "`oxcross publish` does it",
        ) from None


def check_whole(bucket: Bucket, layout: Layout, version: str, anchor: Anchor | None) -> Manifest:
    """That a release is complete: every file is there and is what the manifest says, as far as the server's word goes; and signed
    with the project's key, if it has one.

    PublishError. ``verify`` takes nobody's word.
    """
    found = manifest(bucket, layout, version)
    for file, message in signature_problems(bucket, layout, version, found, anchor) if anchor else ():
        raise PublishError(
            message,
            where=bucket.where(layout.file(version, file)),
            hint="no channel is moved to what public-key in [tool.oxcross.release.sign] did not sign",
        )
    for name, sha256 in found.files.items():
        key = layout.file(version, name)
        head = bucket.head(key)
        if head is None:
            raise PublishError("it is missing", where=bucket.where(key), hint="publish it again")
        if digest_of(head) not in ("", sha256):
            raise PublishError("it is not what the manifest says", where=bucket.where(key))
    return found


def digest_of(head: Head) -> str:
    """The SHA-256 that the server made, or the metadata says; "" when neither is there."""
    return head.sha256 or head.noted


def signature_problems(
    bucket: Bucket, layout: Layout, version: str, whole: Manifest, anchor: Anchor
) -> list[tuple[str, str]]:
    """What is wrong with the signatures of a release: a file, and what is wrong with it."""

    def read(file: str) -> bytes | None:
        if file in whole.read:
            return whole.read[file]
        found = bucket.get(layout.file(version, file))
        return found[0] if found else None

    return signing.problems(anchor, layout.name, version, read)
