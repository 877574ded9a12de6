"""Every byte of an executable, each under the name of what it is there for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from oxcross import pack, targets
from oxcross.cost.owners import Owners
from oxcross.elf import ElfError
from oxcross.errors import InspectError
from oxcross.inspect.executable import mapped
from oxcross.inspect.locating import HINT, Place, places
from oxcross.macho import Macho, MachoError
from oxcross.pack.format import NONE, Key, ModuleFlag, NodeKind, Section
from oxcross.pack.reader import Blob, ModuleRow, NodeRow
from oxcross.pe import PeError
from oxcross.publish import contained
from oxcross.squeeze import table

INTERPRETER: Final = "interpreter and launcher"
TABLES: Final = "tables"  # what the rest is found by, and the room between
GROUP: Final = "compressed program code"
BYTECODE: Final = "bytecode"
EXTENSION: Final = "extension module"
SOURCE: Final = "source text"
METADATA: Final = "metadata"
DATA: Final = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some bytes of the file. ``stored`` is what they take there, ``size`` what they are when unpacked.

    ``path`` is that below the executable, "" for what has none; ``arch`` the slice of a fat file, "" in any other.
    """

    part: str
    kind: str
    name: str
    path: str = ""
    stored: int
    size: int
    arch: str = ""
    stdlib: bool = False


@dataclass(frozen=True, kw_only=True)
class Content:
    """An executable: ``pieces`` sum up to ``size``. ``manifest`` is its first slice's, of ``blobs`` each has one."""

    name: str
    size: int
    sha256: str
    target: str
    manifest: Mapping[str, Any]
    pieces: tuple[Piece, ...]
    blobs: tuple[Blob, ...]

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Stored and unpacked bytes of each part, the largest first."""
        found: dict[str, tuple[int, int]] = {}
        for piece in self.pieces:
            stored, size = found.get(piece.part, (0, 0))
            found[piece.part] = stored + piece.stored, size + piece.size
        return dict(sorted(found.items(), key=lambda item: (-item[1][0], item[0])))


def read(path: Path) -> Content:
    """All of the executable at ``path``. UsageError for no file, InspectError for one that oxcross did not make, or a damaged one."""
    data = mapped(path)
    view = memoryview(data)
    found = places(data, path)
    pieces: list[Piece] = []
    blobs = []
    try:
        for place in found:
            blob = Blob(view[place.start + place.blob.offset :][: place.blob.size])
            pack.check(blob)
            part = view[place.start : place.end]
            arch = Macho(part).arch if len(found) > 1 else ""
            pieces += _slice(part, place, blob, arch)
            blobs.append(blob)
    except (ElfError, PeError, MachoError) as error:
        raise InspectError(f"damaged: {error}", where=str(path), hint=HINT) from error
    except InspectError as error:
        where = f"{path}: {error.where}" if error.where else str(path)
        raise InspectError(error.message, where=where, hint=error.hint, page=error.page) from None
    between = len(view) - sum(place.end - place.start for place in found)
    if between:
        pieces.append(_table("between the slices", between))
    return Content(
        name=path.name,
        size=len(view),
        sha256=hashlib.sha256(view).hexdigest(),
        target=_target(blobs),
        manifest=blobs[0].manifest,
        pieces=tuple(pieces),
        blobs=tuple(blobs),
    )


def _target(blobs: Sequence[Blob]) -> str:
    """The target that all slices together are for."""
    names = [str(blob.manifest.get("target", "")) for blob in blobs]
    whole = [row.name for row in targets.load().values() if set(row.slices) == set(names)]
    return whole[0] if whole else names[0]


def runs(blob: Blob) -> list[tuple[int, str]]:
    """What an executable runs: the numbers of pack.format.Run, and the targets."""
    kind, value = blob.setting(Key.RUN_KIND), blob.setting(Key.RUN_TARGET)
    found = [(kind.number, value.text)] if kind and value else []
    commands = (one for one in blob.settings if one.key == Key.COMMAND)
    return found + [(one.number, one.text.partition("=")[2]) for one in commands]


def _slice(view: memoryview, place: Place, blob: Blob, arch: str) -> Iterator[Piece]:
    start, end = place.blob.offset, place.blob.offset + blob.size
    yield from _launcher(view, start, arch)
    yield from _blob(blob, arch)
    if behind := len(view) - end:
        yield _table("behind the blob", behind, arch)


def _launcher(view: memoryview, end: int, arch: str) -> Iterator[Piece]:
    """The file up to its blob: by what its format says, with the groups of compressed code apart."""
    groups = table.find(view[:end])
    rest = end
    frames = 0
    for row in groups.rows if groups else ():
        if stored := row.content_frame + row.index_frame:
            frames += stored
            size = row.content_size + row.index_size
            yield Piece(part=INTERPRETER, kind=GROUP, name=row.name, stored=stored, size=size, arch=arch)
    rest -= frames
    at = 0
    for name, first, last in sorted(contained.sections(view), key=lambda one: one[1:]):
        begin, until = max(first, at), min(last, end)
        size = until - begin
        if groups and begin <= groups.at < until:
            size -= frames
        if size > 0:
            at = until
            rest -= size
            yield _code(name, size, arch)
    if rest:
        yield _code("headers and other sections", rest, arch)


def _code(name: str, size: int, arch: str) -> Piece:
    return Piece(part=INTERPRETER, kind=contained.CODE, name=name, stored=size, size=size, arch=arch)


def _table(name: str, size: int, arch: str = "") -> Piece:
    return Piece(part=TABLES, kind="table", name=name, stored=size, size=size, arch=arch)


def _blob(blob: Blob, arch: str) -> Iterator[Piece]:
    left = blob.size
    for section in Section:
        size = blob.spans[section][1]
        if size and section is not Section.PAYLOAD:
            left -= size
            yield _table(section.name.lower().replace("_", " "), size, arch)
    owners = Owners.of(blob)
    seen: set[int] = set()
    rows: list[ModuleRow | NodeRow] = [*blob.modules, *blob.nodes]
    for row in rows:
        data = row.code if isinstance(row, ModuleRow) else row.data
        new = bool(data.stored) and data.offset not in seen
        if not new and not (isinstance(row, ModuleRow) and data.size):
            continue
        seen.add(data.offset)
        left -= data.stored if new else 0
        stored, size = (data.stored, data.size) if new else (0, 0)
        yield _payload(blob, row, owners, stored, size, arch)
    if left:
        yield _table("room between", left, arch)


def _payload(
    blob: Blob, row: ModuleRow | NodeRow, owners: Owners, stored: int, size: int, arch: str
) -> Piece:
    if isinstance(row, ModuleRow):
        kind = EXTENSION if ModuleFlag.EXTENSION in row.flags else BYTECODE
        stdlib = ModuleFlag.STDLIB in row.flags
        name = row.name
    else:
        name = row.path
        stdlib = owners.is_stdlib(row.path)
        if row.module != NONE and row.path.endswith(".py"):
            kind, name = SOURCE, blob.modules[row.module].name
        elif row.kind == NodeKind.FILE and ".dist-info/" in row.path:
            kind = METADATA
        else:
            kind = "shared library" if row.path in owners.libraries else DATA
    return Piece(
        part=owners.part(row.path), kind=kind, name=name, path=row.path,
        stored=stored, size=size, arch=arch, stdlib=stdlib,
    )  # fmt: skip
