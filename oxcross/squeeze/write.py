"""Writes the compressed launcher: what is left of the linked one, the thunks, and the table of the groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from struct import Struct

from oxcross import elf
from oxcross.elf import PF_R, PF_W, PF_X, PT_INTERP, PT_LOAD, ElfError, Segment
from oxcross.squeeze import table
from oxcross.squeeze.linked import Linked
from oxcross.squeeze.machine import THUNK
from oxcross.squeeze.split import Group, Splitter

_PT_PHDR, _PT_GNU_EH_FRAME = 6, 0x6474E550
_DT_RELA, _DT_RELASZ, _DT_RELACOUNT = 7, 8, 0x6FFFFFF9
_DYNAMIC = Struct("<qQ")
_RELA = Struct("<QQq")
_WORD = Struct("<I")
# Left out: unwinding (nothing throws through it, and where a table is missing an unwinder ends), and the dynamic
# relocations, of which a shorter table takes the place.
_LEFT_OUT = (".eh_frame", ".eh_frame_hdr", ".rela.dyn")


@dataclass(frozen=True, slots=True)
class _Range:
    """Bytes that are loaded: from ``start`` to ``end`` (addresses), of which ``file_end`` are in the file."""

    start: int
    end: int
    file_end: int
    flags: int


def write(linked: Linked, at_start: frozenset[str], compress: Callable[[bytes], bytes]) -> bytes:
    """The compressed launcher; ``compress`` makes a zstd frame with a check sum."""
    splitter = Splitter(linked, at_start)
    page = splitter.machine.page
    thunks = splitter.cold_end + page
    splitter.split(thunks)
    count = sum(len(group.functions) for group in splitter.groups)
    entry = linked.symbol("ox_group_entry").value
    code = b"".join(splitter.machine.thunk(thunks + n * THUNK, entry) for n in range(count)) or bytes(THUNK)
    imports = _up(thunks + len(code), page) + page
    rela = [*splitter.kept]
    rela += [(imports + 8 * n, symbol << 32 | kind, 0) for n, (symbol, kind) in enumerate(splitter.imports)]
    relative = splitter.machine.relative
    rela.sort(key=lambda row: (row[1] != relative, row[0]))
    relocations = b"".join(_RELA.pack(*row) for row in rela)
    tables = imports + _up(8 * len(splitter.imports), page) + page
    listed = _table(splitter, thunks, count, imports, compress)
    content = relocations + listed

    at = linked.offset(linked.symbol("ox_groups_at").value)
    Struct("<QQ").pack_into(linked.data, at, tables + len(relocations), len(listed))
    count_relative = sum(row[1] == relative for row in rela)
    _dynamic(linked, {_DT_RELA: tables, _DT_RELASZ: len(relocations), _DT_RELACOUNT: count_relative})

    out = bytearray()
    segments = [_stored(linked, one, out, page) for one in _ranges(linked, splitter)]
    segments.append(
        Segment(
            PT_LOAD,
            PF_R,
            _up(len(out), page),
            splitter.cold,
            splitter.cold,
            0,
            splitter.cold_end - splitter.cold,
            page,
        )
    )
    segments.append(_appended(out, code, thunks, PF_R | PF_X, page))
    if splitter.imports:
        segments.append(_appended(out, bytes(8 * len(splitter.imports)), imports, PF_R | PF_W, page))
    segments.append(_appended(out, content, tables, PF_R, page))
    return _headed(linked, out, segments)


def _up(value: int, page: int) -> int:
    return -(-value // page) * page


def _table(
    splitter: Splitter, thunks: int, count: int, imports: int, compress: Callable[[bytes], bytes]
) -> bytes:
    rows = []
    frames = bytearray()
    first = table.first_frame(len(splitter.groups))
    for group in splitter.groups:
        places = []
        index = _index(group)
        for content in (group.content, index):
            frame = compress(content)
            places += [first + len(frames), len(frame)]
            frames += frame
        row = table.Row(
            name=group.name,
            start=group.start,
            code=group.constants - group.start,
            constants=group.data - group.constants,
            data=group.end - group.data,
            content_size=len(group.content),
            content=places[0],
            content_frame=places[1],
            index=places[2],
            index_frame=places[3],
            index_size=len(index),
            first_thunk=group.first_thunk,
            thunk_count=len(group.functions),
            flags=table.AT_START if group.name in splitter.at_start else 0,
        )
        rows.append(row)
    head = table.Head(
        size=first + len(frames),
        cold=splitter.cold,
        cold_size=splitter.cold_end - splitter.cold,
        thunks=thunks,
        imports=imports,
        thunk_count=count,
        import_count=len(splitter.imports),
        count=len(rows),
    )
    return table.pack(head, rows, bytes(frames))


def _index(group: Group) -> bytes:
    words = [len(group.pointers), len(group.imports)]
    words += [function - group.start for function in group.functions]
    before = group.start
    for place in sorted(group.pointers):
        words.append(place - before)
        before = place
    for place, number, addend in sorted(group.imports):
        words += [place - group.start, number, addend & 0xFFFFFFFF, addend >> 32 & 0xFFFFFFFF]
    return b"".join(_WORD.pack(word) for word in words)


def _dynamic(linked: Linked, values: dict[int, int]) -> None:
    section = linked.section(".dynamic")
    if section is None:
        raise ElfError("the launcher has no dynamic section")
    for at in range(section.offset, section.offset + section.size, _DYNAMIC.size):
        tag, _ = _DYNAMIC.unpack_from(linked.data, at)
        if tag in values:
            _DYNAMIC.pack_into(linked.data, at, tag, values[tag])


def _ranges(linked: Linked, splitter: Splitter) -> list[_Range]:
    """What stays of each loaded segment."""
    gone = [one for one in linked.loaded if one.name in _LEFT_OUT]
    found: list[_Range] = []
    for segment in linked.elf.of_type(PT_LOAD):
        if segment.vaddr >= splitter.cold:
            continue
        end, file_end = segment.vaddr + segment.memsz, segment.vaddr + segment.filesz
        rest = _Range(segment.vaddr, end, file_end, segment.flags)
        for hole in gone:
            # A hole is as large as its whole pages: what is before and behind it may share none.
            first, last = (
                _up(hole.address, splitter.machine.page),
                hole.end // splitter.machine.page * splitter.machine.page,
            )
            if rest.start <= hole.address and hole.end <= file_end and first < last:
                found.append(_Range(rest.start, hole.address, hole.address, segment.flags))
                rest = _Range(max(hole.end, last), end, file_end, segment.flags)
        if rest.start < end:
            found.append(rest)
    return [one for one in found if one.start < one.end]


def _stored(linked: Linked, one: _Range, out: bytearray, page: int) -> Segment:
    """Append a range's bytes; its segment. Offsets and addresses agree within a page."""
    section = next(s for s in linked.elf.of_type(PT_LOAD) if s.vaddr <= one.start < s.vaddr + max(s.memsz, 1))
    source = section.offset + one.start - section.vaddr
    out += bytes((one.start - len(out)) % page)
    offset = len(out)
    size = one.file_end - one.start
    out += linked.data[source : source + size]
    return Segment(PT_LOAD, one.flags, offset, one.start, one.start, size, one.end - one.start, page)


