"""A set of resources on disk: one file of payloads, used in place, and one small index.

Payloads are as they will lie in the blob (compressed or not), each once. Assembling an executable
from cached sets is then copying: nothing is compiled, compressed or parsed again.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from os import cpu_count
from pathlib import Path
from typing import Any, TypeVar

from oxcross.collect.distributions import Distribution
from oxcross.collect.libraries import Shared
from oxcross.pack.codec import Encoder, Payload
from oxcross.pack.format import PAYLOAD_ALIGN, Codec, align
from oxcross.pack.resources import File, Module, Resources

FORMAT = 3  # part of every key: a change of what a set holds makes all of them new
_BATCH = 64

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ResourceSet:
    """Resources and what is known of their files.

    ``shared`` describes every ELF file, ``skipped`` says for .py files that are no modules of this
    Python (old syntax, templates) what the compiler said.
    """

    resources: Resources = field(default_factory=Resources)
    shared: tuple[Shared, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


def encoded(
    encoder: Encoder, items: Iterable[tuple[Callable[[], bytes], bool]]
) -> Iterator[tuple[bytes, Payload]]:
    """For each (reader, rarely read) the bytes and their payload, in order, on all processors."""

    def encode(item: tuple[Callable[[], bytes], bool]) -> tuple[bytes, Payload]:
        data = item[0]()
        return data, encoder.payload(data, rarely_read=item[1])

    yield from in_batches(encode, items)


def in_batches(work: Callable[[Any], Result], items: Iterable[Any]) -> Iterator[Result]:
    """``map`` on all processors, with few results in memory at a time."""
    source = iter(items)
    with ThreadPoolExecutor(cpu_count()) as pool:
        while batch := list(islice(source, _BATCH)):
            yield from pool.map(work, batch)


class Writer:
    """Writes a set into an empty folder: payloads as they come, the index at ``close``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = (folder / "data").open("wb")
        self._rows: list[tuple[int, int, int, int, str, int]] = []
        self._known: dict[bytes, int] = {}
        self._end = 0

    def payload(self, payload: Payload) -> int:
        """Store a payload; its number in the index."""
        number = self._known.get(payload.digest)
        if number is None:
            start = align(self._end, PAYLOAD_ALIGN)
            self._data.write(bytes(start - self._end))
            self._data.write(payload.stored)
            self._end = start + len(payload.stored)
            number = self._known[payload.digest] = len(self._rows)
            row = (
                start, len(payload.stored), payload.size, int(payload.codec), payload.digest.hex(), payload.check,
            )  # fmt: skip
            self._rows.append(row)
        return number

    def close(
        self,
        modules: Iterable[tuple[str, str, int, bool, bool, bool, bool]],
        files: Iterable[tuple[str, int, bool]],
        known: ResourceSet,
    ) -> None:
        """Write the index. Modules are (name, path, payload or -1, package, extension, stdlib, linked),
        files (path, payload, executable); ``known`` has everything else."""
        self._data.close()
        index = {
            "payloads": self._rows,
            "modules": sorted(modules),
            "files": sorted(files),
            "directories": sorted(known.resources.directories),
            "shared": [asdict(shared) for shared in known.shared],
            "distributions": [asdict(one) for one in known.distributions],
            "skipped": known.skipped,
        }
        (self._folder / "index.json").write_text(json.dumps(index, separators=(",", ":")))
        (self._folder / "dictionary").write_bytes(known.resources.dictionary)


def load(folder: Path) -> ResourceSet:
    """The set in ``folder``; payloads are views into the mapped file."""
    index = json.loads((folder / "index.json").read_text())
    data = _mapped(folder / "data")
    payloads = [
        Payload(data[offset : offset + stored], size, Codec(codec), bytes.fromhex(digest), check)
        for offset, stored, size, codec, digest, check in index["payloads"]
    ]
    modules = {
        name: Module(name, path, payloads[code] if code >= 0 else None, *kinds)
        for name, path, code, *kinds in index["modules"]
    }
    files = {path: File(path, payloads[number], bits) for path, number, bits in index["files"]}
    return ResourceSet(
        Resources(
            modules,
            files,
            set(index["directories"]),
            dictionary=(folder / "dictionary").read_bytes(),
        ),
        tuple(Shared.of(row) for row in index["shared"]),
        tuple(Distribution(**row) for row in index["distributions"]),
        tuple((path, error) for path, error in index["skipped"]),
    )


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        if not path.stat().st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
