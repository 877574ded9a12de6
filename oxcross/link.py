"""Links a blob to a launcher: the last step, bytes only, in a few milliseconds a megabyte.

The launcher carries a spare program header, a PT_NOTE of its own with a note by "oxcross". It becomes
the PT_LOAD of the blob, which is appended on a page boundary; so the kernel maps the blob like any
read-only data, and nothing that is already linked moves. A section header covers it too, so that
strip and objcopy keep it.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import elf
from oxcross.elf import Elf, ElfError, Segment
from oxcross.errors import BuildError
from oxcross.pack.format import BLOB_ALIGN, LOCATOR, LOCATOR_MAGIC, align
from oxcross.squeeze import table

if TYPE_CHECKING:
    from oxcross.targets import Target

NOTE_OWNER = "oxcross"
SECTION_NAME = b".oxblob"
_CHUNK = 1 << 24


@dataclass(frozen=True, slots=True)
class Linked:
    """A finished executable: ``size`` in bytes, SHA-256 (hex) of the whole file."""

    path: Path
    size: int
    sha256: str


def attach(launcher: Path, blob: Path, out: Path, target: Target, *, without: Collection[str] = ()) -> Linked:
    """Write ``out``: the launcher with the blob in it, mode 0755, in one atomic step. Of a compressed launcher, the groups
    ``without`` stay away.

    The same launcher and blob give the same bytes. Raises BuildError for a launcher that has no
    place for a blob, a target whose executables are not ELF, or an ``out`` that cannot be written.
    """
    if target.os != "linux":
        raise BuildError("oxcross cannot link executables for it yet", where=target.name)
    blob_size = blob.stat().st_size
    try:
        image = bytearray(table.without(launcher.read_bytes(), without))
        trailer = _prepare(image, blob_size)
    except ElfError as error:
        raise BuildError(f"not a launcher: {error}", where=str(launcher)) from error
    size = len(image) + blob_size + len(trailer)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(out) as descriptor:
            _write_all(descriptor, image)
            _append_file(descriptor, blob)
            _write_all(descriptor, trailer)
            os.fchmod(descriptor, 0o755)
            sha256 = _digest(descriptor)
    except OSError as error:
        raise BuildError(
            f"cannot be written: {error.strerror}",
            where=str(out),
            hint=f"{size / 1e6:.0f} MB and the right to write there are needed",
        ) from error
    return Linked(out, size, sha256)


def _prepare(image: bytearray, blob_size: int) -> bytes:
    """Make the launcher's image ready (headers, locator, padding); what goes behind the blob."""
    file = Elf(bytes(image))
    note = _spare(file)
    loads = file.of_type(elf.PT_LOAD)
    base = next((load.vaddr for load in loads if load.offset == 0), None)
    if base is None:
        raise ElfError("no segment loads the file's beginning")
    address = align(max(load.vaddr + load.memsz for load in loads), BLOB_ALIGN)
    offset = align(len(image), BLOB_ALIGN)
    where = Segment(elf.PT_LOAD, elf.PF_R, offset, address, address, blob_size, blob_size, BLOB_ALIGN)
    # Behind the last PT_LOAD: before Linux 5.18 the size of a PIE was taken from the first and the
    # last one in the table, and everywhere they must ascend.
    segments = [segment for segment in file.segments if segment is not note]
    last = max(n for n, segment in enumerate(segments) if segment.type == elf.PT_LOAD)
    segments.insert(last + 1, where)
    table = b"".join(segment.pack() for segment in segments)
    image[file.segments_offset : file.segments_offset + len(table)] = table

    image += bytes(offset - len(image))
    trailer = _section_table(file, image, where)
    end = offset + blob_size + len(trailer)
    at = _locator(image)
    LOCATOR.pack_into(image, at, LOCATOR_MAGIC, address - base, blob_size, offset, end)
    return trailer


def _spare(file: Elf) -> Segment:
    """The PT_NOTE that the launcher keeps for the blob."""
    for segment in file.of_type(elf.PT_NOTE):
        owners = {owner for owner, _, _ in file.notes(segment)}
        if owners == {NOTE_OWNER}:
            return segment
    raise ElfError("it has no program header to spare (a PT_NOTE with a note by oxcross alone)")


def _locator(image: bytearray) -> int:
    """Where struct ox_locator lies in the file."""
    first = image.find(LOCATOR_MAGIC)
    if first < 0 or image.find(LOCATOR_MAGIC, first + 1) >= 0:
        raise ElfError("it must have exactly one ox_locator")
    if any(image[first + len(LOCATOR_MAGIC) : first + LOCATOR.size]):
        raise ElfError("it has a blob already")
    return first


def _section_table(file: Elf, image: bytearray, where: Segment) -> bytes:
    """The section names and headers with one more section, to lie behind the blob; the ELF header in
    ``image`` is turned to them. Empty for a launcher without section headers."""
    if not file.section_count:
        return b""
    size = elf.SECTION.size
    headers = bytearray(file.view[file.sections_offset : file.sections_offset + file.section_count * size])
    if len(headers) != file.section_count * size:
        raise ElfError("its section headers end behind the file's end")
    names_at = file.names_section * size
    fields = list(elf.SECTION.unpack_from(headers, names_at))
    names = bytes(file.view[fields[4] : fields[4] + fields[5]])
    end = where.offset + where.filesz
    start = align(end, 8)
    new_names = names + SECTION_NAME + b"\0"
    fields[4:6] = [start, len(new_names)]
    elf.SECTION.pack_into(headers, names_at, *fields)
    headers += elf.SECTION.pack(
        len(names), elf.SHT_PROGBITS, elf.SHF_ALLOC, where.vaddr, where.offset, where.filesz,
        0, 0, BLOB_ALIGN, 0,
    )  # fmt: skip
    table_at = align(start + len(new_names), 8)
    header = list(elf.HEADER.unpack_from(image))
    header[6] = table_at
    header[12] = file.section_count + 1
    elf.HEADER.pack_into(image, 0, *header)
    padding = bytes(table_at - start - len(new_names))
    return bytes(start - end) + new_names + padding + bytes(headers)


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
