"""The blob's numbers and layouts, as launcher/resources.h defines them.

This module restates the header for Python; tests/unit/test_pack.py parses the header and compares
every constant, field offset and size, so that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum, IntFlag
from struct import Struct

MAGIC = b"\x7fOXBLOB\n"
VERSION = 1
BLOB_ALIGN = 65536
SECTION_ALIGN = 64
PAYLOAD_ALIGN = 16
LIBRARY_ALIGN = 64
NONE = 0xFFFFFFFF

LOCATOR_MAGIC = b"OXCROSS-LOCATOR\n"


class Section(IntEnum):
    """``enum ox_section``: what the blob consists of, in its order."""

    STRINGS = 0
    MODULES = 1
    MODULE_SLOTS = 2
    NODES = 3
    NODE_SLOTS = 4
    LIBRARIES = 5
    SETTINGS = 6
    DICTIONARY = 7
    MANIFEST = 8
    PAYLOAD = 9


class Codec(IntEnum):
    """``enum ox_codec``: how a payload is stored."""

    RAW = 0
    ZSTD = 1
    ZSTD_DICT = 2


class ModuleFlag(IntFlag):
    """``enum ox_module_flag``."""

    PACKAGE = 1
    NAMESPACE = 2
    EXTENSION = 4
    STDLIB = 8
    LINKED = 16


class NodeKind(IntEnum):
    """``enum ox_node_kind``."""

    DIR = 1
    FILE = 2


class NodeFlag(IntFlag):
    """``enum ox_node_flag``."""

    EXECUTABLE = 1


class LibraryFlag(IntFlag):
    """``enum ox_library_flag``."""

    FALLBACK = 1
    NAMELESS = 2
    SYSTEMS = 4


class Key(IntEnum):
    """``enum ox_key``: a setting's meaning; see the header for each one's type."""

    RUN_KIND = 1
    RUN_TARGET = 2
    APP_NAME = 3
    APP_VERSION = 4
    STDLIB = 5
    UTF8_MODE = 16
    ISOLATED = 17
    HASH_SEED = 18
    WARNING = 19
    XOPTION = 20
    OPTIMIZE = 21
    DEV_MODE = 22
    UNBUFFERED = 23
    FAULTHANDLER = 24
    VERBOSE = 25
    QUIET = 26
    INSPECT = 27
    BYTES_WARNING = 28
    INT_MAX_STR_DIGITS = 29
    EXIT = 30
    LOCALE = 31
    ALLOCATOR = 32
    SITE = 33
    SYS_PATH = 34
    CHILD_PYTHON = 35
    COMMAND = 40
    FILESYSTEM = 50
    FROZEN = 51
    OXIDIZED = 52
    MEIPASS = 53
    INNER_PATH = 54
    START_LINE = 55
    LEFT_OUT = 56
    LICENCES = 57


class Run(IntEnum):
    """``enum ox_run``: what the executable starts."""

    ENTRY_POINT = 1
    MODULE = 2
    FILE = 3
    COMMAND = 4
    REPL = 5
    COMMANDS = 6


# One Struct per C struct. Nested ox_string and ox_payload are flattened: the integers follow each
# other as in C, where every field is naturally aligned and no padding arises.
SPAN = Struct("<QQ")
HEADER_PREFIX = Struct("<8sIIQQ")
HEADER_SIZE = 256
SECTIONS_OFFSET = HEADER_PREFIX.size
DICTIONARY_CHECK = Struct("<I")
DICTIONARY_CHECK_OFFSET = SECTIONS_OFFSET + len(Section) * SPAN.size
SHA256_OFFSET = HEADER_SIZE - 32
STRING = Struct("<II")
PAYLOAD = Struct("<QQQII")  # offset, stored, size, codec, check
MODULE = Struct("<IIII QQQII IIII")  # name, path, code, flags, source, zero[2]
NODE = Struct("<II I HH IIII QQQII")  # path, name, kind, flags, …, module, data
SLOT = Struct("<II")
LIBRARY = Struct("<IIII")  # soname, node, flags
SETTING = Struct("<IIqII")  # key, zero, number, text
LOCATOR = Struct("<16sQQQQ")  # magic, address, size, offset, file_end

_FNV_BASIS = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK64 = 0xFFFFFFFFFFFFFFFF


def fnv1a(data: bytes, basis: int = _FNV_BASIS) -> int:
    """FNV-1a, 64 bits. ``basis`` continues an earlier hash: ``fnv1a(b, fnv1a(a)) == fnv1a(a + b)``.

    Source: Fowler/Noll/Vo, draft-eastlake-fnv.
    """
    value = basis
    for byte in data:
        value = ((value ^ byte) * _FNV_PRIME) & _MASK64
    return value


def hashes(names: Iterable[bytes], separator: bytes) -> list[int]:
    """The hash of each name; shared prefixes (up to ``separator``) are hashed only once."""
    known: dict[bytes, int] = {b"": _FNV_BASIS}

    def prefix_hash(prefix: bytes) -> int:
        value = known.get(prefix)
        if value is None:
            cut = prefix.rfind(separator, 0, len(prefix) - 1) + 1
            value = known[prefix] = fnv1a(prefix[cut:], prefix_hash(prefix[:cut]))
        return value

    result = []
    for name in names:
        cut = name.rfind(separator) + 1
        result.append(fnv1a(name[cut:], prefix_hash(name[:cut])))
    return result


def slot_count(used: int) -> int:
    """The number of slots for ``used`` entries: a power of two, at most half of them used."""
    return 1 << (2 * used - 1).bit_length() if used else 1


def slots(hashed: Sequence[int]) -> list[tuple[int, int]]:
    """The hash index over entries 0…n-1 with these hashes, as (tag, index) pairs."""
    count = slot_count(len(hashed))
    table = [(0, NONE)] * count
    for index, value in enumerate(hashed):
        at = value & (count - 1)
        while table[at][1] != NONE:
            at = (at + 1) & (count - 1)
        table[at] = (value >> 32, index)
    return table


def align(offset: int, alignment: int) -> int:
    """``offset`` rounded up to a multiple of ``alignment`` (a power of two)."""
    return (offset + alignment - 1) & ~(alignment - 1)
