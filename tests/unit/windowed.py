"""A launcher for Windows, made by hand: a complete program, and what test files are linked with.

It writes its blob to standard output, then the 4096 bytes that GetFileVersionInfoW gives of its own file.
"""

from __future__ import annotations

from pathlib import Path
from struct import pack

from oxcross import link, pe, targets
from oxcross.link.pe import Appearance
from oxcross.pack.format import LOCATOR, LOCATOR_MAGIC

WINDOWS = targets.get("win-x64")
INFO = 4096
_BASE = 0x140000000
_TEXT, _RDATA, _DATA = 0x1000, 0x2000, 0x3000
_FLAGS = pe.DYNAMIC_BASE | pe.HIGH_ENTROPY_VA | pe.NX_COMPAT

Code = list[tuple[str, int]]  # hexadecimal bytes, and the address that 4 further ones lead to, or 0


def launcher(
    *,
    locators: int = 1,
    tight: bool = False,
    symbols: bool = False,
    pdb: bytes = b"",
    flags: int = _FLAGS,
    dlls: tuple[str, ...] = (),
    text_flags: int = 0x60000020,
) -> bytes:
    """``tight``: without room for two more section headers. ``symbols``, ``pdb``: with what must not stay."""
    body = bytearray()

    def put(data: bytes) -> int:
        body.extend(bytes(-len(body) % 8))
        body.extend(data)
        return _RDATA + len(body) - len(data)

    names = {
        "KERNEL32.dll": ["GetStdHandle", "WriteFile", "GetModuleFileNameW", "ExitProcess"],
        "VERSION.dll": ["GetFileVersionInfoW"],
        **{dll: ["function"] for dll in dlls},
    }
    functions: dict[str, int] = {}
    tables: list[int] = []
    rows = b""
    for dll, wanted in names.items():
        table = b"".join(pack("<Q", put(b"\0\0" + name.encode() + b"\0")) for name in wanted) + bytes(8)
        lookup, thunks = put(table), put(table)
        tables.append(thunks)
        functions |= {name: thunks + 8 * n for n, name in enumerate(wanted)}
        rows += pack("<5I", lookup, 0, 0, put(dll.encode() + b"\0"), thunks)
    imports = put(rows + bytes(20)), len(rows) + 20
    locator = put((LOCATOR_MAGIC + bytes(LOCATOR.size - len(LOCATOR_MAGIC))) * locators)
    text = _assemble(functions, locator)
    offset = 0x200 if tight else 0x400
    debug = (0, 0)
    if pdb:
        view = b"RSDS" + bytes(20) + pdb + b"\0"
        at = put(view)
        place = offset + 0x200 + at - _RDATA
        debug = put(pe.DEBUG.pack(0, 77, 0, 0, pe.DEBUG_CODEVIEW, len(view), at, place)), pe.DEBUG.size
    parts = [(b".text", _TEXT, text, text_flags), (b".rdata", _RDATA, bytes(body), 0x40000040)]
    raw, headers = b"", b""
    for name, address, data, kind in parts:
        whole = data.ljust((len(data) + 511) // 512 * 512, b"\0")
        headers += pe.SECTION.pack(name, len(data), address, len(whole), offset + len(raw), 0, 0, 0, 0, kind)
        raw += whole
    headers += pe.SECTION.pack(b".data", 0x4000, _DATA, 0, 0, 0, 0, 0, 0, 0xC0000080)
    end = offset + len(raw)
    file = pe.FILE.pack(0x8664, 3, 77, end if symbols else 0, int(symbols), pe.OPTIONAL.size + 128, 0x22)
    optional = pe.OPTIONAL.pack(
        0x20B, 14, 0, 512, len(raw) - 512, 0x4000, _TEXT, _TEXT, _BASE, 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0,
        _DATA + 0x4000, offset, 0, 3, flags, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16,
    )  # fmt: skip
    directories = [(0, 0)] * 16
    directories[pe.DIR_IMPORT], directories[pe.DIR_DEBUG] = imports, debug
    directories[12] = tables[0], _RDATA + len(body) - tables[0]
    head = b"MZ".ljust(0x3C, b"\0") + pack("<I", 0x40) + b"PE\0\0" + file + optional
    head += b"".join(pack("<II", *row) for row in directories) + headers
    tail = b"/home/me/secret.c".ljust(18, b"\0") + pack("<I", 4) if symbols else b""
    return head.ljust(offset, b"\0") + raw + tail


def _assemble(functions: dict[str, int], locator: int) -> bytes:
    handle, written, path, info = _DATA, _DATA + 8, _DATA + 0x10, _DATA + 0x2000
    write: Code = [
        ("48 8b 0d", handle),  # mov rcx, [handle]
        ("4c 8d 0d", written),  # lea r9, [written]
        ("48 c7 44 24 20 00 00 00 00", 0),  # mov qword [rsp + 32], 0
        ("ff 15", functions["WriteFile"]),
    ]
    code: Code = [
        ("48 83 ec 38 b9 f5 ff ff ff", 0),  # sub rsp, 56; mov ecx, STD_OUTPUT_HANDLE
        ("ff 15", functions["GetStdHandle"]),
        ("48 89 05", handle),
        ("48 8d 15", 0x100000000),  # lea rdx, [the image's beginning]
        ("48 03 15", locator + 16),  # add rdx, [locator.address]
        ("4c 8b 05", locator + 24),  # mov r8, [locator.size]
        *write,
        ("31 c9 41 b8 00 08 00 00", 0),  # xor ecx, ecx; mov r8d, 2048
        ("48 8d 15", path),
        ("ff 15", functions["GetModuleFileNameW"]),
        ("48 8d 0d", path),
        ("31 d2 41 b8 00 10 00 00", 0),  # xor edx, edx; mov r8d, 4096
        ("4c 8d 0d", info),
        ("ff 15", functions["GetFileVersionInfoW"]),
        ("48 8d 15", info),
        ("41 b8 00 10 00 00", 0),
        *write,
        ("31 c9", 0),
        ("ff 15", functions["ExitProcess"]),
    ]
    done = bytearray()
    for digits, target in code:
        done += bytes.fromhex(digits)
        if target:
            done += pack("<i", (target & 0xFFFFFFFF) - (_TEXT + len(done) + 4))
    return bytes(done)


def attach(
    folder: Path, image: bytes, blob: bytes = b"BLOBDATA" * 9000, appearance: Appearance | None = None
) -> link.Linked:
    """An executable in ``folder``."""
    (folder / "launcher.exe").write_bytes(image)
    (folder / "blob").write_bytes(blob)
    return link.attach(
        folder / "launcher.exe", folder / "blob", folder / "out/app.exe", WINDOWS, appearance=appearance
    )
