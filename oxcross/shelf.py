"""Entries on disk: made beside and renamed into place, verified before they are returned.

An entry is ``SHELF/KEY/{tree/, meta.json, files.json, stamp, used}``. It is made in tmp/ and renamed
to its place when it is complete and on the disk, so that a process may be killed at any moment: there
is either all of an entry or nothing. What is read is verified first: by a stamp (one stat a file),
and by content when the stamp differs. ``used`` is locked (shared) by everyone who uses the entry and
touched at each use.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from oxcross import locks, trees
from oxcross.errors import StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO)
FOLDERS = ("entries", "sources", "values", "partial", "logs", "locks", "tmp")


def checked(key: str) -> str:
    """The key, if it can be a file name; ValueError otherwise."""
    if not re.fullmatch(r"[0-9a-z][0-9a-z._-]{0,127}", key):
        raise ValueError(f"not a key: {key!r}")
    return key


class Differs(Exception):
    """A tree is not the one that it should be."""


class Shelves:
    """The folders of a store and the entries in them. Safe for many threads and processes."""

    def __init__(self, root: Path, notice: Callable[[str], None]) -> None:
        self.root = root
        self.notice = notice
        self._held: dict[Path, int] = {}
        self._mutex = threading.Lock()
        self._swept = False
        with self.guard():
            for name in FOLDERS:
                try:
                    (root / name).mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    if error.errno in _FULL:
                        raise
                    raise _refused(error, root) from error  # here, whatever the reason is

    @contextmanager
    def guard(self, need: int | None = None) -> Iterator[None]:
        """Turn what the file system refuses into a StoreError; ``need``: bytes asked for."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                free = shutil.disk_usage(_nearest(self.root)).free / 1e6
                asked = f"{need / 1e6:.1f} MB needed, " if need is not None else ""
                raise StoreError(
                    f"no space left on the device ({asked}{free:.1f} MB free)",
                    where=str(error.filename or self.root),
                    hint="make room there, or prune the store: oxcross cache prune",
                ) from error
            if error.errno in _REFUSED:
                raise _refused(error, self.root) from error
            raise

    def close(self) -> None:
        """Give back the protection of every entry that was returned."""
        with self._mutex:
            held, self._held = self._held, {}
        for fd in held.values():
            os.close(fd)

    @contextmanager
    def temporary(self, prefix: str) -> Iterator[Path]:
        """A new empty folder on the store's file system.

        It is removed at the end or, if this process is killed, when the next one starts.
        """
        with ExitStack() as stack:
            with self.guard():
                folder = stack.enter_context(locks.temporary(self._tmp(), prefix))
            yield folder

    def _tmp(self) -> Path:
        with self._mutex:
            sweep, self._swept = not self._swept, True
        if sweep:
            locks.sweep(self.root / "tmp")
        return self.root / "tmp"

    def fetch_entry(self, entry: Path, *, verify: bool = False) -> Path | None:
        """The entry's tree, verified and protected from pruning; None when there is none.

        With ``verify`` every byte is hashed, else only where the stamp changed.
        """
        with self.guard():
            if not self._hold(entry):
                if entry.exists():  # without ``used``: not an entry
                    self._drop(entry)
                return None
            if (_fresh(entry) and not verify) or _intact(entry):
                return entry / "tree"
            self._drop(entry)
            return None

    def put_entry(self, entry: Path, tree: Path, name: str, digest: str = "") -> Path:
        """Move ``tree`` (on the store's file system) into the store; the entry's tree.

        When another process was first, its entry stays and is returned. ``digest`` is what the tree's must be, if
        that is known: Differs.
        """
        with self.guard(), self.temporary("put") as folder:
            made = folder / "entry"
            made.mkdir()
            trees.normalise(tree)
            rows = trees.listing(tree)
            if digest and trees.digest(rows) != digest:
                raise Differs
            tree.rename(made / "tree")
            meta = {
                "key": entry.name,
                "name": name,
                "digest": trees.digest(rows),
                "size": trees.total_size(rows),
                "files": len(rows),
            }
            (made / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
            (made / "files.json").write_text(json.dumps(rows, separators=(",", ":")))
            (made / "stamp").write_text(trees.stamp(made / "tree"))
            (made / "used").touch()
            trees.flush(folder)
            # Held before anyone can see it: no prune comes between the rename and the caller's use.
            fd = locks.try_lock(made / "used", shared=True, create=False)
            for _ in range(3):  # again only where a damaged entry was in the way
                try:
                    made.rename(entry)
                except OSError as error:
                    if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                        raise
                    if (found := self.fetch_entry(entry)) is None:
                        continue
                    _close(fd)
                    return found
                self._release(entry)
                if fd is not None:
                    with self._mutex:
                        self._held[entry] = fd
                trees.flush_folder(entry.parent)
                return entry / "tree"
            _close(fd)
        raise StoreError("the entry is damaged again and again", where=str(entry))

    def discard(self, entry: Path) -> None:
        """Take an entry's folder away: out of sight at once, then removed."""
        self._release(entry)
        with self.temporary("drop") as folder, suppress(FileNotFoundError):
            entry.rename(folder / "entry")

    def _hold(self, entry: Path) -> bool:
        """Protect an entry from pruning and note its use; False when there is none."""
        used = entry / "used"
        try:
            while True:
                with self._mutex:
                    fd = self._held.get(entry)
                    if fd is not None and locks.same_file(fd, used):
                        break
                    if (fresh := locks.try_lock(used, shared=True, create=False)) is not None:
                        self._held[entry] = fresh
                        _close(fd)
                        break
                time.sleep(0.01)  # it is being pruned at this moment
            os.utime(used)
        except FileNotFoundError:
            self._release(entry)
            return False
        return True

    def _release(self, entry: Path) -> None:
        with self._mutex:
            fd = self._held.pop(entry, None)
        _close(fd)

    def _drop(self, entry: Path) -> None:
        """Discard a damaged entry, unless another process did and made it anew meanwhile."""
        with locks.locked(self.root / "locks" / "drop"):
            if not ((entry / "used").exists() and _intact(entry)):
                self.notice(f"store: dropped a damaged entry: {entry}")
                self.discard(entry)


def _refused(error: OSError, root: Path) -> StoreError:
    return StoreError(
        f"the store cannot be written: {error.strerror}",
        where=str(error.filename or root),
        hint="name another folder in OXCROSS_STORE, or mend its owner and modes",
        page="the-store-cannot-be-written",
    )


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _close(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)


def _fresh(entry: Path) -> bool:
    """Whether nothing of the entry was written since its stamp was taken."""
    try:
        return (entry / "meta.json").exists() and (entry / "stamp").read_text() == trees.stamp(entry / "tree")
    except FileNotFoundError:
        return False


def _intact(entry: Path) -> bool:
    """Compare every byte of an entry with its meta.json and renew its stamp."""
    try:
        meta = json.loads((entry / "meta.json").read_text())
        before = trees.stamp(entry / "tree")
        if meta["digest"] != trees.digest(trees.listing(entry / "tree")):
            return False
        beside = entry / f"stamp.{os.getpid()}.{threading.get_ident()}"
        beside.write_text(before)
        beside.rename(entry / "stamp")
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return False
    return True
