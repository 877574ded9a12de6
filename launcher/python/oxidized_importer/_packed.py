"""Packed resources, version 3: bytes that hold many resources.

A header, an index of sections, an index of resources, and the sections: one for each attribute, with the data of all
resources that have it one after another. All integers are little-endian. Source: "Python Packed Resources" in the
documentation of oxidized_importer.
"""

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ._resource import OxidizedResource

_MAGIC = b"pyembed\x03"
_HEADER = struct.Struct("<BIII")  # sections, size of their index, resources, size of their index
_END, _START, _STOP = 0x00, 0x01, 0xFF
_SECTION_FIELD, _SECTION_SIZE, _SECTION_PADDING = 0x02, 0x03, 0x04
_NO_PADDING = 0x01
_NAME = 0x03

_FLAGS = {
    0x04: "is_package",
    0x05: "is_namespace_package",
    0x16: "is_module",
    0x17: "is_builtin_extension_module",
    0x18: "is_frozen_module",
    0x19: "is_extension_module",
    0x1A: "is_shared_library",
}
# code -> attribute, format of the size
_DATA = {
    0x06: ("in_memory_source", "<I"),
    0x07: ("in_memory_bytecode", "<I"),
    0x08: ("in_memory_bytecode_opt1", "<I"),
    0x09: ("in_memory_bytecode_opt2", "<I"),
    0x0A: ("in_memory_extension_module_shared_library", "<I"),
    0x0D: ("in_memory_shared_library", "<Q"),
    0x0F: ("relative_path_module_source", "<I"),
    0x10: ("relative_path_module_bytecode", "<I"),
    0x11: ("relative_path_module_bytecode_opt1", "<I"),
    0x12: ("relative_path_module_bytecode_opt2", "<I"),
    0x13: ("relative_path_extension_module_shared_library", "<I"),
}
# code -> attribute, format of a value's size
_MAPPINGS = {
    0x0B: ("in_memory_package_resources", "<Q"),
    0x0C: ("in_memory_distribution_resources", "<Q"),
    0x14: ("relative_path_package_resources", "<I"),
    0x15: ("relative_path_distribution_resources", "<I"),
}
_DEPENDENCIES = 0x0E
# Files that are no resources of modules: an application may have packed some; nothing here reads them.
_FILE_FLAGS = {0x1B, 0x1C}
_FILE_DATA = {0x1D: "<Q", 0x1E: "<I"}


def _encoded(value: Any) -> bytes:
    # Paths with slashes, whatever the system: what was packed on one can be read on another.
    return os.fsencode(value.as_posix()) if isinstance(value, Path) else bytes(value)


def write(resources: Iterable[OxidizedResource]) -> bytes:
    """The resources as bytes."""
    sections: dict[int, bytearray] = {}
    index = bytearray()
    count = 0

    def put(code: int, size: str, value: bytes) -> None:
        index.extend(struct.pack(size, len(value)))
        sections.setdefault(code, bytearray()).extend(value)

    for resource in resources:
        count += 1
        index += bytes((_START, _NAME))
        put(_NAME, "<H", resource.name.encode())
        index += bytes(code for code, name in _FLAGS.items() if getattr(resource, name))
        for code, (name, size) in _DATA.items():
            if (value := getattr(resource, name)) is not None:
                index.append(code)
                put(code, size, _encoded(value))
        for code, (name, size) in _MAPPINGS.items():
            if (files := getattr(resource, name)) is not None:
                index += struct.pack("<BI", code, len(files))
                for file, value in files.items():
                    put(code, "<H", file.encode())
                    put(code, size, _encoded(value))
        if (names := resource.shared_library_dependency_names) is not None:
            index += struct.pack("<BH", _DEPENDENCIES, len(names))
            for one in names:
                put(_DEPENDENCIES, "<H", one.encode())
        index.append(_STOP)
    index.append(_END)
    table = b"".join(
        struct.pack(
            "<BBBBQBBB", _START, _SECTION_FIELD, code, _SECTION_SIZE, len(data), _SECTION_PADDING, 1, _STOP
        )
        for code, data in sections.items()
    ) + bytes((_END,))
    header = _HEADER.pack(len(sections), len(table), count, len(index))
    return b"".join((_MAGIC, header, table, index, *sections.values()))


