"""Bytecode, compiled by the exact CPython that will run it (see worker.py for how it is made stable)."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from oxcross.collect.worker import SIZE, frames
from oxcross.errors import CollectError

FORMAT = 1  # part of every key of cached bytecode: a change of worker.py makes all of it new
_ALONE = 1 << 20  # bytes of source that are worth a process of their own
_WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of one source: marshalled ``code``, or ``error``, CPython's own words."""

    code: bytes | None
    error: str = ""

    def value(self) -> bytes:
        """As it is kept in the store."""
        return b"c" + self.code if self.code is not None else b"e" + self.error.encode()

    @classmethod
    def of(cls, value: bytes) -> Compiled:
        """From what ``value`` gave."""
        return cls(value[1:]) if value[:1] == b"c" else cls(None, value[1:].decode())


def compile_all(
    python: Path,
    sources: Mapping[str, bytes],
    *,
    optimize: int,
    columns: bool = True,
    jobs: int | None = None,
) -> dict[str, Compiled]:
    """Compile each source (path as in tracebacks -> text as bytes) with ``python``.

    Without ``columns`` the code tells lines only (PEP 657): a quarter less when it is compressed.
    The result of a source depends on nothing but it, its path, the level, ``columns`` and the interpreter.
    Raises CollectError when the interpreter itself fails.
    """
    if not sources:
        return {}
    total = sum(map(len, sources.values()))
    workers = max(1, min(jobs or os.cpu_count() or 1, total // _ALONE + 1))
    # Dealt out by size, so that all processes end at about the same time.
    by_size = sorted(sources, key=lambda path: (-len(sources[path]), path))
    shares = [{path: sources[path] for path in by_size[n::workers]} for n in range(workers)]
    compiled: dict[str, Compiled] = {}
    with ThreadPoolExecutor(workers) as pool:
        for result in pool.map(lambda share: _compile(python, share, optimize, columns), shares):
            compiled |= result
    return {path: compiled[path] for path in sources}


def _compile(python: Path, sources: Mapping[str, bytes], optimize: int, columns: bool) -> dict[str, Compiled]:
    request = bytearray()
    for path, source in sources.items():
        for frame in (path.encode("utf-8", "surrogateescape"), source):
            request += SIZE.pack(len(frame)) + frame
    command = [
        os.fspath(python), "-I", "-S", "-B", "-X", "utf8", *([] if columns else ["-X", "no_debug_ranges"]),
        "-c", _WORKER.read_text("utf-8"), str(optimize),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, input=request, capture_output=True, check=False)
    except OSError as error:
        raise CollectError(f"cannot be run: {error.strerror}", where=str(python)) from error
    answer = frames(io.BytesIO(done.stdout))
    if done.returncode or len(answer) != 2 * len(sources):
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise CollectError(
            f"the compiler of bytecode ended with status {done.returncode}: {last}",
            where=str(python),
            hint="if this interpreter is damaged: oxcross cache verify",
        )
    results = zip(answer[::2], answer[1::2], strict=True)
    return {path: _result(*result) for path, result in zip(sources, results, strict=True)}


def _result(kind: bytes, data: bytes) -> Compiled:
    return Compiled(data) if kind == b"ok" else Compiled(None, data.decode("utf-8", "replace"))