def _appended(out: bytearray, content: bytes, address: int, flags: int, page: int) -> Segment:
    out += bytes((address - len(out)) % page)
    offset = len(out)
    out += content
    return Segment(PT_LOAD, flags, offset, address, address, len(content), len(content), page)


def _headed(linked: Linked, out: bytearray, loads: list[Segment]) -> bytes:
    """Put the program headers and the ELF header in; there are no section headers."""
    others = [one for one in linked.elf.segments if one.type not in (PT_LOAD, _PT_GNU_EH_FRAME)]
    # PT_PHDR and PT_INTERP come before what is loaded (elf(5)).
    first = [_moved(one, loads) for one in others if one.type in (_PT_PHDR, PT_INTERP)]
    last = [_moved(one, loads) for one in others if one.type not in (_PT_PHDR, PT_INTERP)]
    kept = [*first, *loads, *last]
    if len(kept) > linked.elf.segment_count:
        raise ElfError("the launcher has too few program headers")
    header = list(elf.HEADER.unpack_from(out))
    room = linked.elf.segment_count * elf.SEGMENT.size
    at = linked.elf.segments_offset
    out[at : at + room] = b"".join(one.pack() for one in kept).ljust(room, b"\0")
    header[6], header[10], header[12], header[13] = 0, len(kept), 0, 0
    elf.HEADER.pack_into(out, 0, *header)
    return bytes(out)


def _moved(segment: Segment, loads: list[Segment]) -> Segment:
    """The segment where it lies in the new file: within what is loaded."""
    for load in loads:
        if load.vaddr <= segment.vaddr and segment.vaddr + segment.filesz <= load.vaddr + load.filesz:
            return replace(segment, offset=load.offset + segment.vaddr - load.vaddr)
    return segment
