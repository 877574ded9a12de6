"""Fills the cache: archives first, then the signed statements that lead to them, each created only if nothing is there.

Whoever is stopped, or pushes at the same time as another, leaves nothing that misleads: an archive is found by its SHA-256, which is
the same for the same tree, and large ones go on in parts (publish/upload.py).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from oxcross import trees
from oxcross.cache import archive, remote, signing, statement
from oxcross.cache.settings import Cache
from oxcross.cache.statement import Statement, Untrue
from oxcross.errors import ConfigError, OxcrossError, PublishError, StoreError
from oxcross.plan import Pinned, Reporter, Step
from oxcross.publish import upload
from oxcross.publish.connection import Conflict
from oxcross.publish.folder import File
from oxcross.publish.retry import AGAIN
from oxcross.publish.s3 import Bucket, Look
from oxcross.report import megabytes
from oxcross.store import Store

_QUIET_SECONDS: Final = 2.0  # of waiting without a word
State = Literal["new", "there", "lacking", "private"]


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What became of one step or source."""

    name: str
    key: str
    state: State  # "lacking": the store has it not; "private": others must not have it
    size: int = 0  # bytes that went up

    def document(self) -> dict[str, object]:
        """For --json."""
        return {"name": self.name, "key": self.key, "state": self.state, "size": self.size}


class Pusher:
    """Pushes what is offered on a thread of its own, one after the other; ``push`` at once."""

    def __init__(self, settings: Cache, store: Store, reporter: Reporter) -> None:
        if not settings.place.bucket:
            raise ConfigError(
                "only a bucket can be pushed to",
                where="tool.oxcross.cache",
                hint='write bucket = "…", or set OXCROSS_CACHE_BUCKET',
            )
        self._signer = signing.signer(settings)
        self._prefix = remote.key_prefix(settings)
        self._store = store
        self._reporter = reporter
        self._bucket = Bucket(settings.place, reporter.notice)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="push")
        self._mutex = threading.Lock()
        self._stopped = False
        self._offered: dict[Step, Future[Pushed]] = {}

    def offer(self, step: Step) -> None:
        """Push what the step made, by and by."""
        with self._mutex:
            if step not in self._offered and not self._stopped:
                self._offered[step] = self._pool.submit(self.step, step)

    def finish(self) -> None:
        """Wait until all that was offered is there, and say so; a build does not fail for what is not."""
        done: list[Pushed] = []
        if waiting := wait(self._offered.values(), timeout=_QUIET_SECONDS).not_done:
            self._reporter.notice(f"pushing to the shared cache: {len(waiting)} steps are left")
        for step, future in self._offered.items():
            try:
                done.append(future.result())
            except OxcrossError as error:
                self._reporter.notice(f"not pushed to the shared cache: {step.name}: {error.message}")
                if error.hint == AGAIN:  # the server is busy or gone: the others would not fare better
                    break
        if new := [one for one in done if one.state == "new"]:
            size = megabytes(sum(one.size for one in new))
            self._reporter.notice(f"pushed to the shared cache: {len(new)} steps, {size}")

    def stop(self) -> None:
        """Let what is on its way end."""
        with self._mutex:
            self._stopped = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._bucket.stop()

    def close(self) -> None:
        """Stop, and give the connection back."""
        self._pool.shutdown(cancel_futures=True)
        self._bucket.__exit__()

    def step(self, step: Step) -> Pushed:
        """Push what a step made. PublishError, StoreError."""
        tree = self._store.get(step.key)
        if tree is None:
            return Pushed(name=step.name, key=step.key, state="lacking")
        facts = self._store.facts(step.key)
        if self._said(step, facts["digest"]):
            return Pushed(name=step.name, key=step.key, state="there")
        tree = self._store.get(step.key, verify=True)  # what is signed is what was built
        if tree is None:
            return Pushed(name=step.name, key=step.key, state="lacking")
        with self._store.guard(), self._store.temporary("push") as folder:
            packed = folder / "archive"
            try:
                archive.pack(tree, packed)
            except Untrue as error:
                raise StoreError(f"it cannot be pushed: {error}", where=step.name) from None
            sha256, size = trees.file_sha256(packed), packed.stat().st_size
            sent = size if self._put(f"{remote.BLOBS}{sha256}", packed, sha256) else 0
        made = Statement(
            key=step.key,
            name=step.name,
            digest=facts["digest"],
            size=facts["size"],
            paths=facts["files"],
            archive=sha256,
            archive_size=size,
        )
        document = made.signed(self._signer)
        look = Look(
            content_type="application/json",
            cache_control=self._bucket.settings.versions_cache,
            sha256=hashlib.sha256(document).hexdigest(),
        )
        try:
            self._bucket.create(self._key(step), document, look)
        except Conflict:  # another builder was faster
            if not self._said(step, facts["digest"]):
                raise PublishError(
                    "nothing is there any more", where=self._bucket.where(self._key(step))
                ) from None
            return Pushed(name=step.name, key=step.key, state="there")
        return Pushed(name=step.name, key=step.key, state="new", size=sent + len(document))

    def sources(self, wanted: Iterable[Pinned]) -> list[Pushed]:
        """Push pinned sources; what the store has not is ``lacking``."""
        done = []
        for source in {one.sha256: one for one in wanted}.values():
            path = self._store.source(source.sha256)
            state: State = "lacking"
            if path is not None:
                new = self._put(f"{remote.SOURCES}{source.sha256}", path, source.sha256)
                state = "new" if new else "there"
            size = path.stat().st_size if path is not None and state == "new" else 0
            done.append(Pushed(name=source.filename, key=source.sha256, state=state, size=size))
        return done

    def _key(self, step: Step) -> str:
        return self._prefix + remote.statement_key(step.key, self._signer.public)

    def _said(self, step: Step, digest: str) -> bool:
        """Whether this key has said so of the step already. PublishError when what is there says otherwise."""
        there = self._bucket.get(self._key(step))
        if there is None:
            return False
        try:
            found = statement.read(there[0], step.key, self._signer.public)
        except Untrue as error:
            reason = f"what is there is no statement of this key: {error}"
        else:
            if found.digest == digest:
                return True
            reason = f"another tree is there: {found.digest[:16]}, here it is {digest[:16]}"
        raise PublishError(
            reason,
            where=self._bucket.where(self._key(step)),
            hint="nothing in the cache is ever overwritten: find out which is right, and remove the wrong one",
        )

    def _put(self, key: str, path: Path, sha256: str) -> bool:
        """Put a file at its key; whether it is new there."""
        whole = self._prefix + key
        file = File(name=path.name, path=path, size=path.stat().st_size, sha256=sha256)
        there = self._bucket.head(whole)
        if there is None:
            return upload.put(self._bucket, whole, file)
        if not upload.same(self._bucket, whole, there, file):
            raise PublishError(
                "it is damaged there",
                where=self._bucket.where(whole),
                hint="`oxcross cache remote --remove-damaged` removes it",
            )
        return False
