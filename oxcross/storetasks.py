"""The tasks about the store (``oxcross cache …``) and about the pinned sources (``oxcross sources …``)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context

from oxcross import cachetasks, report
from oxcross.command import command
from oxcross.errors import StoreError, UsageError, nearest

if TYPE_CHECKING:
    from oxcross.housekeeping import Item
    from oxcross.plan import Plan
    from oxcross.store import Store

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def open_store(folder: str) -> Store:
    """The store in that folder; "" is the default one."""
    from oxcross.store import Store, named

    return Store(named(folder), notice=_notice)


def _notice(text: str) -> None:
    import sys

    print(text, file=sys.stderr)


@command
def size(_c: Context, json: bool = False, store: str = "") -> None:
    """Say how large the store is, by kind of what it keeps.

    `--json` prints {"path", "size", "kinds": {KIND: SIZE}}, in bytes.

    Examples:
      oxcross cache  # the store's folder, too
    """
    with open_store(store) as opened:
        kinds: dict[str, list[Item]] = {}
        for item in opened.entries():
            kinds.setdefault(item.kind, []).append(item)
        total = sum(item.size for items in kinds.values() for item in items)
        if json:
            parts = {kind: sum(item.size for item in items) for kind, items in sorted(kinds.items())}
            report.emit({"path": opened.root, "size": total, "kinds": parts})
            return
        rows = [
            [kind, str(len(items)), report.megabytes(sum(item.size for item in items))]
            for kind, items in sorted(kinds.items())
        ]
        count = sum(len(items) for items in kinds.values())
        report.table(["kind", "entries", "size"], [*rows, ["total", str(count), report.megabytes(total)]])
        print(f"\n{opened.root}")


@command(name="list")
def list_(_c: Context, json: bool = False, store: str = "") -> None:
    """List what the store keeps, least recently used first.

    `--json` prints {"items": [{"kind", "key", "name", "size", "used", "path"}]}; used is a time, in seconds since 1970.

    Examples:
      oxcross cache list  # what prune would drop first comes first
    """
    with open_store(store) as opened:
        _show_items(opened.entries(), "items", json=json)


@command(
    help={
        "max_age": "drop what was not used for so many days",
        "max_size": "drop the least recently used until so many bytes are left: 5G, 800M",
    }
)
def prune(_c: Context, max_age: str = "", max_size: str = "", json: bool = False, store: str = "") -> None:
    """Drop what was not used for long, or more than the store may hold. What is in use stays.

    `--json` prints {"removed": [{"kind", "key", "name", "size", "used", "path"}]}.

    Examples:
      oxcross cache prune --max-age 30   # what no build has used for a month
      oxcross cache prune --max-size 5G  # the least recently used, until 5 GB are left
    """
    if not max_age and not max_size:
        raise UsageError("nothing says what to drop", hint="add --max-age 30 (days), --max-size 5G, or both")
    with open_store(store) as opened:
        removed = opened.prune(
            max_age_days=_days(max_age) if max_age else None,
            max_bytes=_bytes(max_size) if max_size else None,
        )
    _show_items(removed, "removed", json=json)
    if not json:
        print(f"removed {len(removed)} entries, {report.megabytes(sum(item.size for item in removed))}")


@command
def verify(_c: Context, json: bool = False, store: str = "") -> None:
    """Read and hash all of the store; what is damaged is dropped (exit status 8).

    `--json` prints {"damaged": [{"kind", "key", "name", "size", "used", "path"}]}.

    Examples:
      oxcross cache verify  # after a crash, or on a disk that is not trusted
    """
    with open_store(store) as opened:
        damaged = opened.verify()
        if json:
            report.emit({"damaged": [_row(item) for item in damaged]})
        else:
            print(f"{len(opened.entries())} entries are as they were made")
    if damaged:
        names = ", ".join(item.name for item in damaged)
        raise StoreError(f"damaged and dropped: {names}", hint="the next build makes them anew")


@command(help={"step": "the step, as the plan names it: linux-x64/cpython"})
def path(_c: Context, step: str, json: bool = False, store: str = "") -> None:
    """Print the folder of what a step made.

    `--json` prints {"step", "key", "path"}.

    Examples:
      oxcross cache path linux-x64/openssl  # headers and libraries
    """
    found = _every_step(step.partition("/")[0])
    names = {one.name: one for one in found}
    if step not in names:
        raise UsageError(f"there is no step {step!r}", hint=nearest(step, names))
    with open_store(store) as opened:
        tree = opened.get(names[step].key)
        if tree is None:
            raise StoreError(f"{step} is not built", where=str(opened.root), hint="oxcross build makes it")
        if json:
            report.emit({"step": step, "key": names[step].key, "path": tree})
        else:
            print(tree)


@command(
    iterable=["without"],
    help={
        "folder": "the other store's folder",
        "without": "a step to leave out, with all that need it; repeatable",
    },
)
def copy(
    _c: Context,
    folder: str,
    without: Iterable[str] | None = None,
    json: bool = False,
    store: str = "",
) -> None:
    """Copy what the current recipes made, and the sources they read, into another store.

    `--json` prints {"path"}: the other store's folder.

    Examples:
      oxcross cache copy /mnt/store                       # for a machine without a network
      oxcross cache copy new --without linux-x64/openssl  # nor what needs it
    """
    left_out = set(without or ())
    wanted: set[str] = set()
    for step in _every_step():
        if step.name in left_out or any(needed.name in left_out for needed in step.needs):
            left_out.add(step.name)
        else:
            wanted.add(step.key)
            wanted.update(source.sha256 for source in step.sources)
    with open_store(store) as opened, open_store(folder) as other:
        opened.copy_to(other, lambda item: item.key in wanted)
        if json:
            report.emit({"path": other.root})
        else:
            print(other.root)


@command(name="list")
def list_sources(_c: Context, json: bool = False) -> None:
    """List the pinned sources: version, licence, SHA-256.

    `--json` prints {"sources": [{"name", "version", "filename", "sha256", "size", "licence", "kind", "upstream", "pool"}]}.

    Examples:
      oxcross sources  # what executables are built from
    """
    from oxcross import sources as pinned

    rows = [row for name in pinned.load() for row in pinned.versions(name).values()]
    if json:
        keys = ("name", "version", "filename", "sha256", "size", "licence", "kind", "upstream", "pool")
        report.emit({"sources": [{key: getattr(row, key) for key in keys} for row in rows]})
        return
    report.table(
        ["source", "version", "licence", "sha256"],
        [[row.name, row.version, row.licence, row.sha256[:16]] for row in rows],
    )


@command(help={"name": "the source", "version": "its version", "file": "the file, or its http(s) address"})
def pin(_c: Context, name: str, version: str, file: str, json: bool = False) -> None:
    """Pin another version of a source, by the file that is to be built from.

    `--json` prints {"name", "version", "filename", "size", "sha256"}.

    Examples:
      oxcross sources pin zlib 1.3.2 zlib-1.3.2.tar.gz  # or its address
    """
    from oxcross import sources as pinned

    row = pinned.pin(name, version, file)
    if json:
        report.emit({key: getattr(row, key) for key in ("name", "version", "filename", "size", "sha256")})
        return
    print(f"{row.name} {row.version}: {row.filename}, {row.size} bytes, SHA-256 {row.sha256}")


def _every_step(target: str = "") -> Plan:
    """Every step of the recipes, of one target or of all that are ready."""
    from oxcross import targets, wanted
    from oxcross.plan import Plan

    rows = [targets.get(target)] if target else list(targets.load().values())
    return Plan.of(step for row in rows for step in wanted.every_step(row))


def _show_items(items: list[Item], title: str, *, json: bool) -> None:
    if json:
        report.emit({title: [_row(item) for item in items]})
        return
    now = time.time()
    report.table(
        ["kind", "name", "size", "days unused", "key"],
        [
            [i.kind, i.name, report.megabytes(i.size), f"{(now - i.used) / 86400:.1f}", i.key[:16]]
            for i in items
        ],
    )


def _row(item: Item) -> dict[str, object]:
    return {
        "kind": item.kind,
        "key": item.key,
        "name": item.name,
        "size": item.size,
        "used": int(item.used),
        "path": item.path,
    }


def _days(text: str) -> float:
    if not (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*d?", text)):
        raise UsageError(f"not a number of days: {text!r}", where="--max-age", hint="write --max-age 30")
    return float(found[1])


def _bytes(text: str) -> int:
    if not (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.upper())):
        raise UsageError(f"not a size: {text!r}", where="--max-size", hint="write --max-size 5G, or 800M")
    return int(float(found[1]) * _UNITS[found[2]])


cache = Collection("cache", size, list_, prune, verify, path, copy)
for _task in (cachetasks.keygen, cachetasks.push, cachetasks.pull, cachetasks.remote):
    cache.add_task(_task)
cache.default = "size"
sources = Collection("sources", list_sources, pin)
sources.default = "list"
