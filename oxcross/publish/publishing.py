"""Publishing a release: its files, then its manifest, then a look at all of it, then the channel's pointer.

Everything is created only if nothing is there, in an order that is the same for everybody, one file after the other. So a stopped
publisher's work is what the next one finds and goes on with; of two that publish different files as one version, the first to
create a file that differs goes on to its end and the other stops there; and whoever reads a pointer finds a whole release behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal

from oxcross.errors import PublishError
from oxcross.publish import keys, marks, memory, pointer, published, upload
from oxcross.publish.connection import Conflict
from oxcross.publish.folder import File, Folder
from oxcross.publish.keys import Layout
from oxcross.publish.pointer import Action, Pointer, Seen
from oxcross.publish.s3 import Bucket, Look
from oxcross.publish.signing import Anchor
from oxcross.report import megabytes

State = Literal["new", "there", "other"]
_READ_BACK: Final = 1 << 20  # bytes; smaller objects are downloaded and compared
_NO_ETAG: Final = '"00000000000000000000000000000000"'

Stage = Callable[[str, str], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Line:
    """What happens, happened or would happen to one key."""

    key: str
    state: State
    size: int
    sha256: str

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {"key": self.key, "state": self.state, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True, kw_only=True)
class Move:
    """A channel's pointer: before, and after. ``after`` is ``before`` when there was nothing to do."""

    channel: str
    before: str  # versions; "" is none
    after: str
    new: bool

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "channel": self.channel,
            "before": self.before or None,
            "version": self.after,
            "new": self.new,
        }


def plan(bucket: Bucket, layout: Layout, folder: Folder) -> list[Line]:
    """Every key of a release and what is there now. Nothing is written."""
    return [_line(bucket, layout, folder, file) for file in folder.files]


def _line(bucket: Bucket, layout: Layout, folder: Folder, file: File) -> Line:
    key = layout.file(folder.version, file.name)
    head = bucket.head(key)
    state: State = "new"
    if head is not None:
        state = "there" if upload.same(bucket, key, head, file) else "other"
    return Line(key=key, state=state, size=file.size, sha256=file.sha256)


def intended(bucket: Bucket, layout: Layout, folder: Folder, channel: str) -> tuple[Seen, Move]:
    """The channel's pointer, and what publishing would do to it. PublishError when it must not."""
    marks.forbid(bucket, layout, folder.version)
    seen = pointer.read(bucket, layout, channel)
    before = seen.pointer
    same = before and (before.version, before.manifest) == (folder.version, folder.manifest.sha256)
    if before and not same and published.order(before.version) > published.order(folder.version):
        raise PublishError(
            f"{channel} points at {before.version} already, which is newer than {folder.version}",
            where=bucket.where(layout.pointer(channel)),
            hint=f"publish without --channel; `oxcross promote {folder.version} --channel {channel}` goes back on purpose",
        )
    move = Move(channel=channel, before=before.version if before else "", after=folder.version, new=not same)
    return seen, move


def publish(
    bucket: Bucket, layout: Layout, folder: Folder, channel: str, stage: Stage
) -> tuple[list[Line], Move | None]:
    """Publish a release, and have the channel ("" is none) point at it. A finished one is nothing to do.

    PublishError: something else is published as this version, the pointer was moved meanwhile, the server refuses or does not answer.
    """
    marks_first = layout.version(folder.version)  # what cannot be a version is told before anything is sent
    if channel:
        seen, move = intended(bucket, layout, folder, channel)
    elif marks.get(bucket, layout, "pruned", folder.version):
        marks.forbid(bucket, layout, folder.version)
    before = plan(bucket, layout, folder)
    refuse(bucket, before)
    lines = []
    if any(line.state == "new" for line in before) or (channel and move.new):
        check_conditions(bucket, layout)
    for file, line in zip(folder.files, before, strict=True):
        if line.state == "there":
            lines.append(line)
            continue
        with stage(f"{file.name} ({megabytes(file.size)})", "upload"):
            new = upload.put(bucket, line.key, file)
        lines.append(Line(key=line.key, state="new" if new else "there", size=line.size, sha256=line.sha256))
    with stage(folder.version, "check"):
        read_back(bucket, layout, folder)
        upload.tidy(bucket, marks_first, {line.key for line in lines})
    if not channel:
        return lines, None
    if move.new:
        _point(
            bucket,
            layout,
            channel,
            seen,
            version=folder.version,
            manifest=folder.manifest.sha256,
            action="publish",
        )
    return lines, move


def refuse(bucket: Bucket, lines: Sequence[Line]) -> None:
    """PublishError when something else is at a release's key."""
    others = [line.key for line in lines if line.state == "other"]
    if others:
        raise PublishError(
            "something else is published there already: "
            + ", ".join(key.rpartition("/")[2] for key in others),
            where=bucket.where(others[0].rpartition("/")[0] + "/"),
            hint="what is published never changes: raise the version",
        )


def check_conditions(bucket: Bucket, layout: Layout) -> None:
    """That the server keeps what exists from being overwritten, tried on an object whose content is always the same.

    PublishError when it does not, or when something else is there.
    """
    digest = hashlib.sha256(keys.MARKER).hexdigest()
    look = Look(content_type="application/json", cache_control=bucket.settings.versions_cache, sha256=digest)
    created = _refused(lambda: bucket.create(layout.layout, keys.MARKER, look))
    held = created or _refused(lambda: bucket.create(layout.layout, keys.MARKER, look))
    held = held and _refused(lambda: bucket.exchange(layout.layout, keys.MARKER, look, _NO_ETAG))
    if not held:
        raise PublishError(
            "the server overwrites what exists although it is asked not to (If-None-Match, If-Match)",
            where=bucket.settings.endpoint or bucket.where(""),
            hint='conditional = "check" in [tool.oxcross.publish] looks before it writes; two publishers at the same '
            "moment may then overwrite each other",
        )
    found = bucket.get(layout.layout)
    if found is None or found[0] != keys.MARKER:
        raise PublishError(
            "something else lies where oxcross would publish to",
            where=bucket.where(layout.layout),
            hint="choose another prefix; or a newer oxcross published there: update this one",
        )


