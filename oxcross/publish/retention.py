"""Removing old releases, in two steps, so that no pointer is ever left without what it points at.

A version is first marked as pruned, which keeps every pointer from moving there, then, by a later run, when the mark is older than
any promotion lasts and still no pointer is there, removed: its manifest first, so that a half-removed one is not taken for a release. The
mark stays for ever: a version is never used for something else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from oxcross.errors import PublishError
from oxcross.publish import keys, marks, pointer, published, publishing
from oxcross.publish.keys import Layout
from oxcross.publish.published import Row
from oxcross.publish.s3 import Bucket

What = Literal["keep", "mark", "remove", "wait", "abandoned", "unmark"]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What is kept. None: that rule does not let anything go by itself; both have to, where both are given."""

    keep: int | None  # so many of the newest complete versions
    age: dt.timedelta | None  # and all that are younger
    unfinished: dt.timedelta  # a version that is still not complete after so long is given up
    grace: dt.timedelta  # between mark and removal


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of a version, and why. ``abandoned``: never complete; it is marked, and later removed with its mark."""

    version: str
    what: What
    why: str
    size: int

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {"version": self.version, "action": self.what, "why": self.why, "size": self.size}


def decide(bucket: Bucket, layout: Layout, policy: Policy, now: dt.datetime | None = None) -> list[Decision]:
    """What a run would do. Nothing is written."""
    now = now or dt.datetime.now(dt.UTC)
    held = protected(bucket, layout)
    rows = published.releases(bucket, layout)
    pruned = marks.all_of(bucket, layout, "pruned")
    newest = [row.version for row in rows if row.complete and not row.pruned][: policy.keep or 0]
    return [_decide(row, policy, now, held, pruned.get(row.version), newest) for row in rows]


def _decide(
    row: Row,
    policy: Policy,
    now: dt.datetime,
    held: dict[str, str],
    mark: marks.Mark | None,
    newest: list[str],
) -> Decision:
    def say(what: What, why: str) -> Decision:
        return Decision(version=row.version, what=what, why=why, size=row.size)

    age = now - row.time
    if row.version in held:  # a mark that is there all the same is of a run that was stopped
        return say("unmark" if mark else "keep", held[row.version])
    if mark is not None:
        left = mark.time + policy.grace - now
        if left > dt.timedelta():
            return say("wait", f"marked; removed from {mark.time + policy.grace:%Y-%m-%d %H:%M} UTC on")
        return say("remove", "marked on " + f"{mark.time:%Y-%m-%d %H:%M} UTC")
    if not row.complete:
        if age < policy.unfinished:
            return say("keep", "unfinished, and not for long")
        return say("abandoned", f"unfinished for {age.days} days")
    if row.version in newest:
        return say("keep", f"one of the newest {policy.keep}")
    if policy.age is not None and age < policy.age:
        return say("keep", f"{age.days} days old")
    return say("mark", f"{age.days} days old")


def protected(bucket: Bucket, layout: Layout) -> dict[str, str]:
    """The versions that channels point at, pointed at last, or would roll back to, each with the reason."""
    found: dict[str, str] = {}
    for channel in pointer.channels(bucket, layout):
        current = pointer.read(bucket, layout, channel).pointer
        if current is None:
            continue
        found.setdefault(current.version, f"{channel} points at it")
        if current.previous:
            last = pointer.named(bucket, layout, channel, current.previous)
            found.setdefault(last.version, f"{channel} pointed at it last")
        for one in pointer.earlier(bucket, layout, current):
            if marks.get(bucket, layout, "yanked", one.version) is None:
                found.setdefault(one.version, f"{channel} would roll back to it")
                break
    return found


def prune(bucket: Bucket, layout: Layout, policy: Policy) -> list[Decision]:
    """Mark what may go, remove what was marked long enough ago, give old unfinished uploads up."""
    decisions = decide(bucket, layout, policy)
    if any(one.what != "keep" for one in decisions):
        publishing.check_conditions(bucket, layout)
    done = []
    for one in decisions:
        if one.what in ("mark", "abandoned"):
            marks.put(bucket, layout, "pruned", one.version, one.why, complete=one.what == "mark")
            if one.version in protected(bucket, layout):  # moved there between the look and the mark
                marks.remove(bucket, layout, "pruned", one.version)
                done.append(_kept(one))
                continue
        elif one.what == "unmark":
            marks.remove(bucket, layout, "pruned", one.version)
        elif one.what == "remove":
            if one.version in protected(bucket, layout):
                done.append(_kept(one))
                continue
            _remove(bucket, layout, one.version)
        done.append(one)
    _abandon_uploads(bucket, layout, policy)
    return done


def _kept(one: Decision) -> Decision:
    return Decision(version=one.version, what="keep", why="a channel was moved to it", size=one.size)


def _remove(bucket: Bucket, layout: Layout, version: str) -> None:
    mark = marks.get(bucket, layout, "pruned", version)
    if mark is None:
        raise PublishError(
            "its mark is gone", where=bucket.where(layout.pruned(version)), hint="run it again"
        )
    manifest = layout.file(version, keys.MANIFEST)
    bucket.delete(manifest)
    for one in bucket.objects(layout.version(version)):
        bucket.delete(one.key)
    for upload in bucket.uploads(layout.version(version)):
        bucket.abort(upload.key, upload.identifier)
    if not mark.complete:  # nobody ever had it
        marks.remove(bucket, layout, "pruned", version)


def _abandon_uploads(bucket: Bucket, layout: Layout, policy: Policy) -> None:
    now = dt.datetime.now(dt.UTC)
    for one in bucket.uploads(layout.root):
        if now - one.begun > policy.unfinished:
            bucket.abort(one.key, one.identifier)
