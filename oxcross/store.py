"""The store: what every Step made, under the Step's key, and every fetched source by its SHA-256.

::

    entries/KEY/       what a step made             (see oxcross/shelf.py)
    sources/SHA256/    the same, its tree holds the one file
    values/KEY         small results: a line with the payload's SHA-256, then the payload
    partial/SHA256     a download that is not complete yet
    logs/KEY/…         a step's log
    locks/  tmp/
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from oxcross import housekeeping, locks, trees
from oxcross.errors import SourceError, StoreError
from oxcross.housekeeping import Item
from oxcross.shelf import Shelves, checked

_TOUCH_SECONDS = 3600.0  # a value's last use is noted no more often than this


_CHOSEN: ContextVar[Path | None] = ContextVar("chosen", default=None)


@contextmanager
def chosen(folder: Path) -> Iterator[None]:
    """While the block works, the default store is in this folder."""
    token = _CHOSEN.set(folder)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def default_root() -> Path:
    """The one that was ``chosen``, else ``$OXCROSS_STORE``, else ``oxcross/store`` in the user's cache folder."""
    if (folder := _CHOSEN.get()) is not None:
        return folder
    if text := os.environ.get("OXCROSS_STORE"):
        return named(text)
    from platformdirs import user_cache_path

    return user_cache_path("oxcross") / "store"


def named(folder: str) -> Path:
    """The folder that a user named, as an absolute path; "" is the default one. StoreError for nobody's home."""
    if not folder:
        return default_root()
    try:
        return Path(folder).expanduser().absolute()
    except (RuntimeError, OSError) as error:  # ~NAME of nobody, or this folder is gone
        raise StoreError(
            f"the store's folder cannot be told: {error}", where=folder, hint="name it by its whole path"
        ) from error


