"""PE: the blob becomes the last section, and what Windows shows of the program (icon, version, manifest) the one before.

Windows maps an image's sections only when each begins where the one before it ended in memory, and computes a signature's
digest over sections that lie one behind the other in the file: so there is no gap, neither here nor there. Where the
headers have no room for two more sections, all that follows moves back in the file, not in memory.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import pe
from oxcross.link.locator import fill
from oxcross.pack.format import align
from oxcross.pe import OptionalHeader, Pe, PeError, Section

if TYPE_CHECKING:
    from oxcross.windows.resources import Resources

SECTION_NAME = b".oxblob"
_PAGE = 4096
_LARGEST_IMAGE = (1 << 31) - 1  # all of it must be reached by 32-bit offsets
_CHUNK = 8192


@dataclass(frozen=True, slots=True)
class Appearance:
    """What Windows shows of an executable, and whether it opens a console for it (``subsystem``: "console", "windows")."""

    resources: Resources
    subsystem: str = "console"


def prepare(image: bytearray, blob: Path, blob_size: int, appearance: Appearance | None = None) -> bytes:
    """Make the launcher's image ready (headers, resources, locator, checksum); what goes behind the blob.

    Raises PeError or LocatorError for an image that is no launcher, OSError for a blob that cannot be read.
    """
    file = Pe(bytes(image))
    _check(file)
    _drop_symbols(file, image)
    _make_room(file, image, 40 * (1 if appearance is None else 2))
    file = Pe(bytes(image))
    _forget_paths(file, image)

    alignment = file.optional.file_alignment
    image += bytes(align(len(image), alignment) - len(image))
    added: list[Section] = []
    directories: dict[int, tuple[int, int]] = {}
    address = file.optional.image_size
    if appearance is not None:
        if file.directory(pe.DIR_RESOURCE) != (0, 0):
            raise PeError("it has resources of its own")
        content = appearance.resources.pack(address)
        # To a page's end, so that the blob begins with one in the file, too.
        whole = align(len(image) + len(content), _PAGE) - len(image)
        section = _section(b".rsrc", whole, address, whole, len(image))
        directories[pe.DIR_RESOURCE] = (address, len(content))
        image += content.ljust(whole, b"\0")
        address = align(address + whole, file.optional.section_alignment)
        added.append(section)
    raw_size = align(blob_size, alignment)
    offset = len(image)
    added.append(_section(SECTION_NAME, blob_size, address, raw_size, offset))
    end = align(address + blob_size, file.optional.section_alignment)
    if end > _LARGEST_IMAGE:
        raise PeError("with the blob it is larger than 2 GB, which no program for Windows can be")
    header = file.optional._replace(
        image_size=end,
        data_size=file.optional.data_size + sum(section.raw_size for section in added),
        checksum=0,
    )
    if appearance is not None:
        subsystem = next(number for number, name in pe.SUBSYSTEMS.items() if name == appearance.subsystem)
        header = header._replace(subsystem=subsystem)
    _write_headers(file, image, header, added, directories)
    fill(image, address, blob_size, offset, offset + raw_size)
    trailer = bytes(raw_size - blob_size)
    total = ones_sum(image) + _sum_of(blob)
    pe.U32.pack_into(image, file.checksum_at, checksum(total, offset + raw_size))
    return trailer


def ones_sum(data: bytes | bytearray | memoryview) -> int:
    """A number congruent, modulo 65535, to the sum of the data's little-endian 16-bit words: 2**16 is 1 there, so large
    integers serve as well as small ones, and C code makes those.
    """
    view = memoryview(data)
    return sum(int.from_bytes(view[at : at + _CHUNK], "little") for at in range(0, len(view), _CHUNK))


def checksum(total: int, size: int) -> int:
    """The header's CheckSum: the words' sum with the carry added again, then the file's size (CheckSumMappedFile)."""
    folded = total % 0xFFFF
    return (folded or (0xFFFF if total else 0)) + size


