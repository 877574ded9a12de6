"""The check of a published release that takes nobody's word: every byte, who signed it, what it says of itself, and its channels' past."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from oxcross.errors import PublishError
from oxcross.publish import identity, keys, latest, memory, pointer, published
from oxcross.publish.keys import Layout
from oxcross.publish.pointer import Pointer
from oxcross.publish.published import Manifest
from oxcross.publish.s3 import Bucket
from oxcross.publish.settings import Sigstore
from oxcross.publish.signing import Anchor
from oxcross.publish.subjects import claimed, subjects

_STOPPED: Final = (
    "somebody put an earlier one back; or a publisher was stopped between the two: to run it again mends that"
)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What ``verify`` found. ``problems``: each with its place."""

    version: str
    files: int
    size: int  # bytes that were downloaded
    signed: bool  # by the key that the project names
    channels: tuple[str, ...]  # those that point there
    problems: tuple[str, ...]


def verify(
    bucket: Bucket,
    layout: Layout,
    version: str,
    anchor: Anchor | None,
    sigstore: Sigstore = Sigstore(),  # noqa: B008 (frozen)
) -> Verified:
    """Download and hash all of a release, check its signatures with the project's key and identity, and follow the pointers of all
    channels back to their beginning.
    """
    prefix = layout.version(version)
    whole = published.manifest(bucket, layout, version)
    there = sorted(one.key.removeprefix(prefix) for one in bucket.objects(prefix))
    problems = [f"{bucket.where(prefix + name)}: it is missing" for name in sorted({*whole.files} - {*there})]
    problems += _strangers(bucket, prefix, whole, there)
    size = 0
    for name in there:
        count, wrong = _content(bucket, prefix + name, whole.files.get(name, ""))
        size += count
        problems += wrong
    unsigned = signatures(bucket, layout, version, whole, anchor) if anchor else []
    problems += unsigned
    problems += _bundle(bucket, layout, version, whole, sigstore) if sigstore.identity else []
    problems += _provenance(bucket, layout, version, whole)
    marker = bucket.get(layout.layout)
    if marker is None or marker[0] != keys.MARKER:
        problems.append(f"{bucket.where(layout.layout)}: it is missing, or not what oxcross wrote")
    pointing, wrong = channels(bucket, layout, version, whole.sha256)
    problems += wrong
    problems += latest.problems(bucket, layout)
    return Verified(
        version=version,
        files=len(there),
        size=size,
        signed=anchor is not None and not unsigned,
        channels=tuple(pointing),
        problems=tuple(problems),
    )


def _strangers(bucket: Bucket, prefix: str, whole: Manifest, there: list[str]) -> list[str]:
    known = {*whole.files, keys.MANIFEST, keys.SUMS}
    return [
        f"{bucket.where(prefix + name)}: {keys.SUMS} does not name it: it is not of the release"
        for name in there
        if name not in known and not keys.is_signature(name)
    ]


def _content(bucket: Bucket, key: str, wanted: str) -> tuple[int, list[str]]:
    """The size of an object, and what is wrong with its content; "": it has to be what the server itself says."""
    head = bucket.head(key)
    got = bucket.digest(key)
    if head is None or got is None:
        return 0, [f"{bucket.where(key)}: it is missing"]
    wanted = wanted or published.digest_of(head)
    if wanted != got[0]:
        got = bucket.digest(key) or got  # the way may have damaged it
    problems = []
    if wanted != got[0]:
        problems.append(f"{bucket.where(key)}: its SHA-256 is {got[0]}, not {wanted or 'known'}")
    if head.noted and head.noted != got[0]:
        problems.append(f"{bucket.where(key)}: its metadata says another SHA-256")
    return got[1], problems


def signatures(bucket: Bucket, layout: Layout, version: str, whole: Manifest, anchor: Anchor) -> list[str]:
    """What is wrong with the signatures of a release, each with its place."""
    found = published.signature_problems(bucket, layout, version, whole, anchor)
    return [f"{bucket.where(layout.file(version, file))}: {message}" for file, message in found]


def _bundle(bucket: Bucket, layout: Layout, version: str, whole: Manifest, wanted: Sigstore) -> list[str]:
    key = layout.file(version, keys.SUMS + identity.SUFFIX)
    found = bucket.get(key)
    if found is None:
        return [f"{bucket.where(key)}: {keys.SUMS} is not signed by {wanted.identity}"]
    wrong = identity.problem(wanted, whole.read[keys.SUMS], found[0])
    return [f"{bucket.where(key)}: {wrong}"] if wrong else []


