# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Make an extension module's object safe to be linked beside others: every name in it becomes its own.

A shared library keeps its names to itself, and two of them may have the same. In one executable that must
still hold, so each global symbol that the object defines is made local; only the module's init function stays
global, under a name that no other module has. What the object asks for (Python's API, libc) is left as it is.

Source: the System V gABI, "Object Files" (symbol table, sections, relocation), and its x86-64 and AArch64
supplements: ELF64, little-endian, relocations with addends.
"""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")  # name, type, flags, addr, offset, size, link, info, align, entsize
_SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size

_ET_REL = 1
_SHT_NULL, _SHT_SYMTAB, _SHT_RELA, _SHT_REL, _SHT_GROUP, _SHT_SYMTAB_SHNDX = 0, 2, 4, 9, 17, 18
_SHT_CREL, _SHT_ADDRSIG = 0x40000014, 0x6FFF4C03
_SHF_GROUP = 0x200
_SHN_UNDEF, _SHN_COMMON = 0, 0xFFF2
_LOCAL, _GLOBAL = 0, 1


class ObjectError(ValueError):
    """Not a relocatable object of this kind, or one that cannot be isolated; the text says why."""


def isolate(data: bytes, init: str, name: str) -> bytes:
    """The object ``data`` with all symbols local, but the function ``init``, which is called ``name``.

    Section groups are dissolved: the linker would keep one group of each name in the whole executable,
    and the others' local symbols would be left without what they stand for.
    """
    image = bytearray(data)
    sections = _sections(image)
    tables = [number for number, section in enumerate(sections) if section[1] == _SHT_SYMTAB]
    if len(tables) != 1:
        raise ObjectError(f"an object with {len(tables)} symbol tables")
    table = tables[0]
    _, _, _, _, at, size, strings, _, _, _ = sections[table]
    symbols = [list(symbol) for symbol in _SYMBOL.iter_unpack(image[at : at + size])]
    names = bytes(image[sections[strings][4] : sections[strings][4] + sections[strings][5]])

    found = False
    for symbol in symbols[1:]:
        info, section = symbol[1], symbol[3]
        if section == _SHN_COMMON:
            raise ObjectError(f"{_name(names, symbol[0])} is a common symbol: compile with -fno-common")
        if section == _SHN_UNDEF or info >> 4 == _LOCAL:
            continue
        if _name(names, symbol[0]) == init:
            symbol[0] = len(names)
            symbol[1] = _GLOBAL << 4 | info & 15
            found = True
        else:
            symbol[1] = info & 15
        symbol[2] = 0
    if not found:
        raise ObjectError(f"it has no function {init}")

    # Local symbols come first (gABI, sh_info of a symbol table); relocations follow their symbols.
    order = sorted(range(len(symbols)), key=lambda number: number > 0 and symbols[number][1] >> 4 != _LOCAL)
    moved = {old: new for new, old in enumerate(order)}
    image[at : at + size] = b"".join(_SYMBOL.pack(*symbols[old]) for old in order)
    sections[table][7] = sum(symbol[1] >> 4 == _LOCAL for symbol in symbols)
    for section in sections:
        _follow(image, section, table, order, moved)
    sections[strings][4:6] = [len(image), len(names) + len(name.encode()) + 1]
    image += names + name.encode() + b"\0"
    for number, section in enumerate(sections):
        _SECTION.pack_into(image, _HEADER.unpack_from(image)[6] + number * _SECTION.size, *section)
    return bytes(image)


def undefined(data: bytes) -> list[str]:
    """The names that an object asks for, sorted."""
    sections = _sections(data)
    for section in sections:
        if section[1] == _SHT_SYMTAB:
            at, size, strings = section[4], section[5], sections[section[6]]
            names = data[strings[4] : strings[4] + strings[5]]
            rows = _SYMBOL.iter_unpack(data[at : at + size])
            return sorted({_name(names, row[0]) for row in rows if row[3] == _SHN_UNDEF and row[0]})
    return []


def is_object(data: bytes) -> bool:
    """Whether these bytes are a relocatable ELF object."""
    return data[:4] == b"\x7fELF" and data[16:18] == _ET_REL.to_bytes(2, "little")


def _sections(data: bytes | bytearray) -> list[list[int]]:
    if not is_object(bytes(data[:18])) or data[4:6] != b"\x02\x01":
        raise ObjectError("not a relocatable object of a 64-bit little-endian machine")
    header = _HEADER.unpack_from(data)
    at, count = header[6], header[12]
    if count == 0:  # more sections than 16 bits can count: the first one's size is their number
        count = _SECTION.unpack_from(data, at)[5]
    return [list(_SECTION.unpack_from(data, at + number * _SECTION.size)) for number in range(count)]


def _follow(
    image: bytearray, section: list[int], table: int, order: list[int], moved: dict[int, int]
) -> None:
    """Let one section refer to the symbols where they are now."""
    _, kind, _, _, at, size, link, _, _, entry = section
    if kind in (_SHT_RELA, _SHT_REL) and link == table:
        for place in range(at + 8, at + size, entry):  # r_info stands behind r_offset
            info = int.from_bytes(image[place : place + 8], "little")
            image[place : place + 8] = (moved[info >> 32] << 32 | info & 0xFFFFFFFF).to_bytes(8, "little")
    elif kind == _SHT_SYMTAB_SHNDX and link == table:
        rows = [bytes(image[place : place + 4]) for place in range(at, at + size, 4)]
        image[at : at + size] = b"".join(rows[old] for old in order)
    elif kind == _SHT_CREL:
        raise ObjectError("it has relocations in the CREL format")
    elif kind in (_SHT_GROUP, _SHT_ADDRSIG):
        section[1:] = [_SHT_NULL, 0, 0, 0, 0, 0, 0, 0, 0]
    section[2] &= ~_SHF_GROUP


def _name(names: bytes, offset: int) -> str:
    return names[offset : names.index(b"\0", offset)].decode("utf-8", "replace")
