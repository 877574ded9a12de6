"""Links a blob to a launcher: the last step but a signature, bytes only, in a few milliseconds a megabyte.

What the blob becomes depends on the executable's format: elf.py, pe.py, macho.py. In any of them the system maps it like
read-only data of the program's own, nothing that is already linked moves, and the launcher finds it by its locator
(locator.py). fat.py makes one executable of those for several machines.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross.elf import ElfError
from oxcross.errors import BuildError
from oxcross.link import elf, fat, macho, pe
from oxcross.link.locator import LocatorError
from oxcross.macho import MachoError
from oxcross.pe import PeError
from oxcross.squeeze import table

if TYPE_CHECKING:
    from oxcross.link.pe import Appearance
    from oxcross.targets import Target

__all__ = ["Linked", "attach", "join"]

_CHUNK = 1 << 24
_MACOS = macho.Settings()


@dataclass(frozen=True, slots=True)
class Linked:
    """A finished executable: ``size`` in bytes, SHA-256 (hex) of the whole file."""

    path: Path
    size: int
    sha256: str


def attach(
    launcher: Path,
    blob: Path,
    out: Path,
    target: Target,
    *,
    without: Collection[str] = (),
    appearance: Appearance | None = None,
    macos: macho.Settings = _MACOS,
) -> Linked:
    """Write ``out``: the launcher with the blob in it, mode 0755, in one atomic step. Of a compressed launcher, the groups
    ``without`` stay away. ``appearance`` is what Windows shows of an executable, ``macos`` what macOS is told of it.

    The same inputs give the same bytes. Raises BuildError for a launcher that has no
    place for a blob, or an ``out`` that cannot be written.
    """
    blob_size = blob.stat().st_size
    try:
        image = bytearray(table.without(launcher.read_bytes(), without))
        if target.os == "windows":
            trailer = pe.prepare(image, blob, blob_size, appearance)
        elif target.os == "macos":
            trailer = macho.prepare(image, blob, blob_size, macos)
        else:
            trailer = elf.prepare(image, blob_size)
    except (ElfError, PeError, MachoError, LocatorError) as error:
        raise BuildError(f"not a launcher: {error}", where=str(launcher)) from error
    return _write(out, [image, blob, trailer], len(image) + blob_size + len(trailer))


def join(executables: Sequence[Path], out: Path) -> Linked:
    """Write ``out``: one fat file of finished executables for macOS, that for x86-64 first, in one atomic step.

    Raises BuildError for what is no such executable, or an ``out`` that cannot be written.
    """
    files = []
    for path in executables:
        try:
            files.append(fat.thin(path))
        except (MachoError, OSError) as error:
            raise BuildError(f"cannot become part of a fat file: {error}", where=str(path)) from error
    try:
        before = fat.layout(files)
    except MachoError as error:
        raise BuildError(str(error), where=str(out)) from error
    parts = [part for pair in zip(before, executables, strict=True) for part in pair]
    return _write(out, parts, sum(map(len, before)) + sum(one.size for one in files))


def _write(out: Path, parts: Sequence[bytes | bytearray | Path], size: int) -> Linked:
    """The parts one behind the other, as an executable; ``size`` is that of all of them."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(out) as descriptor:
            for part in parts:
                if isinstance(part, Path):
                    _append_file(descriptor, part)
                else:
                    _write_all(descriptor, part)
            os.fchmod(descriptor, 0o755)
            sha256 = _digest(descriptor)
    except OSError as error:
        raise BuildError(
            f"cannot be written: {error.strerror}",
            where=str(out),
            hint=f"{size / 1e6:.0f} MB and the right to write there are needed",
            page="it-cannot-be-written",
        ) from error
    return Linked(out, size, sha256)


@contextlib.contextmanager
def _replacing(out: Path) -> Iterator[int]:
    """A new file's descriptor; it takes the place of ``out`` when all went well."""
    descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        yield descriptor
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _append_file(descriptor: int, path: Path) -> None:
    """Append a file's bytes without reading them into this process."""
    with path.open("rb") as source:
        while os.sendfile(descriptor, source.fileno(), None, _CHUNK):
            pass


def _digest(descriptor: int) -> str:
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as view:
        return hashlib.sha256(view).hexdigest()
