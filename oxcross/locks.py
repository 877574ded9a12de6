"""Locks between processes that die with their holder, and temporary folders that do too.

Everything rests on flock(2): the kernel drops the lock when the holder ends, however it ends, so a
lock or a temporary folder of a dead process is recognised without asking for process ids (which
mean nothing between containers that share a store).
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from oxcross.trees import remove

_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 1.0  # of waiting without a word
_ORPHAN_SECONDS = 24 * 3600.0  # a temporary folder without a lock file: removed after a day
_BUSY = (errno.EWOULDBLOCK, errno.EACCES)


def same_file(fd: int, path: Path) -> bool:
    """Whether ``path`` still names the open file (its remover may have been faster)."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    then = os.fstat(fd)
    return (then.st_dev, then.st_ino) == (now.st_dev, now.st_ino)


def try_lock(path: Path, *, shared: bool = False, create: bool = True) -> int | None:
    """Lock the file ``path`` without waiting; the descriptor that holds it, or None when busy.

    Raises OSError (FileNotFoundError when it is not there and ``create`` is false). Closing the
    descriptor gives the lock back.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    while True:
        fd = os.open(path, flags, 0o644)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno in _BUSY:
                return None
            raise
        if same_file(fd, path):
            return fd
        os.close(fd)


@contextmanager
def locked(
    path: Path,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    waiting: Callable[[str], None] = lambda _: None,
    passing: bool = False,
) -> Iterator[bool]:
    """Hold the lock file ``path``, waiting for it; yields False when ``cancelled`` came first.

    It waits by asking again, not inside flock, so that a thread that waits can be stopped. After a second
    ``waiting`` is told once who holds the lock. With ``passing`` the file is removed at the end.
    """
    begun = time.monotonic()
    told = False
    while (fd := try_lock(path)) is None:
        if cancelled():
            yield False
            return
        if not told and time.monotonic() - begun > _PATIENCE_SECONDS:
            told = True
            waiting(_holder(path))
        time.sleep(_POLL_SECONDS)
    try:
        with suppress(OSError):  # on a full disk nobody is told who it is
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)
        yield True
    finally:
        if passing:
            path.unlink(missing_ok=True)  # whoever waits for it notices that it is another file
        os.close(fd)


def _holder(path: Path) -> str:
    """Who wrote its name into a lock file: for people, who may look for that process."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") or "another process"
    except FileNotFoundError:
        return "another process"


@contextmanager
def temporary(parent: Path, prefix: str) -> Iterator[Path]:
    """A new, private, empty folder in ``parent``, removed at the end.

    It belongs to this process by the lock on ``NAME.lock`` beside it; ``sweep`` removes those whose
    owner is gone.
    """
    while True:
        fd, lock_name = tempfile.mkstemp(prefix=f"{prefix}-", suffix=".lock", dir=parent)
        lock = Path(lock_name)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if same_file(fd, lock):  # else a sweep came between the two lines above
            break
        os.close(fd)
    folder = lock.with_suffix("")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        remove(folder)
        lock.unlink(missing_ok=True)
        os.close(fd)


def sweep(parent: Path) -> None:
    """Remove the temporary folders in ``parent`` whose owners are dead."""
    for path in list(parent.iterdir()):
        if path.suffix == ".lock":
            try:
                fd = try_lock(path, create=False)
            except FileNotFoundError:
                continue
            if fd is not None:
                remove(path.with_suffix(""))
                path.unlink(missing_ok=True)
                os.close(fd)
        elif not path.with_name(path.name + ".lock").exists():
            try:
                orphan = time.time() - path.lstat().st_mtime > _ORPHAN_SECONDS
            except FileNotFoundError:
                continue
            if orphan:
                remove(path)
