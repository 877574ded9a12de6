"""Holds a blob to every rule of launcher/resources.h: checksum, bounds, order, indexes, payloads."""

from __future__ import annotations

import zstandard

from oxcross.pack.codec import check_sum
from oxcross.pack.format import (
    HEADER_SIZE,
    LIBRARY_ALIGN,
    NONE,
    PAYLOAD_ALIGN,
    SECTION_ALIGN,
    SLOT,
    Codec,
    LibraryFlag,
    ModuleFlag,
    NodeFlag,
    NodeKind,
    Section,
    hashes,
    slot_count,
    slots,
)
from oxcross.pack.reader import Blob, ModuleRow, NodeRow, PayloadRef, damaged


def check(blob: Blob) -> None:
    """Raise InspectError, naming the section, for the first rule that ``blob`` breaks.

    Frames are looked at (their header promises the right size), not decoded: the checksum, which is
    compared last, vouches for their insides.
    """
    _check_sections(blob)
    _check_modules(blob)
    _check_nodes(blob)
    _check_slots(blob, Section.MODULE_SLOTS, [m.name for m in blob.modules], b".")
    _check_slots(blob, Section.NODE_SLOTS, [n.path for n in blob.nodes], b"/")
    _check_libraries(blob)
    keys = [setting.key for setting in blob.settings]
    if keys != sorted(keys):
        damaged(Section.SETTINGS, "not in the order of their keys")
    _ = blob.manifest
    computed = blob.computed_sha256()
    if computed != blob.sha256:
        _find_damage(blob)
        damaged("STRINGS, SETTINGS, MANIFEST or HEADER", f"checksum {computed}, not {blob.sha256}")


def _find_damage(blob: Blob) -> None:
    """Name the dictionary or payload that is not what its check sum says, if it is one."""
    if check_sum(blob.section(Section.DICTIONARY)) != blob.dictionary_check:
        damaged(Section.DICTIONARY, "wrong check sum")
    named = [(module.name, module.code) for module in blob.modules]
    named += [(node.path, node.data) for node in blob.nodes]
    for name, payload in named:
        if check_sum(blob.stored(payload)) != payload.check:
            damaged(Section.PAYLOAD, f"{name}: wrong check sum")


def _check_sections(blob: Blob) -> None:
    if blob.flags:
        damaged("HEADER", f"unknown flags {blob.flags:#x}")
    end = HEADER_SIZE
    for section in Section:
        offset, size = blob.spans[section]
        if offset % SECTION_ALIGN or offset < end or offset - end >= SECTION_ALIGN:
            damaged(section, f"starts at {offset}, after a section that ends at {end}")
        if any(blob.view[end:offset]):
            damaged(section, "padding before it is not zero")
        end = offset + size
    if end != blob.size:
        damaged(Section.PAYLOAD, f"ends at {end}, not at the blob's end {blob.size}")


def _check_payload(blob: Blob, payload: PayloadRef, user: Section, what: str) -> None:
    stored = blob.stored(payload, user)
    if payload.offset % PAYLOAD_ALIGN:
        damaged(user, f"{what}: misplaced payload")
    if payload.codec == Codec.RAW:
        if payload.stored != payload.size:
            damaged(user, f"{what}: {payload.stored} raw bytes for {payload.size}")
        return
    if payload.codec not in (Codec.ZSTD, Codec.ZSTD_DICT):
        damaged(user, f"{what}: unknown codec {payload.codec}")
    if payload.codec == Codec.ZSTD_DICT and not blob.spans[Section.DICTIONARY][1]:
        damaged(user, f"{what}: needs a dictionary, and there is none")
    try:
        promised = zstandard.get_frame_parameters(stored).content_size
    except zstandard.ZstdError:
        damaged(user, f"{what}: not a zstd frame")
    if promised != payload.size:
        damaged(user, f"{what}: a frame of {promised} bytes for {payload.size}")


