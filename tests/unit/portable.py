"""Small DLLs, made by hand: for tests of what reads them. Source: "PE Format", Microsoft's specification."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from oxcross import pe

_BASE, _ADDRESS, _OFFSET = 0x180000000, 0x1000, 0x400


def dll(
    needed: Sequence[str] = (), *, delayed: Sequence[str] = (), tls: bool = False, machine: int = 0x8664
) -> bytes:
    """A DLL that takes one function of each of the ``needed`` ones, and later of the ``delayed``."""
    body = bytearray()
    directories = [(0, 0)] * 16

    def put(data: bytes) -> int:
        body.extend(bytes(-len(body) % 8))
        at = _ADDRESS + len(body)
        body.extend(data)
        return at

    def table(names: Sequence[str], layout: str, *fields: str) -> tuple[int, int]:
        rows = b""
        for name in names:
            symbol = put(b"\0\0function\0")
            known = {"name": put(name.encode() + b"\0"), "lookup": put(pack("<QQ", symbol, 0)), "one": 1}
            rows += pack(layout, *(known.get(field, 0) for field in fields))
        return put(rows + pack(layout, *(0 for _ in fields))), len(rows)

    if needed:
        directories[pe.DIR_IMPORT] = table(needed, "<5I", "lookup", "", "", "name", "lookup")
    if delayed:
        directories[pe.DIR_DELAY_IMPORT] = table(
            delayed, "<8I", "one", "name", "", "lookup", "lookup", "", "", ""
        )
    if tls:
        index = _BASE + put(bytes(8))
        directories[pe.DIR_TLS] = put(pack("<QQQQII", index, index, index, 0, 16, 0)), 40
    body.extend(bytes(-len(body) % 0x200 or 0x200 * (not body)))
    file = pack("<HHIIIHH", machine, 1, 0, 0, 0, pe.OPTIONAL.size + 16 * 8, pe.FILE_DLL | 0x22)
    optional = pe.OPTIONAL.pack(
        0x20B, 14, 0, 0, len(body), 0, 0, _ADDRESS, _BASE, 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, 0x2000 + len(body), _OFFSET,
        0, 3, 0x160, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16,
    )  # fmt: skip
    section = pe.SECTION.pack(b".rdata", len(body), _ADDRESS, len(body), _OFFSET, 0, 0, 0, 0, 0x40000040)
    head = b"MZ".ljust(0x3C, b"\0") + pack("<I", 0x40) + b"PE\0\0" + file + optional
    head += b"".join(pack("<II", *row) for row in directories) + section
    return head.ljust(_OFFSET, b"\0") + bytes(body)