class Store(Shelves):
    """One store folder; made when it is not there. Safe for many threads and processes.

    ``notice`` is told (one line) when something damaged is dropped. Use as a context manager, or
    call ``close``: until then every entry that was returned is protected from pruning.
    Every method raises StoreError when the disk is full or the folder cannot be written; then
    nothing half-written stays.
    """

    def __init__(self, root: Path | None = None, *, notice: Callable[[str], None] | None = None) -> None:
        super().__init__(root if root is not None else default_root(), notice or (lambda _: None))

    # -- steps

    def has(self, key: str) -> bool:
        """Whether there is an entry, unverified: for plans."""
        return (self._step(key) / "meta.json").exists()

    def get(self, key: str, *, verify: bool = False) -> Path | None:
        """The tree of a step's entry, verified; None when there is none (any more).

        With ``verify`` every byte is hashed, else only where a file's stamp changed.
        """
        return self.fetch_entry(self._step(key), verify=verify)

    def put(self, key: str, tree: Path, name: str, digest: str = "") -> Path:
        """Move ``tree``, a folder below ``temporary()``, into the store; the entry's tree.

        Modes and times are normalised. When another process was first, its entry stays and is
        returned. With ``digest`` a tree that has another one raises ``shelf.Differs``.
        """
        return self.put_entry(self._step(key), tree, name, digest)

    def digest(self, key: str) -> str:
        """SHA-256 of the entry's whole tree (paths, kinds, contents); KeyError without one."""
        return str(self.facts(key)["digest"])

    def facts(self, key: str) -> dict[str, Any]:
        """What is noted of an entry: ``digest``, ``size`` (bytes of content), ``files`` (paths), ``name``; KeyError without one."""
        try:
            found: dict[str, Any] = json.loads((self._step(key) / "meta.json").read_text())
        except FileNotFoundError:
            raise KeyError(key) from None
        return found

    def lock(
        self, key: str, cancelled: Callable[[], bool] = lambda: False, *, name: str = ""
    ) -> AbstractContextManager[bool]:
        """Hold the lock of ``key`` against every other process and thread, waiting for it.

        Yields False, without the lock, when ``cancelled()`` became true before. ``name`` is what the wait is said to
        be for, when it takes a while.
        """

        def waiting(holder: str) -> None:
            self.notice(f"waiting for {name or key}: {holder} is at it")

        return locks.locked(self.root / "locks" / checked(key), cancelled, waiting=waiting)

    def log_path(self, key: str, name: str) -> Path:
        """Where the log of the step ``name`` belongs; its folder is made."""
        folder = self.root / "logs" / checked(key)
        with self.guard():
            folder.mkdir(exist_ok=True)
        return folder / (name.replace("/", "-") + ".log")

    # -- sources

    def has_source(self, sha256: str) -> bool:
        """Whether a source is there, unverified: for plans."""
        return (self._source(sha256) / "meta.json").exists()

    def source(self, sha256: str, *, verify: bool = False) -> Path | None:
        """The file of that SHA-256, verified; None when it is not there."""
        tree = self.fetch_entry(self._source(sha256), verify=verify)
        return next(tree.iterdir(), None) if tree else None

    def add_source(self, sha256: str, filename: str, file: Path) -> Path:
        """Move ``file``, on the store's file system, into the store.

        When its bytes are not those of ``sha256`` it is deleted and SourceError is raised.
        """
        with self.guard(), self.temporary("source") as folder:
            if (found := trees.file_sha256(file)) != sha256:
                file.unlink()
                raise SourceError(f"wrong bytes: SHA-256 is {found}, pinned is {sha256}", where=filename)
            tree = folder / "tree"
            tree.mkdir()
            file.rename(tree / filename)
            return self.put_entry(self._source(sha256), tree, filename) / filename

    def partial(self, sha256: str) -> Path:
        """Where the incomplete download of a source is kept between runs."""
        return self.root / "partial" / checked(sha256)

    # -- values

    def value(self, key: str) -> bytes | None:
        """The small value under ``key``, verified; None when there is none."""
        path = self._value(key)
        try:
            data = path.read_bytes()
            if time.time() - path.stat().st_mtime > _TOUCH_SECONDS:
                os.utime(path)
        except FileNotFoundError:
            return None
        checksum, _, payload = data.partition(b"\n")
        if hashlib.sha256(payload).hexdigest().encode() == checksum:
            return payload
        self.notice(f"store: dropped a damaged value: {path}")
        path.unlink(missing_ok=True)
        return None

    def put_value(self, key: str, payload: bytes) -> None:
        """Keep a small value.

        It is not forced to the disk: there are thousands of them, and one that a power cut damaged
        is dropped when it is read.
        """
        path = self._value(key)
        with self.guard(len(payload)):
            fd, name = tempfile.mkstemp(prefix=".value-", dir=path.parent)
            try:
                with os.fdopen(fd, "wb") as stream:
                    stream.write(hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
                Path(name).rename(path)
            except BaseException:
                Path(name).unlink()
                raise

    # -- housekeeping

    def entries(self) -> list[Item]:
        """All that the store keeps, least recently used first."""
        with self.guard():
            return housekeeping.items(self)

    def size(self) -> int:
        """Bytes of all that the store keeps."""
        return sum(item.size for item in self.entries())

    def prune(self, *, max_age_days: float | None = None, max_bytes: int | None = None) -> list[Item]:
        """Remove what was not used for ``max_age_days``, then the least recently used until at
        most ``max_bytes`` are left; what was removed. What is in use stays."""
        with self.guard():
            return housekeeping.prune(self, max_age_days=max_age_days, max_bytes=max_bytes)

    def verify(self) -> list[Item]:
        """Read and hash everything; what was damaged, and is dropped now."""
        with self.guard():
            return housekeeping.verify(self)

    def copy_to(self, other: Store, keep: Callable[[Item], bool] = lambda _: True) -> list[Item]:
        """Copy the steps and sources that ``keep`` accepts into another store; what was copied."""
        with other.guard():
            return housekeeping.copy(self, other, keep)

    # -- places

    def _step(self, key: str) -> Path:
        return self.root / "entries" / checked(key)

    def _source(self, sha256: str) -> Path:
        return self.root / "sources" / checked(sha256)

    def _value(self, key: str) -> Path:
        return self.root / "values" / checked(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
