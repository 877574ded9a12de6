"""Whether what lies in the cache's bucket is what its keys say: every byte of it is read.

Nothing there is ever written over, so what is damaged stays there until somebody removes it. A statement whose archive is damaged or gone
counts as damaged: as long as it is there, nobody pushes the step again. Statements of keys that are not trusted cannot be judged, and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from oxcross.cache import remote, signing, statement
from oxcross.cache.settings import Cache
from oxcross.cache.statement import Statement, Untrue
from oxcross.publish.s3 import Bucket, Object

_STATEMENT: Final = re.compile(r"([0-9a-f]{64})/([0-9a-f]{16})\.json")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """One object that is not what it should be."""

    key: str  # in the bucket
    reason: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was read, and what of it is damaged: in the order in which it can be removed, statements before what they lead to."""

    entries: int
    size: int  # bytes
    left: int  # entries that nobody here can judge
    damaged: tuple[Damaged, ...]

    def document(self, *, removed: bool) -> dict[str, Any]:
        """For --json."""
        damaged = [{"key": one.key, "reason": one.reason, "removed": removed} for one in self.damaged]
        return {"checked": self.entries, "left": self.left, "damaged": damaged}


def checked(bucket: Bucket, settings: Cache) -> Checked:
    """Read everything. PublishError."""
    return _Check(bucket, settings).run()


def remove(bucket: Bucket, damaged: Iterable[Damaged]) -> None:
    """Remove these. PublishError; then the same can be asked for again."""
    for one in damaged:
        bucket.delete(one.key)


class _Check:
    """One call of ``checked``."""

    def __init__(self, bucket: Bucket, settings: Cache) -> None:
        self._bucket = bucket
        self._prefix = remote.key_prefix(settings)
        self._trusted = {signing.short(public): public for public in settings.trust}
        self._entries = self._size = self._left = 0
        self._wrong: dict[str, str] = {}

    def run(self) -> Checked:
        # Archives come before statements that lead to them, so those that are listed later have all of theirs.
        said = {one.key: found for one in self._objects(remote.STEPS) if (found := self._statement(one))}
        statements, self._wrong = self._wrong, {}
        sound = {one.key for one in self._objects(remote.BLOBS) if self._content(one)}
        for key, found in said.items():
            archive = f"{self._prefix}{remote.BLOBS}{found.archive}"
            if archive in self._wrong:
                statements[key] = f"its archive is damaged: {found.archive}"
            elif archive not in sound:
                statements[key] = f"its archive is gone: {found.archive}"
        for one in self._objects(remote.SOURCES):
            self._content(one)
        damaged = tuple(Damaged(key=key, reason=why) for key, why in {**statements, **self._wrong}.items())
        return Checked(entries=self._entries, size=self._size, left=self._left, damaged=damaged)

    def _objects(self, folder: str) -> list[Object]:
        return list(self._bucket.objects(self._prefix + folder))

    def _read(self, one: Object) -> None:
        self._entries += 1
        self._size += one.size

    def _statement(self, one: Object) -> Statement | None:
        """What a trusted key says there; None when that is not to be read, or wrong."""
        named = _STATEMENT.fullmatch(one.key.removeprefix(self._prefix + remote.STEPS))
        if named is None or named[2] not in self._trusted:
            self._left += 1
            return None
        self._read(one)
        reason = f"it is larger than a statement: {one.size} bytes"
        for _ in range(2 if one.size <= statement.MOST else 0):  # the way may have damaged it
            there = self._bucket.get(one.key)
            if there is None:  # removed meanwhile
                return None
            try:
                return statement.read(there[0], named[1], self._trusted[named[2]])
            except Untrue as error:
                reason = str(error)
        self._wrong[one.key] = reason
        return None

    def _content(self, one: Object) -> bool:
        """Whether an object has the SHA-256 that it is named by."""
        sha256 = one.key.rpartition("/")[2]
        if not _SHA256.fullmatch(sha256):
            self._left += 1
            return False
        self._read(one)
        sound = self._bucket.holds(one.key, sha256, one.size)
        if not sound and self._bucket.head(one.key) is not None:
            self._wrong[one.key] = "it has another SHA-256 than its name"
        return sound
