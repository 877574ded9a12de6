"""Writes and reads XAR archives, which packages for macOS's installer are: a header, a compressed table of contents in XML with
a checksum, and the files.

The same inputs give the same bytes. SHA-1 is what Apple's own tools (``productbuild``) have in such files. Source: the xar
project's specification (github.com/apple-oss-distributions/xar, "xar/include/xar.h.in"). Integers are big-endian.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from struct import error as struct_error
from typing import Final
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

_HEADER = Struct(">4sHHQQI")  # magic, size, version, the table's size compressed, its size, kind of checksum
_MAGIC: Final = b"xar!"
_SHA1: Final = 1
_KINDS: Final = {_SHA1: "sha1", 3: "sha256", 4: "sha512"}
_CHECKSUM: Final = 20  # bytes of SHA-1; the first in the heap
_TIME: Final = "1970-01-01T00:00:00"
_LARGEST_TABLE: Final = 1 << 24
_STORED: Final = "application/octet-stream"

Files = Mapping[str, bytes | Path]


class XarError(ValueError):
    """Not a XAR archive, or one that is damaged."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive holds: files by path, the checksum that its table says, and whether somebody signed it."""

    kind: str  # sha1, sha256, sha512
    checksum: bytes
    files: Mapping[str, memoryview]
    certificates: tuple[bytes, ...]  # DER; of the signature's maker first
    signature: memoryview  # RSA, of the checksum; empty when nobody signed it
    signature_at: int  # where that lies in the file
    cms: memoryview


def write(files: Files, out: Path) -> None:
    """Write ``out``: files by their paths, folders as needed. OSError when that cannot be done."""
    root, at = ET.Element("xar"), _CHECKSUM
    table = ET.SubElement(root, "toc")
    ET.SubElement(table, "creation-time").text = _TIME
    checksum = ET.SubElement(table, "checksum", style="sha1")
    _fields(checksum, offset=0, size=_CHECKSUM)
    folders = {"": table}
    for name in sorted(files):
        folder, _, base = name.rpartition("/")
        if folder not in folders:
            folders[folder] = _entry(table, folder, len(folders) + len(files), "directory", 0o755)
        entry = _entry(folders[folder], base, sorted(files).index(name) + 1, "file", 0o644)
        at += _data(entry, files[name], at)
    text = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    packed = zlib.compress(text, 9)
    with out.open("wb") as stream:
        stream.write(_HEADER.pack(_MAGIC, _HEADER.size, 1, len(packed), len(text), _SHA1))
        stream.write(packed)
        stream.write(hashlib.sha1(packed, usedforsecurity=False).digest())
        for name in sorted(files):
            for chunk in _chunks(files[name]):
                stream.write(chunk)


def _fields(parent: ET.Element, **values: object) -> None:
    for name, value in values.items():
        ET.SubElement(parent, name).text = str(value)


def _entry(parent: ET.Element, name: str, number: int, kind: str, mode: int) -> ET.Element:
    entry = ET.SubElement(parent, "file", id=str(number))
    _fields(entry, group="wheel", gid=0, user="root", uid=0, mode=f"{mode:04o}", type=kind, name=name)
    return entry


def _data(entry: ET.Element, content: bytes | Path, at: int) -> int:
    """Say where the content lies; its size."""
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    for chunk in _chunks(content):
        digest.update(chunk)
        size += len(chunk)
    data = ET.SubElement(entry, "data")
    _fields(data, offset=at, size=size, length=size)
    for name in ("extracted-checksum", "archived-checksum"):
        ET.SubElement(data, name, style="sha1").text = digest.hexdigest()
    ET.SubElement(data, "encoding", style=_STORED)
    return size


def _chunks(content: bytes | Path) -> Iterable[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def read(data: bytes) -> Archive:
    """What an archive holds; every checksum is checked. XarError for a damaged one."""
    try:
        magic, start, _, packed, size, number = _HEADER.unpack_from(data)
        if magic != _MAGIC or number not in _KINDS or size > _LARGEST_TABLE:
            raise XarError("not a XAR archive of this kind")
        kind, heap = _KINDS[number], memoryview(data)[start + packed :]
        text = zlib.decompressobj().decompress(data[start : start + packed], size)
        table = ET.fromstring(text).find("toc")  # noqa: S314 (expat has bounds of its own; ours, or Apple's)
        if table is None:
            raise XarError("it has no table of contents")
        digest = hashlib.new(kind, data[start : start + packed], usedforsecurity=False).digest()
        if bytes(_place(heap, table.find("checksum"))) != digest:
            raise XarError("its table of contents was changed")
        files = dict(_files(heap, table, ""))
        signature, cms = table.find("signature"), table.find("x-signature")
        return Archive(
            kind,
            digest,
            files,
            tuple(_certificates(signature)),
            _place(heap, signature) if signature is not None else memoryview(b""),
            start + packed + int(signature.findtext("offset", "0")) if signature is not None else 0,
            _place(heap, cms) if cms is not None else memoryview(b""),
        )
    except (struct_error, zlib.error, ET.ParseError, ExpatError, AttributeError, TypeError) as error:
        raise XarError(f"it is damaged: {error}") from None


def _place(heap: memoryview, element: ET.Element | None, length: str = "size") -> memoryview:
    if element is None:
        raise XarError("its table of contents says not where something lies")
    offset, size = int(element.findtext("offset", "-1")), int(element.findtext(length, "-1"))
    if offset < 0 or size < 0 or offset + size > len(heap):
        raise XarError("something lies outside of it")
    return heap[offset : offset + size]


def _files(heap: memoryview, parent: ET.Element, before: str) -> Iterator[tuple[str, memoryview]]:
    for entry in parent.findall("file"):
        name = before + entry.findtext("name", "")
        if entry.findtext("type") == "directory":
            yield from _files(heap, entry, f"{name}/")
            continue
        data = entry.find("data")
        content = _place(heap, data, "length")
        checksum = data.find("archived-checksum") if data is not None else None
        kind = (checksum.get("style", "") if checksum is not None else "").lower()
        if checksum is None or hashlib.new(kind, content, usedforsecurity=False).hexdigest() != checksum.text:
            raise XarError(f"{name} was changed")
        yield name, content


def _certificates(signature: ET.Element | None) -> Iterator[bytes]:
    for element in signature.iter() if signature is not None else ():
        if element.tag.rpartition("}")[2] == "X509Certificate":
            yield base64.b64decode(element.text or "")
