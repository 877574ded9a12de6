"""The cache as a build sees it: what it has of some steps comes into the store, and what was built goes out of it.

A build never fails for it. What is wrong with an entry is told in a line, and the entry is not used. When the server cannot be
reached that is told once, and it is not asked again.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import trees
from oxcross.cache.settings import Cache, required
from oxcross.errors import PublishError
from oxcross.plan import Folder, Pinned, Reporter, Step
from oxcross.shelf import Differs
from oxcross.store import Store

if TYPE_CHECKING:
    from oxcross.cache.pusher import Pusher
    from oxcross.cache.remote import Reader
    from oxcross.cache.statement import Statement

_THREADS = 4
_PUSH_PATIENCE = 20.0  # seconds that a build tries a request again


def shareable(step: Step) -> bool:
    """Whether others may have what the step made: not when a folder of this machine's went into it, such as Apple's SDK."""
    own = any(isinstance(value, Folder) for value in step.inputs.values())
    return not own and all(shareable(need) for need in step.needs)


@contextmanager
def opened(
    settings: Cache, store: Store, reporter: Reporter, *, push: bool = False
) -> Iterator[SharedCache | None]:
    """The cache, if there is one. What was offered to it is there when this ends well. ConfigError where its settings do not do."""
    found = required(settings, "--push") if push else settings.overridden()
    if not found.configured:
        yield None
        return
    pusher = None
    if push:
        from oxcross.cache import remote
        from oxcross.cache.pusher import Pusher

        place = dataclasses.replace(found.place, patience=_PUSH_PATIENCE)
        with remote.told():
            pusher = Pusher(dataclasses.replace(found, place=place), store, reporter)
    shared = SharedCache(found, store, reporter, pusher)
    try:
        yield shared
        if pusher:
            pusher.finish()
    finally:
        shared.close()


class SharedCache:
    """A cache for one build. Usable by several threads at once."""

    def __init__(
        self, settings: Cache, store: Store, reporter: Reporter, pusher: Pusher | None = None
    ) -> None:
        self._settings = settings
        self._store = store
        self._reporter = reporter
        self._pusher = pusher
        self._reader: Reader | None = None
        self._off = False
        self._mutex = threading.Lock()
        self._stop = threading.Event()

    def fetch(self, steps: Iterable[Step]) -> dict[Step, Path]:
        """The trees of those of the steps that the cache has, in the store now."""
        wanted = [step for step in steps if shareable(step)]
        if not wanted or self._connected() is None:
            return {}
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="cache")
        try:
            found = list(pool.map(self._step, wanted))
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        return {step: tree for step, tree in zip(wanted, found, strict=True) if tree}

    def source(self, source: Pinned, file: Path, progress: Callable[[int], None]) -> bool:
        """Write what the cache has for a source to the new file; whether it has anything. Its bytes are for the caller to check."""
        from oxcross.cache.remote import SOURCES, TooLarge, Unreachable

        if (reader := self._connected()) is None:
            return False
        try:
            return reader.download(
                f"{SOURCES}{source.sha256}", file, source.size, progress, self._stop.is_set
            )
        except TooLarge:
            return False
        except Unreachable as error:
            self._give_up(str(error))
            return False

    def offer(self, step: Step) -> None:
        """Have what the step made, and the store has, pushed by and by; nothing where nobody asked for that."""
        if self._pusher and shareable(step):
            self._pusher.offer(step)

    def stop(self) -> None:
        """Let every transfer end now. From any thread."""
        self._stop.set()
        if self._reader:
            self._reader.stop()
        if self._pusher:
            self._pusher.stop()

    def close(self) -> None:
        """Stop, and give the connections back."""
        self.stop()
        if self._reader:
            self._reader.close()
        if self._pusher:
            self._pusher.close()

    def _connected(self) -> Reader | None:
        from oxcross.cache import remote

        with self._mutex:
            if self._reader is None and not self._off:
                try:
                    self._reader = remote.reader(self._settings)
                except PublishError as error:
                    self._off = True
                    self._reporter.notice(f"the shared cache is left out: {error.message}")
            return None if self._off else self._reader

    def _give_up(self, reason: str) -> None:
        with self._mutex:
            first, self._off = not self._off, True
        if first and not self._stop.is_set():
            self._reporter.notice(f"the shared cache is left out: {reason}")

    def _step(self, step: Step) -> Path | None:
        from oxcross.cache.remote import TooLarge, Unreachable
        from oxcross.cache.statement import Untrue

        for public in self._settings.trust:
            if self._off or self._stop.is_set():
                return None
            try:
                statement = self._statement(step, public)
                if statement and (tree := self._tree(step, statement)):
                    return tree
            except (Untrue, TooLarge) as error:
                self._reporter.notice(f"not taken from the shared cache: {step.name}: {error}")
            except Unreachable as error:
                self._give_up(str(error))
        return None

    def _statement(self, step: Step, public: str) -> Statement | None:
        from oxcross.cache import remote, statement

        reader = self._connected()
        document = reader.read(remote.statement_key(step.key, public), statement.MOST) if reader else None
        return statement.read(document, step.key, public) if document is not None else None

    def _tree(self, step: Step, statement: Statement) -> Path | None:
        """Download, check, unpack, check again, and only then keep it."""
        from oxcross.cache import archive
        from oxcross.cache.remote import BLOBS
        from oxcross.cache.statement import Untrue
        from oxcross.fetch.download import Stopped

        reader = self._connected()
        if reader is None:
            return None
        self._reporter.fetch_started(step.name, statement.archive_size)
        ok = False
        try:
            with self._store.guard(statement.size), self._store.temporary("cache") as folder:
                packed = folder / "archive"
                there = reader.download(
                    f"{BLOBS}{statement.archive}",
                    packed,
                    statement.archive_size,
                    lambda done: self._reporter.fetch_progress(step.name, done, statement.archive_size),
                    self._stop.is_set,
                )
                if not there:
                    raise Untrue("its archive is gone")
                if trees.file_sha256(packed) != statement.archive:
                    raise Untrue("its archive has another SHA-256 than is signed")
                (folder / "tree").mkdir()
                archive.unpack(packed, folder / "tree", size=statement.size, paths=statement.paths)
                try:
                    tree = self._store.put(step.key, folder / "tree", step.name, statement.digest)
                except Differs:
                    raise Untrue("its archive holds another tree than is signed") from None
                ok = True
                return tree
        except Stopped:
            return None
        finally:
            self._reporter.fetch_finished(step.name, ok=ok)
