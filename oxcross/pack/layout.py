"""Where everything goes: the tree of nodes, the order of modules, the offsets of payloads.

A layout is a function of the resources alone; the writer only turns it into bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxcross.pack.format import LIBRARY_ALIGN, NONE, PAYLOAD_ALIGN, align

if TYPE_CHECKING:
    from oxcross.pack.codec import Payload
    from oxcross.pack.resources import File, Resources


class Strings:
    """The string section: each text once, NUL-terminated; the empty text is at offset 0."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, int]] = {b"": (0, 0)}
        self._parts = [b"\0"]
        self._size = 1

    def add(self, text: bytes) -> tuple[int, int]:
        """(offset, size) of ``text``, as struct ox_string has them."""
        known = self._known.get(text)
        if known is None:
            if b"\0" in text:
                raise ValueError(f"NUL in {text!r}")
            known = self._known[text] = (self._size, len(text))
            self._parts += (text, b"\0")
            self._size += len(text) + 1
        return known

    def bytes(self) -> bytes:
        """The section."""
        return b"".join(self._parts)


class Payloads:
    """The payload section: equal payloads once, in the order in which they are first asked for."""

    def __init__(self, libraries: Iterable[Payload]) -> None:
        self._libraries = {payload.digest for payload in libraries}
        self._offsets: dict[bytes, int] = {}
        self.placed: list[tuple[int, Payload]] = []
        self.size = 0

    def add(self, payload: Payload | None) -> tuple[int, int, int, int, int]:
        """The fields of struct ox_payload (all zero for None)."""
        if payload is None:
            return (0, 0, 0, 0, 0)
        stored = len(payload.stored)
        offset = self._offsets.get(payload.digest)
        if offset is None:
            is_library = payload.digest in self._libraries
            offset = align(self.size, LIBRARY_ALIGN if is_library else PAYLOAD_ALIGN)
            self._offsets[payload.digest] = offset
            self.placed.append((offset, payload))
            self.size = offset + stored
        return (offset, stored, payload.size, payload.codec, payload.check)


@dataclass(slots=True)
class Node:
    """A file or directory with its place in the tree; ``file`` is None for a directory."""

    path: bytes
    parent: int
    file: File | None
    first_child: int = NONE
    child_count: int = 0

    @property
    def name_offset(self) -> int:
        """Where the last component starts in ``path``."""
        return self.path.rfind(b"/") + 1


def tree(resources: Resources) -> list[Node]:
    """All nodes, the root first; each directory's children contiguous and sorted by their bytes.

    Raises ValueError for a path that is not relative and normal, or a file that is also a folder.
    """
    children: dict[bytes, dict[bytes, File | None]] = {b"": {}}

    def folder(path: bytes) -> dict[bytes, File | None]:
        known = children.get(path)
        if known is None:
            parent, _, name = path.rpartition(b"/")
            _check_name(name, path)
            known = children[path] = {}
            if folder(parent).setdefault(name, None) is not None:
                raise ValueError(f"{path.decode()}: both a file and a folder")
        return known

    for directory in resources.directories:
        folder(_encode(directory))
    for module in resources.modules.values():
        path = _encode(module.path)
        folder(path if module.namespace else path.rpartition(b"/")[0])
    for file in resources.files.values():
        path = _encode(file.path)
        parent, _, name = path.rpartition(b"/")
        _check_name(name, path)
        if path in children:
            raise ValueError(f"{file.path}: both a file and a folder")
        folder(parent)[name] = file

    nodes = [Node(b"", 0, None)]
    for number, node in enumerate(nodes):  # grows while it runs: breadth first
        if node.file is not None:
            continue
        inside = children[node.path]
        node.child_count = len(inside)
        if inside:
            node.first_child = len(nodes)
        prefix = node.path + b"/" if node.path else b""
        nodes.extend(Node(prefix + name, number, inside[name]) for name in sorted(inside))
    return nodes


def _encode(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _check_name(name: bytes, path: bytes) -> None:
    if name in (b"", b".", b"..") or path.startswith(b"/") or b"\0" in name or b"\\" in name:
        raise ValueError(f"{path!r}: not a path below the mount point")
