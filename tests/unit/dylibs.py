"""Mach-O libraries made byte by byte: no more than load commands, for what reads them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

X64, ARM64 = 0x01000007, 0x0100000C
DYLIB, BUNDLE = 6, 8
ID, NEEDED, WEAK, REEXPORT, UPWARD, RPATH = 0xD, 0xC, 0x80000018, 0x8000001F, 0x80000023, 0x8000001C
UUID = 0x1B
HEADER = 32


def named(kind: int, name: str) -> bytes:
    """A load command with a name: of a library, or a folder to look in."""
    head = struct.pack("<I", 12) if kind == RPATH else struct.pack("<4I", 24, 2, 0x10000, 0x10000)
    text = name.encode() + b"\0"
    text += bytes(-len(text) % 8 if kind != RPATH else -(len(text) + 4) % 8)
    return struct.pack("<II", kind, 8 + len(head) + len(text)) + head + text


def dylib(machine: int, commands: Sequence[bytes], *, kind: int = DYLIB, rest: bytes = b"") -> bytes:
    """A file of these load commands."""
    body = b"".join(commands)
    return struct.pack("<8I", 0xFEEDFACF, machine, 0, kind, len(commands), len(body), 0x85, 0) + body + rest


def fat(slices: Sequence[tuple[int, bytes]], *, wide: bool = False) -> bytes:
    """One file for several machines."""
    at = 4096
    head, body = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices)), b""
    for machine, data in slices:
        row = (machine, 0, at + len(body), len(data), 12)
        head += struct.pack(">IIQQII", *row, 0) if wide else struct.pack(">5I", *row)
        body += data
    return head.ljust(at, b"\0") + body


def samples() -> dict[str, bytes]:
    """Files with everything that one may have."""
    uuid = struct.pack("<II16s", UUID, 24, bytes(range(16)))
    every = [
        named(ID, "/DLC/pkg/.dylibs/libone.dylib"),
        uuid,
        named(NEEDED, "@loader_path/../pkg.dylibs/libtwo.dylib"),
        named(WEAK, "@rpath/libthree.dylib"),
        named(REEXPORT, "@executable_path/libfour.dylib"),
        named(UPWARD, "/usr/lib/libSystem.B.dylib"),
        named(RPATH, "@loader_path/lib"),
        named(RPATH, "/opt/lib"),
    ]
    x64 = dylib(X64, every, rest=b"more" * 8)
    arm64 = dylib(ARM64, every[2:4], kind=BUNDLE)
    return {
        "x64": x64,
        "arm64": arm64,
        "bare": dylib(X64, []),
        "fat": fat([(X64, x64), (ARM64, arm64)]),
        "wide": fat([(ARM64, arm64), (X64, x64)], wide=True),
    }
