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

from oxcross import elf
from oxcross.analyze import rules, source
from oxcross.analyze.finding import Finding
from oxcross.analyze.parts import Part
from oxcross.collect import libraries
from oxcross.collect.libraries import Shared
from oxcross.store import Store

_PIECE: Final = 1 << 20  # bytes of source for one piece of work
_ALONE: Final = 4 << 20  # bytes of source that are read without further processes


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the files of a part are and do, whatever surrounds it."""

    findings: tuple[Finding, ...]
    shared: tuple[Shared, ...]
    tops: frozenset[str]
    licence: str  # "" for what is no distribution


def scan(
    parts: Sequence[Part], store: Store, notice: Callable[[str], None] = lambda _: None
) -> list[Scanned]:
    """Each part's, from the store where its files and the rules are the same."""
    keys = [_key(part) for part in parts]
    values = {key: store.value(key) for key in keys}
    new = [(key, part) for key, part in zip(keys, parts, strict=True) if values[key] is None]
    if new:
        modules = sum(path.endswith(".py") for _, part in new for path in part.files)
        notice(f"reading {modules} modules of {len(new)} distributions")
        for key, scanned in zip((key for key, _ in new), _read([part for _, part in new]), strict=True):
            values[key] = _packed(scanned)
            store.put_value(key, values[key] or b"")
    return [_unpacked(values[key] or b"") for key in keys]


def _key(part: Part) -> str:
    facts = [rules.digest(), part.name, part.key]
    return "analyze-" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _read(parts: Sequence[Part]) -> list[Scanned]:
    pieces: list[tuple[int, tuple[str, frozenset[str], list[str]]]] = []
    total = 0
    findings: list[list[Finding]] = [[] for _ in parts]
    for number, part in enumerate(parts):
        wanted = [path for path in part.files if path.endswith(".py")]
        if part.root is None:
            findings[number] += _modules_in(part, wanted)
            continue
        piece: list[str] = []
        size = 0
        for path in wanted:
            piece.append(path)
            size += (part.root / path).stat().st_size
            if size >= _PIECE:
                pieces.append((number, (str(part.root), part.tops, piece)))
                total, piece, size = total + size, [], 0
        total += size
        pieces.append((number, (str(part.root), part.tops, piece)))
    work = [arguments for _, arguments in pieces]
    processes = min(len(os.sched_getaffinity(0)), total // _ALONE + 1)
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(_modules, work))
    else:
        results = [_modules(arguments) for arguments in work]
    for (number, _), result in zip(pieces, results, strict=True):
        findings[number] += result
    return [_scanned(part, found) for part, found in zip(parts, findings, strict=True)]


def _modules(work: tuple[str, frozenset[str], list[str]]) -> list[Finding]:
    """The findings in some modules below a folder. Runs in a process of its own."""
    root, own, paths = work
    return [one for path in paths for one in _module(path, (Path(root) / path).read_bytes(), own)]


def _modules_in(part: Part, paths: Iterable[str]) -> list[Finding]:
    return [one for path in paths for one in _module(path, part.read(path), part.tops)]


def _module(path: str, data: bytes, own: frozenset[str]) -> list[Finding]:
    table = rules.load()
    if table.elsewhere.fullmatch(path):
        return []
    found = source.scan(path, data, own)
    if table.aside.match(path):
        return [
            Finding(one.path, one.line, one.rule, one.subject, one.code, soft=True)
            for one in found
            if one.rule != "import"  # what tests need is no part of an application
        ]
    return found


def _scanned(part: Part, found: list[Finding]) -> Scanned:
    shared: list[Shared] = []
    for path in part.files:
        if path.endswith((".py", ".pyi", ".pyc", ".txt", ".json", ".html", ".js", ".css")):
            continue
        data = part.read(path)
        if path.endswith(".pth") and "/" not in path:
            found += _outside(part, path, data)
        if (described := libraries.describe(path, data)) is None:
            continue
        if _is_program(data):
            found.append(Finding(path, 0, rules.load().one("program").id, posixpath.basename(path)))
        shared.append(described)
    description = part.described()
    return Scanned(tuple(sorted(found)), tuple(shared), part.tops, description.licence if description else "")


def _outside(part: Part, path: str, data: bytes) -> Iterator[Finding]:
    """The folders that a .pth file names and that are not embedded: what `site` says of such files."""
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        folder = posixpath.normpath(line.strip() or ".")
        code = line.startswith(("import ", "import\t", "#"))
        if not code and folder != "." and not any(file.startswith(f"{folder}/") for file in part.files):
            yield Finding(path, number, rules.load().one("pth").id, folder, line.strip())


def _is_program(data: bytes) -> bool:
    """Whether the system could start it: it has an entry and asks for a dynamic loader, or for none."""
    file = elf.Elf(data)
    return file.type == elf.ET_EXEC or file.pie


def _packed(scanned: Scanned) -> bytes:
    document = {
        "findings": [one.row() for one in scanned.findings],
        "shared": [asdict(one) for one in scanned.shared],
        "tops": sorted(scanned.tops),
        "licence": scanned.licence,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _unpacked(value: bytes) -> Scanned:
    document: dict[str, Any] = json.loads(value)
    return Scanned(
        tuple(Finding(*row) for row in document["findings"]),
        tuple(Shared.of(row) for row in document["shared"]),
        frozenset(document["tops"]),
        document["licence"],
    )
