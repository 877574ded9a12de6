"""Writes a blob: the format of launcher/resources.h, from resources, settings and a manifest.

The same resources, settings and manifest give the same bytes, whatever order they were added in.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from oxcross.pack.codec import Compression, Encoder, check_sum
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
    SECTION_ALIGN,
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
    align,
    hashes,
    slots,
)
from oxcross.pack.layout import Node, Payloads, Strings, tree

if TYPE_CHECKING:
    from oxcross.pack.resources import File, Module, Resources


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the launcher; whether it is a number or a text depends on the key."""

    key: Key
    number: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: ``size`` in bytes, and the SHA-256 that the header carries (hex)."""

    size: int
    sha256: str


def encode(resources: Resources, compression: Compression) -> Resources:
    """The same resources with raw payloads compressed as asked; other payloads stay as they are."""
    encoder = Encoder(compression, resources.dictionary)

    def module(one: Module) -> Module:
        if one.code is None or one.code.codec is not Codec.RAW:
            return one
        return replace(one, code=encoder.payload(one.code.stored))

    def file(one: File) -> File:
        if one.data.codec is not Codec.RAW:
            return one
        return replace(one, data=encoder.payload(one.data.stored))

    return replace(
        resources,
        modules={name: module(one) for name, one in resources.modules.items()},
        files={path: file(one) for path, one in resources.files.items()},
    )


def write(
    resources: Resources,
    settings: Iterable[Setting],
    manifest: Mapping[str, Any],
    out: Path | IO[bytes],
    compression: Compression = "none",
) -> Written:
    """Write the blob to ``out`` (a path, or a seekable binary file at position 0).

    ``compression`` is for payloads that are still raw; those that collect made are left alone.
    Raises ValueError for resources that no blob can hold (see ``layout.tree``).
    """
    if compression != "none":
        resources = encode(resources, compression)
    sections, payloads = _sections(resources, settings, manifest)
    if isinstance(out, Path):
        with out.open("wb") as file:
            return _stream(sections, payloads, file)
    return _stream(sections, payloads, out)


def blob(
    resources: Resources,
    settings: Iterable[Setting] = (),
    manifest: Mapping[str, Any] | None = None,
    compression: Compression = "none",
) -> bytes:
    """The blob as bytes: for small ones, and for tests."""
    buffer = io.BytesIO()
    write(resources, settings, manifest or {}, buffer, compression)
    return buffer.getvalue()


def _sections(
    resources: Resources, settings: Iterable[Setting], manifest: Mapping[str, Any]
) -> tuple[list[bytes], Payloads]:
    """Every section but the payloads, in order, and the payloads."""
    strings = Strings()
    modules = sorted(resources.modules.values(), key=lambda module: module.name.encode())
    nodes = tree(resources)
    node_of = {node.path: number for number, node in enumerate(nodes)}
    payloads = Payloads(_shared_libraries(resources))

    module_of: dict[bytes, int] = {}
    module_rows = []
    for number, module in enumerate(modules):
        path = module.path.encode("utf-8", "surrogateescape")
        source = NONE
        if not module.namespace:
            module_of[path] = number
            source = NONE if module.extension else node_of.get(path, NONE)
        row = (
            *strings.add(module.name.encode()),
            *strings.add(path),
            *payloads.add(module.code),
            _module_flags(module),
            source,
            0,
            0,
        )
        module_rows.append(MODULE.pack(*row))

    node_rows = [_node_row(node, strings, payloads, module_of) for node in nodes]
    library_rows = [
        LIBRARY.pack(
            *strings.add(library.soname.encode()),
            node_of[library.path.encode()],
            (LibraryFlag.FALLBACK if library.fallback else 0)
            | (LibraryFlag.NAMELESS if library.nameless else 0)
            | (LibraryFlag.SYSTEMS if library.systems else 0),
        )
        for library in resources.libraries.values()
    ]
    setting_rows = [
        SETTING.pack(setting.key, 0, setting.number, *strings.add(setting.text.encode()))
        for setting in sorted(settings, key=lambda setting: setting.key)
    ]
    sections = {
        Section.STRINGS: strings.bytes(),
        Section.MODULES: b"".join(module_rows),
        Section.MODULE_SLOTS: _slot_rows([m.name.encode() for m in modules], b"."),
        Section.NODES: b"".join(node_rows),
        Section.NODE_SLOTS: _slot_rows([node.path for node in nodes], b"/"),
        Section.LIBRARIES: b"".join(library_rows),
        Section.SETTINGS: b"".join(setting_rows),
        Section.DICTIONARY: resources.dictionary,
        Section.MANIFEST: json.dumps(
            manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode(),
    }
    return [sections[section] for section in Section if section in sections], payloads


def _shared_libraries(resources: Resources) -> list[Any]:
    found = [module.code for module in resources.modules.values() if module.extension]
    found += [resources.files[library.path].data for library in resources.libraries.values()]
    return found


def _module_flags(module: Module) -> int:
    flags = ModuleFlag(0)
    if module.package or module.namespace:
        flags |= ModuleFlag.PACKAGE
    if module.namespace:
        flags |= ModuleFlag.NAMESPACE
    if module.extension:
        flags |= ModuleFlag.EXTENSION
    if module.stdlib:
        flags |= ModuleFlag.STDLIB
    if module.linked:
        flags |= ModuleFlag.LINKED
    return flags


def _node_row(node: Node, strings: Strings, payloads: Payloads, module_of: Mapping[bytes, int]) -> bytes:
    file = node.file
    row = (
        *strings.add(node.path),
        node.name_offset,
        NodeKind.FILE if file else NodeKind.DIR,
        NodeFlag.EXECUTABLE if file and file.executable else 0,
        node.parent,
        node.first_child,
        node.child_count,
        module_of.get(node.path, NONE) if file else NONE,
        *payloads.add(file.data if file else None),
    )
    return NODE.pack(*row)


def _slot_rows(names: Sequence[bytes], separator: bytes) -> bytes:
    return b"".join(SLOT.pack(*slot) for slot in slots(hashes(names, separator)))


def _stream(sections: Sequence[bytes], payloads: Payloads, out: IO[bytes]) -> Written:
    """Header, sections, payloads; the digest is taken on the way and written into the header last."""
    spans = []
    position = HEADER_SIZE
    for size in (*map(len, sections), payloads.size):
        position = align(position, SECTION_ALIGN)
        spans.append((position, size))
        position += size
    header = bytearray(HEADER_SIZE)
    HEADER_PREFIX.pack_into(header, 0, MAGIC, VERSION, HEADER_SIZE, position, 0)
    for number, span in enumerate(spans):
        SPAN.pack_into(header, SECTIONS_OFFSET + number * SPAN.size, *span)
    DICTIONARY_CHECK.pack_into(header, DICTIONARY_CHECK_OFFSET, check_sum(sections[Section.DICTIONARY]))

    start = spans[Section.PAYLOAD][0]
    pieces: list[tuple[int, bytes | memoryview]] = [(0, bytes(header))]
    pieces += zip((offset for offset, _ in spans), sections, strict=False)
    pieces += [(start + offset, payload.stored) for offset, payload in payloads.placed]
    digest = hashlib.sha256()
    at = 0
    for offset, data in pieces:
        for part in (bytes(offset - at), data):
            digest.update(part)
            out.write(part)
        at = offset + len(data)
    # An empty payload section may start behind the last byte written.
    digest.update(bytes(position - at))
    out.write(bytes(position - at))
    out.seek(SHA256_OFFSET)
    out.write(digest.digest())
    out.seek(0, io.SEEK_END)
    return Written(position, digest.hexdigest())