def _check_modules(blob: Blob) -> None:
    user = Section.MODULES
    previous = b""
    for module in blob.modules:
        name = module.name.encode("utf-8", "surrogateescape")
        if name <= previous:
            damaged(user, f"{module.name!r} is out of order")
        previous = name
        if int(module.flags) & ~0x1F:
            damaged(user, f"{module.name}: unknown flags {int(module.flags):#x}")
        if ModuleFlag.NAMESPACE in module.flags:
            if module.code != PayloadRef(0, 0, 0, 0):
                damaged(user, f"{module.name}: a namespace with code")
        elif ModuleFlag.LINKED in module.flags:
            if module.code.size or ModuleFlag.EXTENSION not in module.flags:
                damaged(user, f"{module.name}: linked into the executable, and with code")
        elif not module.code.size:
            damaged(user, f"{module.name}: no code")
        _check_payload(blob, module.code, user, module.name)
        if ModuleFlag.EXTENSION in module.flags and module.code.offset % LIBRARY_ALIGN:
            damaged(user, f"{module.name}: misplaced library")
        _check_source(blob, module)


def _check_source(blob: Blob, module: ModuleRow) -> None:
    if module.source == NONE:
        return
    if module.source >= len(blob.nodes) or blob.nodes[module.source].path != module.path:
        damaged(Section.MODULES, f"{module.name}: node {module.source} is not its source")


def _check_nodes(blob: Blob) -> None:
    user = Section.NODES
    nodes = blob.nodes
    if not nodes or nodes[0].path or nodes[0].kind != NodeKind.DIR or nodes[0].parent:
        damaged(user, "node 0 is not the root")
    expected_child = 1
    for number, node in enumerate(nodes):
        _check_node(blob, node)
        if node.kind == NodeKind.DIR and node.child_count:
            if node.first_child != expected_child:
                damaged(user, f"{node.path}: children not where they are expected")
            children = blob.children(node)
            prefix = f"{node.path}/" if node.path else ""
            names = [child.path.encode("utf-8", "surrogateescape") for child in children]
            if any(child.parent != number for child in children) or names != sorted(set(names)):
                damaged(user, f"{node.path}: children out of order")
            if any(child.path != prefix + child.path[len(prefix) :] for child in children):
                damaged(user, f"{node.path}: a child lies elsewhere")
            expected_child += node.child_count
        elif node.first_child != NONE or node.child_count:
            damaged(user, f"{node.path}: children of a node that has none")
    if expected_child != len(nodes):
        damaged(user, f"{len(nodes)} nodes, {expected_child} in the tree")


def _check_node(blob: Blob, node: NodeRow) -> None:
    user = Section.NODES
    path = node.path.encode("utf-8", "surrogateescape")
    if node.kind not in (NodeKind.DIR, NodeKind.FILE) or node.name != path.rfind(b"/") + 1:
        damaged(user, f"{node.path}: unknown kind {node.kind} or wrong name")
    if int(node.flags) & ~int(NodeFlag.EXECUTABLE):
        damaged(user, f"{node.path}: unknown flags {int(node.flags):#x}")
    if node.kind == NodeKind.DIR and node.data != PayloadRef(0, 0, 0, 0):
        damaged(user, f"{node.path}: a folder with data")
    _check_payload(blob, node.data, user, node.path)
    if node.module != NONE and (
        node.module >= len(blob.modules) or blob.modules[node.module].path != node.path
    ):
        damaged(user, f"{node.path}: module {node.module} is not its module")


def _check_slots(blob: Blob, section: Section, names: list[str], separator: bytes) -> None:
    rows = list(blob.rows(section, SLOT))
    if len(rows) != slot_count(len(names)):
        damaged(section, f"{len(rows)} slots for {len(names)} entries")
    encoded = [name.encode("utf-8", "surrogateescape") for name in names]
    if rows != slots(hashes(encoded, separator)):
        damaged(section, "the hash index does not belong to its table")


def _check_libraries(blob: Blob) -> None:
    user = Section.LIBRARIES
    for library in blob.libraries:
        if library.node >= len(blob.nodes) or blob.nodes[library.node].kind != NodeKind.FILE:
            damaged(user, f"{library.soname}: node {library.node} is no file")
        if int(library.flags) & ~sum(LibraryFlag):
            damaged(user, f"{library.soname}: unknown flags {int(library.flags):#x}")
        if blob.nodes[library.node].data.offset % LIBRARY_ALIGN:
            damaged(user, f"{library.soname}: misplaced library")
