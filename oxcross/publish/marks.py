"""Marks beside releases, which themselves never change: yanked (found bad), pruned (removed, or about to be).

A mark is written once. No pointer is moved to a marked version: the mark is looked for before a pointer is moved and again afterwards, and
whoever marks looks at the pointers afterwards, so one of two that do it at once sees the other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from oxcross.errors import PublishError
from oxcross.publish.connection import Conflict
from oxcross.publish.keys import Layout
from oxcross.publish.s3 import Bucket, Look

Kind = Literal["yanked", "pruned"]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A mark that there is. ``complete``: whether the version was a whole release when it was marked."""

    kind: Kind
    version: str
    reason: str
    time: dt.datetime
    complete: bool


def _key(layout: Layout, kind: Kind, version: str = "") -> str:
    return layout.yanked(version) if kind == "yanked" else layout.pruned(version)


def put(
    bucket: Bucket,
    layout: Layout,
    kind: Kind,
    version: str,
    reason: str,
    *,
    complete: bool = True,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> bool:
    """Mark a version; False when it is marked so already (the mark that is there stays)."""
    document = {
        "format": 1,
        "version": version,
        "reason": reason,
        "complete": complete,
        "time": now().isoformat(timespec="seconds"),
    }
    content = (json.dumps(document, indent=2) + "\n").encode()
    look = Look(
        content_type="application/json",
        cache_control=bucket.settings.pointers_cache,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    key = _key(layout, kind, version)
    try:
        bucket.create(key, content, look)
    except Conflict:
        there = bucket.get(key)  # an earlier try of ours, whose answer was lost?
        return there is not None and there[0] == content
    return True


def get(bucket: Bucket, layout: Layout, kind: Kind, version: str) -> Mark | None:
    """The mark of a version, if there is one. PublishError when it cannot be read."""
    key = _key(layout, kind, version)
    found = bucket.get(key)
    if found is None:
        return None
    try:
        document: dict[str, Any] = json.loads(found[0])
        return Mark(
            kind=kind,
            version=version,
            reason=str(document["reason"]),
            time=dt.datetime.fromisoformat(document["time"]),
            complete=bool(document["complete"]),
        )
    except (ValueError, LookupError, TypeError):
        raise PublishError("it is no mark that oxcross wrote", where=bucket.where(key)) from None


def all_of(bucket: Bucket, layout: Layout, kind: Kind) -> dict[str, Mark]:
    """All marks of a kind, by version."""
    prefix = _key(layout, kind)
    versions = [one.key.removeprefix(prefix).removesuffix(".json") for one in bucket.objects(prefix)]
    found = {version: get(bucket, layout, kind, version) for version in versions}
    return {version: mark for version, mark in found.items() if mark}


def remove(bucket: Bucket, layout: Layout, kind: Kind, version: str) -> None:
    """Take a mark away."""
    bucket.delete(_key(layout, kind, version))


def forbid(bucket: Bucket, layout: Layout, version: str) -> None:
    """PublishError when a version is marked: nothing may point at it."""
    if (mark := get(bucket, layout, "pruned", version)) is not None:
        raise PublishError(
            f"{version} was pruned on {mark.time:%Y-%m-%d}",
            where=bucket.where(layout.pruned(version)),
            hint="a version is never used again: raise it",
        )
    if (mark := get(bucket, layout, "yanked", version)) is not None:
        reason = f": {mark.reason}" if mark.reason else ""
        raise PublishError(
            f"{version} was yanked on {mark.time:%Y-%m-%d}{reason}",
            where=bucket.where(layout.yanked(version)),
            hint="no channel can point at it: publish another version",
        )