def _refused(request: Callable[[], None]) -> bool:
    try:
        request()
    except Conflict:
        return True
    return False


def read_back(bucket: Bucket, layout: Layout, folder: Folder) -> None:
    """That all of a release is there as it is on this machine: by the server's digests; what is small is downloaded."""
    for file in folder.files:
        key = layout.file(folder.version, file.name)
        head = bucket.head(key)
        if head is None:
            raise PublishError(
                "it was published, and is gone",
                where=bucket.where(key),
                hint="who else removes objects there?",
            )
        right = upload.same(bucket, key, head, file)
        if right and file.size <= _READ_BACK and not keys.varies(file.name):
            found = bucket.get(key)
            right = found is not None and hashlib.sha256(found[0]).hexdigest() == file.sha256
        if not right:
            raise upload.other(bucket, key)


def _point(
    bucket: Bucket,
    layout: Layout,
    channel: str,
    seen: Seen,
    *,
    version: str,
    manifest: str,
    action: Action,
    restores: str = "",
) -> Pointer:
    """Move a pointer to a release that was just seen to be whole; no marked one, neither before nor after."""
    marks.forbid(bucket, layout, version)
    moved = pointer.move(
        bucket,
        layout,
        channel,
        seen,
        version=version,
        manifest=manifest,
        action=action,
        restores=restores,
    )
    try:
        marks.forbid(bucket, layout, version)
    except PublishError as error:
        raise PublishError(
            f"{error.message}, just when {channel} was moved to it",
            where=error.where,
            hint=f"`oxcross rollback --channel {channel}` goes back",
        ) from None
    memory.remember(bucket.settings, layout, moved, {moved.previous})
    return moved


def promote(bucket: Bucket, layout: Layout, version: str, channel: str, anchor: Anchor | None = None) -> Move:
    """Have a channel point at a version that is published, whether newer or older. PublishError as ``publish``.

    With ``anchor``, the project's keys, the version has to be signed with it.
    """
    marks.forbid(bucket, layout, version)
    seen = pointer.read(bucket, layout, channel)
    whole = published.check_whole(bucket, layout, version, anchor)
    before = seen.pointer
    if before and (before.version, before.manifest) == (version, whole.sha256):
        return Move(channel=channel, before=version, after=version, new=False)
    check_conditions(bucket, layout)
    _point(bucket, layout, channel, seen, version=version, manifest=whole.sha256, action="promote")
    return Move(channel=channel, before=before.version if before else "", after=version, new=True)


def rollback(
    bucket: Bucket, layout: Layout, channel: str, bad: str = "", anchor: Anchor | None = None
) -> Move:
    """Have a channel point at what it pointed at before, past all that is marked. ``anchor``: as for ``promote``.

    With ``bad`` only if it points at that version: run again after it was stopped, it does not go back twice.
    PublishError when there is nothing to go back to, or it points elsewhere.
    """
    seen = pointer.read(bucket, layout, channel)
    current = seen.pointer
    where = bucket.where(layout.pointer(channel))
    if current is None:
        raise PublishError(f"{channel} points at nothing", where=where)
    if bad and current.version != bad:
        if current.action == "rollback":
            undone = pointer.named(bucket, layout, channel, current.previous)
            if undone.version == bad:
                return Move(channel=channel, before=bad, after=current.version, new=False)
        raise PublishError(f"{channel} points at {current.version}, not at {bad}", where=where)
    for one in pointer.earlier(bucket, layout, current):
        if one.version == current.version or _marked(bucket, layout, one.version):
            continue
        whole = published.check_whole(bucket, layout, one.version, anchor)
        if whole.sha256 != one.manifest:
            raise PublishError(
                f"{one.version} has another manifest than when {channel} pointed at it",
                where=bucket.where(layout.version(one.version)),
            )
        check_conditions(bucket, layout)
        _point(
            bucket,
            layout,
            channel,
            seen,
            version=one.version,
            manifest=one.manifest,
            action="rollback",
            restores=one.digest,
        )
        return Move(channel=channel, before=current.version, after=one.version, new=True)
    raise PublishError(
        f"{channel} pointed at nothing before {current.version} that it could go back to", where=where
    )


def _marked(bucket: Bucket, layout: Layout, version: str) -> bool:
    return any(marks.get(bucket, layout, kind, version) for kind in ("yanked", "pruned"))


def yank(bucket: Bucket, layout: Layout, version: str, reason: str) -> tuple[bool, list[str]]:
    """Mark a version as one that nothing may point at; whether the mark is new, and the channels that still do point there."""
    known = {
        found for one in bucket.objects(layout.version(version)) if (found := layout.version_of(one.key))
    }
    if version not in known:
        published.manifest(bucket, layout, version)  # says what there is
    check_conditions(bucket, layout)
    new = marks.put(bucket, layout, "yanked", version, reason)
    pointing = []
    for channel in pointer.channels(bucket, layout):
        current = pointer.read(bucket, layout, channel).pointer
        if current and current.version == version:
            pointing.append(channel)
    return new, pointing
