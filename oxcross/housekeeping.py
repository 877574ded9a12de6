"""What lies in a store, how large it is and when it was last used; removing, verifying, copying it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import locks, trees

if TYPE_CHECKING:
    from oxcross.store import Store

_DAY = 86400.0
_GRACE_SECONDS = 3600.0  # a file that a killed process left beside the values: removed after an hour


@dataclass(frozen=True)
class Item:
    """One thing the store keeps: ``kind`` "step", "source", "value", "partial" or "log"."""

    kind: str
    key: str
    name: str
    size: int  # bytes of content
    used: float  # seconds since the epoch
    path: Path


def items(store: Store) -> list[Item]:
    """Everything in the store, least recently used first."""
    found: list[Item] = []
    for shelf, kind in (("entries", "step"), ("sources", "source")):
        for entry in (store.root / shelf).iterdir():
            with suppress(FileNotFoundError):  # removed by another process meanwhile
                found.append(_entry(entry, kind))
    for shelf, kind in (("values", "value"), ("partial", "partial"), ("logs", "log")):
        for path in (store.root / shelf).iterdir():
            with suppress(FileNotFoundError):
                info = path.stat()
                size = sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else info.st_size
                found.append(Item(kind, path.name, path.name, size, info.st_mtime, path))
    return sorted(found, key=lambda item: (item.used, item.path))


def _entry(entry: Path, kind: str) -> Item:
    try:
        meta = json.loads((entry / "meta.json").read_text())
        name, size = str(meta["name"]), int(meta["size"])
    except (ValueError, KeyError, TypeError, FileNotFoundError):
        name, size = "(damaged)", 0
    used = entry / "used"
    when = used.stat().st_mtime if used.exists() else entry.stat().st_mtime
    return Item(kind, entry.name, name, size, when, entry)


def prune(store: Store, *, max_age_days: float | None, max_bytes: int | None) -> list[Item]:
    """As ``Store.prune``."""
    present = items(store)
    total = sum(item.size for item in present)
    now = time.time()
    removed: list[Item] = []
    for item in present:
        old = max_age_days is not None and now - item.used >= max_age_days * _DAY
        large = max_bytes is not None and total > max_bytes
        if (old or large) and _remove(store, item):
            total -= item.size
            removed.append(item)
    for path in (store.root / "values").glob(".value-*"):
        with suppress(FileNotFoundError):
            if now - path.stat().st_mtime > _GRACE_SECONDS:
                path.unlink()
    _forget_locks(store)
    return removed


def _remove(store: Store, item: Item) -> bool:
    """Remove one item; False when it is in use."""
    if item.kind == "log":
        trees.remove(item.path)
        return True
    if item.kind == "value":
        item.path.unlink(missing_ok=True)
        return True
    partial = item.kind == "partial"  # its fetcher holds the lock of its key
    lock = store.root / "locks" / item.key if partial else item.path / "used"
    try:
        fd = locks.try_lock(lock, create=partial)
    except FileNotFoundError:
        store.discard(item.path)
        return True
    if fd is None:
        return False
    try:
        if partial:
            item.path.unlink(missing_ok=True)
        else:
            store.discard(item.path)
    finally:
        os.close(fd)
    return True


def _forget_locks(store: Store) -> None:
    """Remove the lock files that nobody holds (a waiting process notices that its file is gone)."""
    for path in (store.root / "locks").iterdir():
        with suppress(FileNotFoundError):
            fd = locks.try_lock(path, create=False)
            if fd is not None:
                path.unlink()
                os.close(fd)


def verify(store: Store) -> list[Item]:
    """As ``Store.verify``."""
    damaged: list[Item] = []
    for item in items(store):
        if item.kind == "step":
            ok = store.get(item.key, verify=True) is not None
        elif item.kind == "source":
            path = store.source(item.key, verify=True)
            ok = path is not None and trees.file_sha256(path) == item.key
            if path is not None and not ok:
                store.discard(item.path)
        elif item.kind == "value":
            ok = item.key.startswith(".") or store.value(item.key) is not None
        else:
            ok = True
        if not ok:
            damaged.append(item)
    return damaged


def copy(store: Store, other: Store, keep: Callable[[Item], bool]) -> list[Item]:
    """As ``Store.copy_to``."""
    copied: list[Item] = []
    for item in items(store):
        if item.kind not in ("step", "source") or not keep(item):
            continue
        tree = store.fetch_entry(item.path)
        if tree is None:
            continue
        with other.temporary("copy") as folder:
            trees.copy(tree, folder / "tree")
            other.put_entry(other.root / item.path.relative_to(store.root), folder / "tree", item.name)
        copied.append(item)
    return copied