def _sum_of(path: Path) -> int:
    with path.open("rb") as stream:
        try:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view, memoryview(view) as data:
                return ones_sum(data)
        except ValueError:  # an empty file
            return 0


def _check(file: Pe) -> None:
    if file.signature != (0, 0):
        raise PeError("it is signed")
    after = max((one.address + one.size for one in file.sections), default=0)
    if align(after, file.optional.section_alignment) != file.optional.image_size:
        raise PeError("its image does not end with its last section")


def _drop_symbols(file: Pe, image: bytearray) -> None:
    """Take a symbol table off: it names source files."""
    if file.raw_end < len(image) and not file.file.symbols_offset:
        raise PeError("there are bytes behind its last section")
    if file.file.symbols_offset:
        if any(section.name.startswith(b"/") for section in file.sections):
            raise PeError("it has sections for a debugger: link it with -s")
        if file.file.symbols_offset < file.raw_end:
            raise PeError("its symbols lie inside of a section")
        del image[file.raw_end :]
    if file.raw_end > len(image):
        raise PeError("its last section ends behind the file's end")
    header = file.file._replace(symbols_offset=0, symbols=0)
    pe.FILE.pack_into(image, file.header_at + 4, *header)


def _make_room(file: Pe, image: bytearray, wanted: int) -> None:
    """See that ``wanted`` bytes follow the section headers; raw data moves back for it."""
    table_end = file.sections_at + file.file.sections * pe.SECTION.size
    size = file.optional.headers_size
    if any(image[table_end : min(table_end + wanted, size)]):
        raise PeError("something follows its section headers")
    shift = align(max(table_end + wanted - size, 0), file.optional.file_alignment)
    if not shift:
        return
    first = min(section.address for section in file.sections)
    if size + shift > first:
        raise PeError("its headers have no room for another section")
    debug = file.debug
    header = file.optional._replace(headers_size=size + shift)
    pe.OPTIONAL.pack_into(image, file.optional_at, *header)
    for number, section in enumerate(file.sections):
        moved = replace(section, offset=section.offset + shift if section.offset else 0)
        at = file.sections_at + number * pe.SECTION.size
        image[at : at + pe.SECTION.size] = moved.pack()
    for entry in debug:
        if entry.offset:
            pe.U32.pack_into(image, entry.at + pe.DEBUG.size - 4, entry.offset + shift)
    image[size:size] = bytes(shift)


def _forget_paths(file: Pe, image: bytearray) -> None:
    """Let the debug directory name no file, and no time but that of the header (which the linker was given)."""
    for entry in file.debug:
        pe.U32.pack_into(image, entry.at + 4, file.file.time)
        if entry.path:
            at = entry.offset + 24
            image[at : entry.offset + entry.size] = bytes(entry.size - 24)


def _section(name: bytes, size: int, address: int, raw_size: int, offset: int) -> Section:
    flags = pe.SCN_DATA | pe.SCN_READ
    return Section(name.ljust(8, b"\0"), size, address, raw_size, offset, 0, 0, 0, 0, flags)


def _write_headers(
    file: Pe,
    image: bytearray,
    header: OptionalHeader,
    added: list[Section],
    directories: dict[int, tuple[int, int]],
) -> None:
    pe.OPTIONAL.pack_into(image, file.optional_at, *header)
    count = file.file.sections
    pe.FILE.pack_into(image, file.header_at + 4, *file.file._replace(sections=count + len(added)))
    at = file.sections_at + count * pe.SECTION.size
    for number, section in enumerate(added):
        place = at + number * pe.SECTION.size
        image[place : place + pe.SECTION.size] = section.pack()
    for number, row in directories.items():
        if number >= header.directories:
            raise PeError("it has no data directory for resources")
        pe.DIRECTORY.pack_into(image, file.directories_at + number * pe.DIRECTORY.size, *row)