class _Reader:
    """A place in the bytes, that moves on as they are read."""

    def __init__(self, data: memoryview, at: int) -> None:
        self.data = data
        self.at = at

    def number(self, size: str) -> int:
        (value,) = struct.unpack_from(size, self.data, self.at)
        self.at += struct.calcsize(size)
        return int(value)

    def bytes(self, size: int) -> bytes:
        value = bytes(self.data[self.at : self.at + size])
        if len(value) != size:
            raise ValueError("the data is shorter than its index says")
        self.at += size
        return value


def _sections(index: _Reader, at: int) -> dict[int, tuple[_Reader, int]]:
    """For each attribute a reader of its section, and what lies between two values in it."""
    found: dict[int, tuple[_Reader, int]] = {}
    field = size = padding = 0
    while (code := index.number("<B")) != _END:
        if code == _START:
            field = size = padding = 0
        elif code == _SECTION_FIELD:
            field = index.number("<B")
        elif code == _SECTION_SIZE:
            size = index.number("<Q")
        elif code == _SECTION_PADDING:
            padding = int(index.number("<B") != _NO_PADDING)
        elif code == _STOP:
            found[field] = _Reader(index.data, at), padding
            at += size
        else:
            raise ValueError(f"invalid blob index field type {code:#x}")
    return found


def read(data: bytes | memoryview) -> Iterator[OxidizedResource]:
    """The resources in the bytes. ValueError for anything else; TypeError for what is not bytes-like."""
    view = memoryview(data).cast("B")
    if len(view) < len(_MAGIC):
        raise ValueError("error reading 8 byte header")
    if view[: len(_MAGIC)] != _MAGIC:
        raise ValueError("unrecognized file format")
    try:
        yield from _resources(view)
    except struct.error as error:
        raise ValueError(f"the data ends too early: {error}") from None


def _resources(view: memoryview) -> Iterator[OxidizedResource]:
    _, table_size, count, index_size = _HEADER.unpack_from(view, len(_MAGIC))
    start = len(_MAGIC) + _HEADER.size
    if table_size == 0 or count == 0:
        return
    sections = _sections(_Reader(view, start), start + table_size + index_size)
    index = _Reader(view, start + table_size)

    def take(code: int, size: str) -> bytes:
        if code not in sections:
            raise ValueError(f"there is no section for field {code:#x}")
        reader, padding = sections[code]
        value = reader.bytes(index.number(size))
        reader.at += padding
        return value

    resource = OxidizedResource()
    while (code := index.number("<B")) != _END:
        if code == _START:
            resource = OxidizedResource()
        elif code == _STOP:
            yield resource
        elif code == _NAME:
            resource.name = take(code, "<H").decode()
        elif not _attribute(resource, code, index, take):
            raise ValueError(f"invalid field type {code:#x}")


def _attribute(
    resource: OxidizedResource, code: int, index: _Reader, take: Callable[[int, str], bytes]
) -> bool:
    """Read one attribute; whether there is one of this code."""
    if code in _FLAGS:
        setattr(resource, _FLAGS[code], True)
    elif code in _DATA:
        setattr(resource, _DATA[code][0], take(code, _DATA[code][1]))
    elif code in _MAPPINGS:
        name, size = _MAPPINGS[code]
        files = {take(code, "<H").decode(): take(code, size) for _ in range(index.number("<I"))}
        setattr(resource, name, files)
    elif code == _DEPENDENCIES:
        names = [take(code, "<H").decode() for _ in range(index.number("<H"))]
        resource.shared_library_dependency_names = names
    elif code in _FILE_DATA:
        take(code, _FILE_DATA[code])
    else:
        return code in _FILE_FLAGS
    return True