def _provenance(bucket: Bucket, layout: Layout, version: str, whole: Manifest) -> list[str]:
    """That the statement is about what the manifest names; its bytes were compared with their digest before."""
    row = whole.document.get("provenance")
    if not isinstance(row, dict) or row.get("file") not in whole.files:
        return []
    key = layout.file(version, row["file"])
    found = bucket.get(key)
    try:
        said = claimed(json.loads(found[0])) if found else None
    except ValueError:
        said = None
    if said is None:
        return [f"{bucket.where(key)}: it is no statement about the release"]
    wanted = subjects(whole.document)
    odd = sorted(name for name in {*said, *wanted} if said.get(name) != wanted.get(name))
    return [f"{bucket.where(key)}: it and the manifest differ about {name}" for name in odd]


def channels(bucket: Bucket, layout: Layout, version: str, sha256: str) -> tuple[list[str], list[str]]:
    """The channels that point at a version, whose manifest has that SHA-256, and what is wrong with any channel's pointers."""
    pointing: list[str] = []
    problems: list[str] = []
    for channel in _channels(bucket, layout):
        problems += _channel(bucket, layout, channel, version, sha256, pointing)
    return pointing, problems


def _channels(bucket: Bucket, layout: Layout) -> list[str]:
    """The channels that there are, were or should be: also those whose pointer somebody removed."""
    below = (one.key.removeprefix(layout.channels) for one in bucket.objects(layout.channels))
    past = {name.partition("/")[0] for name in below if "/" in name}
    return sorted({*past, *pointer.channels(bucket, layout), *bucket.settings.channels})


def _channel(
    bucket: Bucket, layout: Layout, channel: str, version: str, sha256: str, pointing: list[str]
) -> Iterator[str]:
    """What is wrong with a channel's pointers; ``pointing`` gets it when it points at the version."""
    kept = {one.key for one in bucket.objects(layout.history(channel))}
    current: Pointer | None = None
    chain: list[Pointer] = []
    try:
        current = pointer.read(bucket, layout, channel).pointer
        if current is not None:
            pointer.named(bucket, layout, channel, current.digest)
            chain = [current, *pointer.history(bucket, layout, current)]
    except PublishError as error:
        yield f"{error.where}: {error.message}"
        if current and not chain:
            yield f"{bucket.where(layout.pointer(channel))}: it may have been changed: the channel's history does not have it"
        return
    for one in chain:
        if one.version == version and one.manifest != sha256:
            where = bucket.where(layout.history(channel, one.digest))
            yield f"{where}: it names another manifest of {version}: {one.manifest}"
    if current and current.version == version:
        pointing.append(channel)
    known = {layout.history(channel, one.digest) for one in chain}
    yield from _newer(bucket, layout, channel, current, sorted(kept - known))
    seen = memory.recall(bucket.settings, layout, channel)
    if current is None and seen is None:
        return
    if current is None or not memory.remember(
        bucket.settings, layout, current, {one.digest for one in chain}
    ):
        now = f"{current.version} (number {current.sequence})" if current else "nothing"
        before = f"{seen.version} (number {seen.sequence})" if seen else "another version"
        yield (
            f"{bucket.where(layout.pointer(channel))}: {channel} points at {now}; it was seen to point at {before}, which is not in "
            f"its past any more: somebody put an earlier state back. If the bucket was begun anew on purpose, remove "
            f"{memory.place(bucket.settings, layout, channel)}"
        )


def _newer(
    bucket: Bucket, layout: Layout, channel: str, current: Pointer | None, others: list[str]
) -> Iterator[str]:
    """What the pointers that are not in the current one's past say: those of publishers that lost are not newer than it."""
    for key in others:
        digest = key.removeprefix(layout.history(channel)).removesuffix(".json")
        try:
            one = pointer.named(bucket, layout, channel, digest)
        except PublishError as error:
            yield f"{error.where}: {error.message}"
            continue
        if current is None or one.sequence > current.sequence:
            now = f"points at {current.version}" if current else "points at nothing"
            yield (
                f"{bucket.where(layout.pointer(channel))}: {channel} {now}, but a later pointer was written, to {one.version} "
                f"({bucket.where(key)}): {_STOPPED}"
            )
