"""Reads every file of every part once: what was found is kept in the store, a value for each distribution."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from oxcross.analyze import rules, source
from oxcross.analyze.finding import Finding
from oxcross.analyze.parts import Part
from oxcross.collect import distributions, libraries, startup
from oxcross.collect.libraries import Shared
from oxcross.store import Store

_PIECE: Final = 1 << 20  # bytes of source for one piece of work
_ALONE: Final = 4 << 20  # bytes of source that are read without further processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What the files of a part are and do, whatever surrounds it."""

    name: str  # canonical
    own: bool  # the project itself
    findings: tuple[Finding, ...]
    shared: tuple[Shared, ...]
    tops: frozenset[str]  # top-level modules
    metadata: str  # the path of METADATA; "" for what is no distribution
    licence: str


def environment(
    key: str,
    parts: Callable[[], Sequence[Part]],
    system: str,
    store: Store,
    notice: Callable[[str], None] = lambda _: None,
) -> list[Scanned]:
    """Those of the whole environment ``key``: when they are known, nothing of it is looked at."""
    name = _key("environment", key)
    value = store.value(name)
    if value is None:
        value = _packed(scan(parts(), system, store, notice))
        store.put_value(name, value)
    return _unpacked(value)


def scan(
    parts: Sequence[Part], system: str, store: Store, notice: Callable[[str], None] = lambda _: None
) -> list[Scanned]:
    """Each part's on a system (``Target.os``), from the store where its files and the rules are the same."""
    keys = [_key(part.name, part.key, str(part.own), system) for part in parts]
    known = [store.value(key) for key in keys]
    new = [part for part, value in zip(parts, known, strict=True) if value is None]
    if modules := sum(path.endswith(".py") for part in new for path in part.files):
        places = new[0].name if len(new) == 1 else f"{len(new)} distributions"
        notice(f"reading {modules} module{'s' * (modules != 1)} of {places}")
    made = iter(_read(new, system))
    found: list[Scanned] = []
    for key, value in zip(keys, known, strict=True):
        if value is None:
            found.append(next(made))
            store.put_value(key, _packed(found[-1:]))
        else:
            found += _unpacked(value)
    return found


def _key(*facts: str) -> str:
    return "analyze-" + hashlib.sha256(json.dumps([rules.digest(), *facts]).encode()).hexdigest()


def _read(parts: Sequence[Part], system: str) -> list[Scanned]:
    pieces: list[tuple[int, tuple[str, frozenset[str], str, list[str]]]] = []
    total = 0
    findings: list[list[Finding]] = [[] for _ in parts]
    for number, part in enumerate(parts):
        wanted = [path for path in part.files if path.endswith(".py")]
        if part.root is None:
            findings[number] += _modules_in(part, system, wanted)
            continue
        piece: list[str] = []
        size = 0
        for path in wanted:
            piece.append(path)
            size += (part.root / path).stat().st_size
            if size >= _PIECE:
                pieces.append((number, (str(part.root), part.tops, system, piece)))
                total, piece, size = total + size, [], 0
        total += size
        pieces.append((number, (str(part.root), part.tops, system, piece)))
    work = [arguments for _, arguments in pieces]
    processes = min(len(os.sched_getaffinity(0)), total // _ALONE + 1)
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(_modules, work))
    else:
        results = [_modules(arguments) for arguments in work]
    for (number, _), result in zip(pieces, results, strict=True):
        findings[number] += result
    return [_scanned(part, system, found) for part, found in zip(parts, findings, strict=True)]


def _modules(work: tuple[str, frozenset[str], str, list[str]]) -> list[Finding]:
    """The findings in some modules below a folder. Runs in a process of its own."""
    root, own, system, paths = work
    return [one for path in paths for one in _module(path, (Path(root) / path).read_bytes(), own, system)]


def _modules_in(part: Part, system: str, paths: Iterable[str]) -> list[Finding]:
    return [one for path in paths for one in _module(path, part.read(path), part.tops, system)]


def _module(path: str, data: bytes, own: frozenset[str], system: str) -> list[Finding]:
    table = rules.load()
    if table.elsewhere[system].fullmatch(path):
        return []
    found = source.scan(path, data, own, system)
    if table.aside.match(path):
        return [
            Finding(one.path, one.line, one.rule, one.subject, one.code, soft=True)
            for one in found
            if one.rule
            not in ("import", table.one("lacking").id)  # what tests need is no part of an application
        ]
    return found


def _scanned(part: Part, system: str, found: list[Finding]) -> Scanned:
    shared: list[Shared] = []
    for path in part.files:
        if path.endswith((".py", ".pyi", ".pyc", ".txt", ".json", ".html", ".js", ".css")):
            continue
        data = part.read(path)
        if path.endswith(".pth") and "/" not in path:
            found += _outside(part, path, data, system)
        if (described := libraries.describe(path, data, system)) is None:
            continue
        if described.program:
            found.append(Finding(path, 0, rules.load().one("program").id, posixpath.basename(path)))
        shared.append(described)
    return Scanned(
        name=part.name,
        own=part.own,
        findings=tuple(sorted(found)),
        shared=tuple(shared),
        tops=part.tops,
        metadata=part.metadata,
        licence=distributions.describe(part.read(part.metadata)).licence if part.metadata else "",
    )


def _outside(part: Part, path: str, data: bytes, system: str) -> Iterator[Finding]:
    """The folders that a .pth file names and that are not embedded: what `site` says of such files."""
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        folder = startup.named(line.strip() or ".", system)
        code = line.startswith(("import ", "import\t", "#"))
        inside = any(startup.named(file, system).startswith(f"{folder}/") for file in part.files)
        if not code and folder != "." and not inside:
            yield Finding(
                path, number, rules.load().one("pth").id, posixpath.normpath(line.strip()), line.strip()
            )


def _packed(scans: Sequence[Scanned]) -> bytes:
    rows = [
        {
            **{name: getattr(one, name) for name in ("name", "own", "metadata", "licence")},
            "findings": [finding.row() for finding in one.findings],
            "shared": [asdict(file) for file in one.shared],
            "tops": sorted(one.tops),
        }
        for one in scans
    ]
    return json.dumps(rows, separators=(",", ":")).encode()


def _unpacked(value: bytes) -> list[Scanned]:
    rows: list[dict[str, Any]] = json.loads(value)
    for row in rows:
        row["findings"] = tuple(Finding(*finding) for finding in row["findings"])
        row["shared"] = tuple(Shared.of(file) for file in row["shared"])
        row["tops"] = frozenset(row["tops"])
    return [Scanned(**row) for row in rows]
