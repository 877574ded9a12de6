"""Reads a blob in place: what an executable carries, for `oxcross inspect` and for tests.

Opening checks the header; each table's offsets are checked when the table is first used, and every
damage is an InspectError that names the section. ``oxcross.pack.check`` holds a blob to all of the
format's rules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from struct import Struct
from typing import Any, NoReturn

from oxcross.errors import InspectError
from oxcross.pack.codec import Payload, decode
from oxcross.pack.format import (
    DICTIONARY_CHECK,
    DICTIONARY_CHECK_OFFSET,
    HEADER_PREFIX,
    HEADER_SIZE,
    LIBRARY,
    MAGIC,
    MODULE,
    NODE,
    NONE,
    SECTIONS_OFFSET,
    SETTING,
    SHA256_OFFSET,
    SLOT,
    SPAN,
    VERSION,
    Codec,
    Key,
    LibraryFlag,
    ModuleFlag,
    NodeFlag,
    NodeKind,
    Section,
    fnv1a,
)


@dataclass(frozen=True, slots=True)
class PayloadRef:
    """struct ox_payload: ``offset`` is from the start of the payload section; sizes in bytes."""

    offset: int
    stored: int
    size: int
    codec: int
    check: int = 0


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """struct ox_module, decoded."""

    name: str
    path: str
    code: PayloadRef
    flags: ModuleFlag
    source: int


@dataclass(frozen=True, slots=True)
class NodeRow:
    """struct ox_node, decoded."""

    path: str
    name: int
    kind: int
    flags: NodeFlag
    parent: int
    first_child: int
    child_count: int
    module: int
    data: PayloadRef


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """struct ox_library, decoded."""

    soname: str
    node: int
    flags: LibraryFlag


@dataclass(frozen=True, slots=True)
class SettingRow:
    """struct ox_setting, decoded; ``key`` is a plain number when this version does not know it."""

    key: int
    number: int
    text: str


def damaged(section: Section | str, message: str) -> NoReturn:
    """Raise the InspectError for damage in ``section``."""
    name = section.name if isinstance(section, Section) else section
    raise InspectError(
        f"damaged: {message}",
        where=f"blob section {name}",
        hint="the file was changed or cut short after it was built: build or download it again",
    )


class Blob:
    """A blob in memory. ``data`` may be longer than the blob (the header has its size).

    Raises InspectError when the header is not one of this version, or its sections lie outside.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        if len(view) < HEADER_SIZE:
            damaged("HEADER", f"{len(view)} bytes, shorter than a header")
        magic, version, header_size, self.size, self.flags = HEADER_PREFIX.unpack_from(view)
        if magic != MAGIC:
            damaged("HEADER", "no blob starts here (wrong magic)")
        if version != VERSION:
            raise InspectError(
                f"blob version {version}; this oxcross reads version {VERSION}",
                hint="use the oxcross that built it",
            )
        if header_size != HEADER_SIZE:
            damaged("HEADER", f"header size {header_size}")
        if self.size > len(view) or self.size < HEADER_SIZE:
            damaged("HEADER", f"{self.size} bytes promised, {len(view)} there")
        self.view = view[: self.size]
        self.spans = [SPAN.unpack_from(view, SECTIONS_OFFSET + section * SPAN.size) for section in Section]
        (self.dictionary_check,) = DICTIONARY_CHECK.unpack_from(view, DICTIONARY_CHECK_OFFSET)
        for section in Section:
            offset, size = self.spans[section]
            if offset < HEADER_SIZE or offset + size > self.size:
                damaged(section, f"{size} bytes at {offset} end behind the blob's {self.size}")

    @property
    def sha256(self) -> str:
        """The digest in the header, hex."""
        return self.view[SHA256_OFFSET:HEADER_SIZE].hex()

    def computed_sha256(self) -> str:
        """The digest of what is there, hex; equal to ``sha256`` in an undamaged blob."""
        digest = hashlib.sha256(self.view[:SHA256_OFFSET])
        digest.update(bytes(HEADER_SIZE - SHA256_OFFSET))
        digest.update(self.view[HEADER_SIZE:])
        return digest.hexdigest()

    def section(self, section: Section) -> memoryview:
        """The bytes of ``section``."""
        offset, size = self.spans[section]
        return self.view[offset : offset + size]

    def rows(self, section: Section, layout: Struct) -> Iterator[tuple[Any, ...]]:
        """The table's rows, unpacked; damage when its size is no multiple of a row's."""
        table = self.section(section)
        if len(table) % layout.size:
            damaged(section, f"{len(table)} bytes, not a multiple of {layout.size}")
        return layout.iter_unpack(table)

    @cached_property
    def _strings(self) -> bytes:
        return bytes(self.section(Section.STRINGS))

    def text(self, offset: int, size: int, user: Section) -> str:
        """The string at ``offset``; ``user`` is the section to blame when it is outside."""
        end = offset + size
        if end >= len(self._strings) or self._strings[end] != 0:
            damaged(user, f"a string of {size} bytes at {offset} is outside of the strings")
        try:
            return self._strings[offset:end].decode("utf-8", "surrogateescape")
        except UnicodeDecodeError:  # pragma: no cover - surrogateescape takes every byte
            damaged(user, f"the string at {offset} is not UTF-8")

    @cached_property
    def modules(self) -> list[ModuleRow]:
        """The module table, in its order."""
        user = Section.MODULES
        return [
            ModuleRow(
                self.text(row[0], row[1], user),
                self.text(row[2], row[3], user),
                PayloadRef(*row[4:9]),
                ModuleFlag(row[9]),
                row[10],
            )
            for row in self.rows(user, MODULE)
        ]

    @cached_property
    def nodes(self) -> list[NodeRow]:
        """The node table, the root first."""
        user = Section.NODES
        return [
            NodeRow(
                self.text(row[0], row[1], user),
                row[2],
                row[3],
                NodeFlag(row[4]),
                row[5],
                row[6],
                row[7],
                row[8],
                PayloadRef(*row[9:14]),
            )
            for row in self.rows(user, NODE)
        ]

    @cached_property
    def libraries(self) -> list[LibraryRow]:
        """The shared libraries in load order."""
        user = Section.LIBRARIES
        return [
            LibraryRow(self.text(row[0], row[1], user), row[2], LibraryFlag(row[3]))
            for row in self.rows(user, LIBRARY)
        ]

    @cached_property
    def settings(self) -> list[SettingRow]:
        """The launcher's settings."""
        user = Section.SETTINGS
        return [
            SettingRow(row[0], row[2], self.text(row[3], row[4], user)) for row in self.rows(user, SETTING)
        ]

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest."""
        try:
            manifest = json.loads(bytes(self.section(Section.MANIFEST)))
        except ValueError:
            damaged(Section.MANIFEST, "not JSON")
        if not isinstance(manifest, dict):
            damaged(Section.MANIFEST, "not a JSON object")
        return manifest

    def setting(self, key: Key) -> SettingRow | None:
        """The first setting with ``key``."""
        return next((setting for setting in self.settings if setting.key == key), None)

    def stored(self, payload: PayloadRef, user: Section = Section.PAYLOAD) -> memoryview:
        """The payload's bytes as they are stored; ``user`` is to blame when they are outside."""
        section = self.section(Section.PAYLOAD)
        if payload.offset + payload.stored > len(section):
            damaged(user, f"{payload.stored} bytes at {payload.offset} are outside of the payloads")
        return section[payload.offset : payload.offset + payload.stored]

    def read(self, payload: PayloadRef, user: Section = Section.PAYLOAD) -> bytes:
        """The payload's decoded bytes."""
        stored = self.stored(payload, user)
        dictionary = bytes(self.section(Section.DICTIONARY))
        try:
            one = Payload(stored, payload.size, Codec(payload.codec), b"", payload.check)
            return decode(one, dictionary)
        except ValueError as error:
            damaged(Section.PAYLOAD, str(error))

    def find(self, section: Section, name: str) -> int | None:
        """The index of the module (MODULE_SLOTS) or node (NODE_SLOTS) ``name``, as the launcher
        finds it: through the hash index."""
        table = self.section(section)
        count = len(table) // SLOT.size
        if count == 0 or count & (count - 1):
            damaged(section, f"{count} slots, not a power of two")
        hashed = fnv1a(name.encode("utf-8", "surrogateescape"))
        for step in range(count):
            tag, index = SLOT.unpack_from(table, ((hashed + step) & (count - 1)) * SLOT.size)
            if index == NONE:
                return None
            if tag == hashed >> 32 and self._name_of(section, index) == name:
                return int(index)
        damaged(section, "no empty slot")

    def _name_of(self, section: Section, index: int) -> str:
        is_module = section is Section.MODULE_SLOTS
        count = len(self.modules) if is_module else len(self.nodes)
        if index >= count:
            damaged(section, f"entry {index} of {count}")
        return self.modules[index].name if is_module else self.nodes[index].path

    def module(self, name: str) -> ModuleRow | None:
        """The module called ``name``."""
        index = self.find(Section.MODULE_SLOTS, name)
        return None if index is None else self.modules[index]

    def node(self, path: str) -> NodeRow | None:
        """The node at ``path`` (the root is "")."""
        index = self.find(Section.NODE_SLOTS, path)
        return None if index is None else self.nodes[index]

    def children(self, node: NodeRow) -> list[NodeRow]:
        """A directory's entries, in order."""
        if node.kind != NodeKind.DIR or node.child_count == 0:
            return []
        if node.first_child + node.child_count > len(self.nodes):
            damaged(Section.NODES, f"{node.path}: children outside of the table")
        return self.nodes[node.first_child : node.first_child + node.child_count]
