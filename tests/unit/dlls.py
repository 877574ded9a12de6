"""Windows DLLs made of nothing but bytes, with one of everything that the launcher's loader looks at.

After Microsoft's "PE Format". Three sections: code at 0x1000, constants (every table) at 0x2000, data at 0x3000.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BASE = 0x180000000
TEXT, RDATA, DATA = 0x1000, 0x2000, 0x3000
TLS = DATA + 0x110  # its directory
TLS_INDEX = DATA + 0x170
READS_TLS = bytes.fromhex("65488b042558000000")  # mov rax, gs:[0x58]
# mov rax, gs:[0x30]; mov rax, [rsp+0x58]; mov ecx, 0x58; "e"
READS_OTHERS = bytes.fromhex("65488b042530000000 488b842458000000 b958000000 65")
_RDATA_SIZE = 0x1000
_HEADERS = 0x400

Imports = Mapping[str, Sequence[str | int]]


@dataclass
class _Table:
    """Bytes of the section at RDATA."""

    data: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes, align: int = 8) -> int:
        """Append; returns the address."""
        self.data += bytes(-len(self.data) % align)
        address = RDATA + len(self.data)
        self.data += data
        return address

    def text(self, name: str) -> int:
        return self.add(name.encode() + b"\0", 2)

    def symbols(self, names: Iterable[str | int]) -> bytes:
        """A table of names and ordinals."""
        values = [
            name | 1 << 63 if isinstance(name, int) else self.add(b"\0\0" + name.encode() + b"\0", 2)
            for name in names
        ]
        return struct.pack(f"<{len(values) + 1}Q", *values, 0)


def _imports(table: _Table, imports: Imports) -> tuple[int, int]:
    rows = b""
    for library, names in imports.items():
        symbols = table.symbols(names)
        rows += struct.pack("<5I", table.add(symbols), 0, 0, table.text(library), table.add(symbols))
    return (table.add(rows + bytes(20)), len(rows) + 20) if rows else (0, 0)


def _delayed(table: _Table, imports: Imports) -> tuple[int, int]:
    rows = b""
    for library, names in imports.items():
        symbols = table.symbols(names)
        rows += struct.pack(
            "<8I", 1, table.text(library), DATA + 0x80, table.add(bytes(len(symbols))), table.add(symbols), 0, 0, 0
        )  # fmt: skip
    return (table.add(rows + bytes(32)), len(rows) + 32) if rows else (0, 0)


def _exports(table: _Table, exports: Mapping[int, tuple[str, int | str]]) -> tuple[int, int]:
    """By ordinal: the name ("": none), and the address or the forwarder."""
    if not exports:
        return 0, 0
    first, last = min(exports), max(exports)
    named = sorted((name.encode(), ordinal - first) for ordinal, (name, _) in exports.items() if name)
    names = struct.pack(f"<{len(named)}I", *(table.text(name.decode()) for name, _ in named))
    size = 40 + 4 * (last - first + 1)
    forwarders = b""
    start = table.add(b"")
    values = []
    for ordinal in range(first, last + 1):
        target = exports.get(ordinal, ("", 0))[1]
        if isinstance(target, str):
            values.append(start + size + len(forwarders))
            forwarders += target.encode() + b"\0"
        else:
            values.append(target)
    total = size + len(forwarders)
    tail = start + total + -total % 8
    row = struct.pack(
        "<IIHHIIIIIII", 0, 0, 0, 0, 0, first, len(values), len(named), start + 40, tail,
        tail + len(names) + -len(names) % 8,
    )  # fmt: skip
    table.add(row + struct.pack(f"<{len(values)}I", *values) + forwarders)
    table.add(names)
    table.add(struct.pack(f"<{len(named)}H", *(place for _, place in named)))
    return start, total


def _tls(size: int) -> bytes:
    """The directory, two callbacks at the beginning of the code, and the variables, from TLS on."""
    start = TLS + 64
    pointers = [BASE + place for place in (start, start + size, TLS_INDEX, TLS + 40)]
    return struct.pack("<4Q2I3Q", *pointers, 0, 0, BASE + TEXT, BASE + TEXT + 1, 0)


def _relocations(table: _Table, places: Sequence[int]) -> tuple[int, int]:
    """All places lie in one page."""
    if not places:
        return 0, 0
    entries = [10 << 12 | place & 0xFFF for place in places]
    entries += [0] * (len(entries) % 2)
    block = struct.pack("<II", places[0] & ~0xFFF, 8 + 2 * len(entries))
    data = block + struct.pack(f"<{len(entries)}H", *entries)
    return table.add(data, 4), len(data)


def dll(
    *,
    imports: Imports = {},  # noqa: B006 (read only)
    delayed: Imports = {},  # noqa: B006
    exports: Mapping[int, tuple[str, int | str]] = {},
    pointers: int = 3,
    tls: int | None = None,
    code: bytes = b"",
    writable_code: bool = False,
    slack: int = _HEADERS,
) -> bytes:
    """A DLL whose data begins with ``pointers`` addresses in itself. ``slack``: bytes of its headers that are not used.

    ``tls``: with thread-local storage of that many bytes, and two callbacks. ``code``: more of it.
    """
    table = _Table()
    data = b"".join(struct.pack("<Q", BASE + TEXT + number) for number in range(pointers))
    places = [DATA + 8 * number for number in range(pointers)]
    if tls is not None:
        data = data.ljust(TLS - DATA, b"\0") + _tls(tls)
        places += [TLS + offset for offset in (0, 8, 16, 24, 40, 48)]
    directories = [(0, 0)] * 16
    directories[0] = _exports(table, exports)
    directories[1] = _imports(table, imports)
    directories[13] = _delayed(table, delayed)
    directories[3] = (table.add(struct.pack("<3I", TEXT, TEXT + 1, RDATA)), 12)
    directories[4] = (0x10000, 16)
    directories[5] = _relocations(table, places)
    if tls is not None:
        directories[9] = (TLS, 40)
    config = struct.pack("<I", 96) + bytes(84) + struct.pack("<Q", BASE + DATA + 0x100)
    directories[10] = (table.add(config), 96)
    assert len(table.data) <= _RDATA_SIZE
    sections = [
        (b".text", TEXT, b"\xb8\x01\0\0\0\xc3" + code, 0x200, 0xE0000020 if writable_code else 0x60000020),
        (b".rdata", RDATA, bytes(table.data), _RDATA_SIZE, 0x40000040),
        (b".data", DATA, data, 0x200, 0xC0000040),
    ]
    rows = body = b""
    for name, address, content, size, flags in sections:
        virtual = 0x300 if name == b".data" else len(content)
        offset = _HEADERS + len(body)
        rows += struct.pack("<8s6I2HI", name, virtual, address, size, offset, 0, 0, 0, 0, flags)
        body += content.ljust(size, b"\0")
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, len(sections), 0, 0, 0, 112 + 128, 0x2022)
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 14, 0, 0x200, 0x1200, 0, TEXT, TEXT, BASE, 0x1000, 0x200, 6, 0, 0, 0, 6, 0,
        0, 0x4000, _HEADERS, 0xABCDEF, 2, 0x160 | 0x80, 1 << 20, 1 << 12, 1 << 20, 1 << 12, 0, 16,
    )  # fmt: skip
    head = dos + coff + optional + b"".join(struct.pack("<II", *row) for row in directories) + rows
    return (head + bytes(min(slack, _HEADERS - len(head)))).ljust(_HEADERS, b"\xcc") + body


def samples() -> dict[str, bytes]:
    """What tests and the fuzzer begin with."""
    exports: dict[int, tuple[str, int | str]] = {
        5: ("", TEXT),
        7: ("add", TEXT + 2),
        8: ("forwarded", "KERNEL32.GetTickCount"),
        9: ("other", "sibling.#5"),
        11: ("data", DATA),
    }
    imports: Imports = {
        "KERNEL32.dll": ["Sleep", "GetTickCount"],
        "python313.dll": ["PyModule_Create2", "PyExc_ValueError"],
        "python3.dll": ["Py_Initialize"],
        "sibling.dll": [5, "value"],
    }
    delayed: Imports = {"late.dll": ["one", 2, "three"], "later.dll": ["four"]}
    return {
        "all": dll(imports=imports, delayed=delayed, exports=exports),
        "tls": dll(imports=imports, tls=8, code=READS_TLS),
        "callbacks": dll(imports=imports, tls=8, code=READS_OTHERS),
        "tight": dll(imports=imports, slack=0),
        "row": dll(imports=imports, slack=40),
        "bare": dll(pointers=0),
        "delayed": dll(delayed=delayed, writable_code=True),
    }
