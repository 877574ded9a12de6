"""Addresses that stay: below ``latest/CHANNEL/`` lie copies of what the channel points at, without the version in their names.

The pointer says what is right, the copies follow it. They are made by the server, after the pointer was moved; then the pointer is read again,
until what was copied is what it says. Whoever moves it meanwhile copies, too, and each looks at the pointer after the last copy: the
last of them leaves what the pointer says. If that one is killed, the copies are old until the same is run again; ``verify`` tells.

SHA256SUMS and manifest.json are copies, too, for they are signed: the names in them are those of the version. install.sh, being a copy, installs
from the version's own folder, whose files never change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal

from oxcross.errors import PublishError
from oxcross.publish import keys, pointer, published
from oxcross.publish.connection import Missing
from oxcross.publish.keys import Layout
from oxcross.publish.retry import AGAIN
from oxcross.publish.s3 import Bucket, Head, Look

_MOST_ROUNDS: Final = 10  # of publishers that move the same channel to and fro

State = Literal["copy", "there", "remove"]
Stage = Callable[[str, str], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What happened or would happen to one key. ``source``: what it is a copy of; "" when it is removed."""

    key: str
    state: State
    source: str
    sha256: str  # hex; "" when it is removed

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {"key": self.key, "state": self.state, "sha256": self.sha256 or None}


def stable_name(name: str, version: str, file: str) -> str:
    """A file's name without the version: app-1.0-linux-x64.tar.gz is app-linux-x64.tar.gz, app-1.0.provenance.json app.provenance.json."""
    rest = file.removeprefix(f"{name}-{version}")
    return f"{name}{rest}" if rest.startswith(("-", ".provenance.")) and rest != file else file


def plan(bucket: Bucket, layout: Layout, channel: str, version: str, files: Mapping[str, str]) -> list[Copy]:
    """What is to be done so that the copies are these files (SHA-256 in hex, by name) of that version. Nothing is written."""
    wanted = {stable_name(layout.name, version, file): file for file in files}
    there = {one.key for one in bucket.objects(layout.latest(channel))}
    found = []
    for file in sorted(wanted, key=_order):
        key, sha256 = layout.latest(channel) + file, files[wanted[file]]
        head = bucket.head(key) if key in there else None
        state: State = "there" if head and head.noted == sha256 else "copy"
        found.append(Copy(key=key, state=state, source=layout.file(version, wanted[file]), sha256=sha256))
    useless = there - {copy.key for copy in found}
    return found + [Copy(key=key, state="remove", source="", sha256="") for key in sorted(useless)]


def _order(file: str) -> tuple[int, str]:
    """As a release is published: manifest.json is the last."""
    return keys.rank(file, artifact=True), file


def refresh(bucket: Bucket, layout: Layout, channel: str, stage: Stage) -> list[Copy]:
    """Have the copies be what the channel points at; what was done.

    PublishError when a file of it is missing, or others do not let it come to an end.
    """
    for _ in range(_MOST_ROUNDS):
        before = pointer.read(bucket, layout, channel).pointer
        if before is None:
            return []
        done: list[Copy] = []
        lost = ""
        try:
            done = plan(bucket, layout, channel, before.version, contents(bucket, layout, before.version))
            todo = [copy for copy in done if copy.state != "there"]
            if todo:
                with stage(f"latest/{channel} ({len(todo)} files)", "copy"):
                    for copy in todo:
                        lost = copy.source
                        _do(bucket, copy)
        except Missing:
            if _unmoved(bucket, layout, before):
                where = bucket.where(lost or layout.version(before.version))
                hint = f"`oxcross publish` of {before.version} mends it"
                raise PublishError("it is missing", where=where, hint=hint) from None
        if _unmoved(bucket, layout, before):
            return done
    raise PublishError(
        f"others keep moving {channel}", where=bucket.where(layout.pointer(channel)), hint=AGAIN
    )


def _unmoved(bucket: Bucket, layout: Layout, before: pointer.Pointer) -> bool:
    now = pointer.read(bucket, layout, before.channel).pointer
    return now is not None and (now.version, now.manifest) == (before.version, before.manifest)


def _do(bucket: Bucket, copy: Copy) -> None:
    if copy.state == "remove":
        bucket.delete(copy.key)
        return
    look = Look(
        content_type=keys.content_type(copy.key.rpartition("/")[2]),
        cache_control=bucket.settings.pointers_cache,
        sha256=copy.sha256,
    )
    bucket.copy(copy.source, copy.key, look)


def contents(bucket: Bucket, layout: Layout, version: str) -> dict[str, str]:
    """The SHA-256 (hex) of all files of a published release, by name: as its manifest and SHA256SUMS say, else as the server does.

    Missing when it has no manifest or no SHA256SUMS.
    """
    said = published.described(bucket, layout, version)
    known = {
        **said.files,
        **{file: hashlib.sha256(content).hexdigest() for file, content in said.read.items()},
    }
    prefix = layout.version(version)
    for one in bucket.objects(prefix):
        file = one.key.removeprefix(prefix)
        if file not in known and (head := bucket.head(one.key)):  # a signature
            known[file] = _digest(bucket, one.key, head)
    return known


def _digest(bucket: Bucket, key: str, head: Head) -> str:
    if head.sha256:
        return head.sha256
    found = bucket.digest(key)
    return found[0] if found else ""


def problems(bucket: Bucket, layout: Layout) -> Iterator[str]:
    """What is wrong with the copies of all channels, each with its place. Nobody's word is taken for what they are."""
    pointing = pointer.channels(bucket, layout)
    for one in bucket.objects(layout.latest()):
        channel = one.key.removeprefix(layout.latest()).partition("/")[0]
        if channel not in pointing:
            yield f"{bucket.where(one.key)}: it is a copy for a channel that there is not"
    for channel in pointing:
        try:
            current = pointer.read(bucket, layout, channel).pointer
            if current is not None:
                yield from _stale(bucket, layout, channel, current.version)
        except PublishError as error:
            yield f"{error.where}: {error.message}"
        except Missing as error:
            yield f"{bucket.where(str(error))}: it is missing"


def _stale(bucket: Bucket, layout: Layout, channel: str, version: str) -> Iterator[str]:
    mend = f"`oxcross promote {version} --channel {channel}` mends it"
    for copy in plan(bucket, layout, channel, version, contents(bucket, layout, version)):
        where = bucket.where(copy.key)
        head = bucket.head(copy.key)
        if copy.state == "remove":
            yield f"{where}: {channel} has no such file; {mend}"
        elif head is None:
            yield f"{where}: it is missing; {mend}"
        elif _digest(bucket, copy.key, head) != copy.sha256:
            yield f"{where}: it is no copy of {version}'s; {mend}"
