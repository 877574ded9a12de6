"""What is inside an executable, piece by piece, each under a name: so that two can be compared by what they hold.

Nothing is taken on trust, and damage in one piece does not hide the others: what cannot be read is a piece that says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oxcross import elf
from oxcross.elf import Elf, ElfError, Segment, is_elf
from oxcross.errors import InspectError
from oxcross.inspect.locating import Place, places
from oxcross.macho import Macho, MachoError
from oxcross.pack.format import Key, NodeKind, Section
from oxcross.pack.reader import Blob, PayloadRef
from oxcross.pe import Pe, PeError, is_pe

CODE: Final = "program code"  # the kind of what is outside of the blob
Pieces = dict[tuple[str, str], bytes]  # (kind, name) -> content


@dataclass(frozen=True, kw_only=True)
class Contained:
    """An executable's pieces, and where what lies in the file. ``regions``: name, first byte, first byte behind it."""

    pieces: Pieces
    regions: tuple[tuple[str, int, int], ...]

    def region(self, offset: int) -> str:
        """What lies at an offset of the file."""
        found = [name for name, start, end in self.regions if start <= offset < end]
        return found[-1] if found else "the end"


def read(path: Path) -> Contained:
    """All pieces of the executable. InspectError for what is none, or has a header that leads nowhere."""
    data = path.read_bytes()
    pieces: Pieces = {}
    regions: list[tuple[str, int, int]] = []
    found = places(data, path)
    for number, place in enumerate(found):
        mark = f"{number + 1}/" if len(found) > 1 else ""
        start, blob_start = place.start, place.start + place.blob.offset
        blob_end = blob_start + place.blob.size
        blob = Blob(memoryview(data)[blob_start:blob_end])
        regions.append((f"{mark}launcher", start, blob_start))
        for name, at, end in sections(memoryview(data)[start : place.end]):
            regions.append((f"{mark}launcher, {name}", start + at, start + end))
        regions.append((f"{mark}blob", blob_start, blob_end))
        for section in Section:
            at, size = blob.spans[section]
            name = f"{mark}blob section {section.name.lower()}"
            regions.append((name, blob_start + at, blob_start + at + size))
        regions.append((f"{mark}what is behind the blob", blob_end, place.end))
        for kind, name, content in (*_around(data, place), *_inside(blob)):
            pieces[kind, mark + name] = content
    return Contained(pieces=pieces, regions=tuple(regions))


def sections(view: memoryview) -> list[tuple[str, int, int]]:
    """The named parts of the executable's format, of ELF what is loaded; none of one whose headers are damaged."""
    try:
        if is_elf(view):
            return [
                (_loaded(one), one.offset, one.offset + one.filesz) for one in Elf(view).of_type(elf.PT_LOAD)
            ]
        if is_pe(view):
            return [(one.label, one.offset, one.offset + one.raw_size) for one in Pe(view).sections]
        found = [one for segment in Macho(view).segments for one in segment.sections]
        return [(one.name, one.offset, one.offset + one.size) for one in found if one.offset]
    except (ElfError, PeError, MachoError):
        return []


def _loaded(segment: Segment) -> str:
    if segment.flags & elf.PF_X:
        return "program code"
    return "variables" if segment.flags & elf.PF_W else "constants"


def _around(data: bytes, place: Place) -> Iterator[tuple[str, str, bytes]]:
    start, end = place.start + place.blob.offset, place.start + place.blob.offset + place.blob.size
    yield CODE, "launcher", data[place.start : start]
    yield CODE, "behind the blob", data[end : place.end]


def _inside(blob: Blob) -> Iterator[tuple[str, str, bytes]]:
    for one in blob.modules:
        about = f"{one.path} {one.flags!r}\n".encode()
        yield "module", one.name, about + _payload(blob, one.code)
    for node in blob.nodes:
        about = f"{node.flags!r}\n".encode()
        if node.kind == NodeKind.FILE:
            yield "file", node.path, about + _payload(blob, node.data)
    for library in blob.libraries:
        yield "library", library.soname, f"{library.flags!r}".encode()
    settings: dict[str, list[str]] = {}
    for setting in blob.settings:
        name = Key(setting.key).name if setting.key in Key._value2member_map_ else str(setting.key)
        key = name.lower().replace("_", "-")
        settings.setdefault(key, []).append(f"{setting.number} {setting.text}")
    for key, lines in settings.items():
        yield "setting", key, "\n".join(lines).encode("utf-8", "surrogateescape")
    for key, value in blob.manifest.items():
        if key in ("libraries", "distributions"):
            for row in value:
                yield key.removesuffix("s").replace("library", "component"), str(row["name"]), _text(row)
        else:
            yield "fact", key, _text(value)


def _payload(blob: Blob, payload: PayloadRef) -> bytes:
    try:
        return blob.read(payload)
    except InspectError as error:
        return f"{error.message}: {bytes(blob.stored(payload)).hex()}".encode()


def _text(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=2).encode()
