"""The pointers of channels: which version ``stable`` is, moved by compare-and-swap, each with the way back to all before it.

A pointer names the version, the SHA-256 of its manifest, its own number and the SHA-256 of the pointer before it. It is
first written under its own digest, then in the place of the one that was read: whoever comes second finds another one there, and is told.
So every pointer that is or was current can be read, and the chain from the current one shows whether any was lost or changed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from oxcross.errors import PublishError
from oxcross.publish import keys
from oxcross.publish.connection import Conflict
from oxcross.publish.keys import Layout
from oxcross.publish.s3 import Bucket, Look

FORMAT: Final = 1
Action = Literal["publish", "promote", "rollback"]


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """What a channel points at, or pointed at."""

    name: str
    channel: str
    version: str
    manifest: str  # SHA-256 (hex) of the version's manifest.json
    sequence: int  # from 1
    previous: str  # SHA-256 (hex) of the pointer before; "" of the first
    action: Action
    restores: str  # SHA-256 (hex) of the pointer that a rollback goes back to; "" otherwise
    time: str  # ISO 8601, UTC; by the clock of who moved it

    def content(self) -> bytes:
        """As it is written."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "channel": self.channel,
            "version": self.version,
            "manifest": f"{self.version}/{keys.MANIFEST}",
            "sha256": self.manifest,
            "sequence": self.sequence,
            "previous": self.previous or None,
            "action": self.action,
            "restores": self.restores or None,
            "time": self.time,
        }
        return (json.dumps(document, indent=2) + "\n").encode()

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of it as it is written."""
        return hashlib.sha256(self.content()).hexdigest()


def parse(content: bytes, where: str) -> Pointer:
    """A pointer as it was written. PublishError when that is none."""
    try:
        document = json.loads(content)
        found = Pointer(
            name=document["name"],
            channel=document["channel"],
            version=document["version"],
            manifest=document["sha256"],
            sequence=document["sequence"],
            previous=document["previous"] or "",
            action=document["action"],
            restores=document["restores"] or "",
            time=document["time"],
        )
        sound = found.content() == content and keys.is_digest(found.manifest)
    except (ValueError, LookupError, TypeError, AttributeError):
        sound = False
    if not sound:
        hint = "if a newer oxcross wrote it, update this one; its history is beside it, by digest"
        raise PublishError("it is no pointer that oxcross wrote", where=where, hint=hint)
    return found


@dataclass(frozen=True)
class Seen:
    """A channel's pointer as it was read. Without ``pointer`` there was none."""

    pointer: Pointer | None
    etag: str


def read(bucket: Bucket, layout: Layout, channel: str) -> Seen:
    """The channel's pointer as it is now."""
    key = layout.pointer(channel)
    found = bucket.get(key)
    if found is None:
        return Seen(None, "")
    content, etag = found
    pointer = parse(content, bucket.where(key))
    if (pointer.name, pointer.channel) != (layout.name, channel):
        raise PublishError(f"it is of {pointer.name}'s {pointer.channel}", where=bucket.where(key))
    return Seen(pointer, etag)


def channels(bucket: Bucket, layout: Layout) -> list[str]:
    """The channels that have pointers."""
    names = (one.key.removeprefix(layout.channels) for one in bucket.objects(layout.channels))
    return sorted(name.removesuffix(".json") for name in names if "/" not in name and name.endswith(".json"))


def move(
    bucket: Bucket,
    layout: Layout,
    channel: str,
    seen: Seen,
    *,
    version: str,
    manifest: str,
    action: Action,
    restores: str = "",
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Pointer:
    """Have the channel point at a version that is complete, if its pointer still is the one ``seen``; where it points then.

    Whoever moved it to the same release meanwhile did what was wanted. PublishError when somebody else moved it elsewhere.
    """
    before = seen.pointer
    wanted = Pointer(
        name=layout.name,
        channel=channel,
        version=version,
        manifest=manifest,
        sequence=before.sequence + 1 if before else 1,
        previous=before.digest if before else "",
        action=action,
        restores=restores,
        time=now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )
    content = wanted.content()
    look = Look(
        content_type="application/json", cache_control=bucket.settings.versions_cache, sha256=wanted.digest
    )
    _keep(bucket, layout.history(channel, wanted.digest), content, look)
    key = layout.pointer(channel)
    look = Look(
        content_type="application/json", cache_control=bucket.settings.pointers_cache, sha256=wanted.digest
    )
    with suppress(Conflict):  # it may be ours: an earlier try, whose answer was lost
        bucket.exchange(key, content, look, seen.etag)
    there = read(bucket, layout, channel).pointer
    if there is None or (there.version, there.manifest) != (version, manifest):
        raise _moved(bucket, key, channel, there, version)
    return there


def _moved(bucket: Bucket, key: str, channel: str, there: Pointer | None, version: str) -> PublishError:
    now_there = f"it points at {there.version} now" if there else "it is gone"
    return PublishError(
        f"another publisher moved {channel} meanwhile: {now_there}",
        where=bucket.where(key),
        hint=f"{version} itself is published; `oxcross promote {version} --channel {channel}` if it is to be {version}",
    )


def _keep(bucket: Bucket, key: str, content: bytes, look: Look) -> None:
    """Write what has its own digest in its key: whoever was there first wrote the same."""
    try:
        bucket.create(key, content, look)
    except Conflict:
        there = bucket.get(key)
        if there is None or there[0] != content:
            raise PublishError("it is not what its name says", where=bucket.where(key)) from None


def history(bucket: Bucket, layout: Layout, pointer: Pointer) -> Iterator[Pointer]:
    """The pointers before, newest first. PublishError when one is missing, or is not what its name says."""
    while pointer.previous:
        before = named(bucket, layout, pointer.channel, pointer.previous)
        if before.sequence != pointer.sequence - 1:
            where = bucket.where(layout.history(pointer.channel, pointer.previous))
            raise PublishError(f"its number is {before.sequence}, not {pointer.sequence - 1}", where=where)
        yield before
        pointer = before
    if pointer.sequence != 1:
        where = bucket.where(layout.pointer(pointer.channel))
        raise PublishError(f"its number is {pointer.sequence}, and it names none before it", where=where)


def named(bucket: Bucket, layout: Layout, channel: str, digest: str) -> Pointer:
    """A pointer that there was. PublishError when it is missing or changed."""
    key = layout.history(channel, digest)
    found = bucket.get(key)
    if found is None:
        raise PublishError("this pointer of the channel's history is missing", where=bucket.where(key))
    if hashlib.sha256(found[0]).hexdigest() != digest:
        raise PublishError("it is not what its name says", where=bucket.where(key))
    return parse(found[0], bucket.where(key))


def origin(bucket: Bucket, layout: Layout, pointer: Pointer) -> Pointer:
    """The pointer itself, or the one that it went back to."""
    while pointer.restores:
        pointer = named(bucket, layout, pointer.channel, pointer.restores)
    return pointer


def earlier(bucket: Bucket, layout: Layout, pointer: Pointer) -> Iterator[Pointer]:
    """What a rollback may go back to, newest first: the pointers before, as if what was rolled back had never been.

    Several rollbacks so go back further each time, rather than to and fro.
    """
    here = origin(bucket, layout, pointer)
    version = here.version
    while here.previous:
        here = origin(bucket, layout, named(bucket, layout, pointer.channel, here.previous))
        if here.version != version:
            yield here
        version = here.version
