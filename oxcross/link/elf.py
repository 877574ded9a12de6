"""ELF: the blob becomes a segment.

The launcher carries a spare program header, a PT_NOTE of its own with a note by "oxcross". It becomes
the PT_LOAD of the blob, which is appended on a page boundary; so the kernel maps the blob like any
read-only data, and nothing that is already linked moves. A section header covers it too, so that
strip and objcopy keep it.
"""

from __future__ import annotations

from oxcross import elf
from oxcross.elf import Elf, ElfError, Segment
from oxcross.link.locator import fill
from oxcross.pack.format import BLOB_ALIGN, align

NOTE_OWNER = "oxcross"
SECTION_NAME = b".oxblob"


def prepare(image: bytearray, blob_size: int) -> bytes:
    """Make the launcher's image ready (headers, locator, padding); what goes behind the blob.

    Raises ElfError or LocatorError for an image that is no launcher.
    """
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
    fill(image, address - base, blob_size, offset, end)
    return trailer


def _spare(file: Elf) -> Segment:
    """The PT_NOTE that the launcher keeps for the blob."""
    for segment in file.of_type(elf.PT_NOTE):
        owners = {owner for owner, _, _ in file.notes(segment)}
        if owners == {NOTE_OWNER}:
            return segment
    raise ElfError("it has no program header to spare (a PT_NOTE with a note by oxcross alone)")


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
