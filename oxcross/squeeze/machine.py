"""What depends on the processor: kinds of relocations, and the instructions that are written.

Sources: the psABIs of x86-64 (4.4.1) and AArch64 (aaelf64, 5.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from oxcross.elf import ElfError

THUNK = 8  # bytes: OX_THUNK of launcher/groups.h
_I32 = Struct("<i")
_U32 = Struct("<I")
# Opcodes of one byte with an immediate operand behind a memory operand: its bytes.
_IMMEDIATES = {
    0x80: 1,
    0x81: 4,
    0x83: 1,
    0xC0: 1,
    0xC1: 1,
    0xC6: 1,
    0xC7: 4,
    0x69: 4,
    0x6B: 1,
    0xF6: 1,
    0xF7: 4,
}
_LEA = re.compile(
    rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]", re.DOTALL
)  # lea distance(%rip), register


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Relocation types, by what they mean for a reference from one place to another.

    ``calls`` are branches, ``code`` all other references from instructions, ``distances`` those that data
    may hold relative to itself. ``bias`` is what a PC-relative addend of an instruction leaves out.
    """

    page: int
    calls: frozenset[int]
    code: frozenset[int]
    got: frozenset[int]
    absolute: frozenset[int]
    distances: frozenset[int]
    relative: int  # dynamic: the image's address and an addend
    bias: int
    lazy: bytes  # a thunk before its group is unpacked; its branch is filled in by `thunk`

    def thunk(self, address: int, entry: int) -> bytes:
        """The thunk at ``address`` that leads to ``entry``."""
        code = bytearray(self.lazy)
        if self.bias:
            _I32.pack_into(code, 1, entry - address - 5)
        else:
            _U32.pack_into(code, 4, 0x14000000 | ((entry - address - 4) >> 2 & 0x3FFFFFF))
        return bytes(code)

    def redirect(self, data: bytearray, at: int, place: int, kind: int, old: int, new: int) -> None:
        """Make the instruction whose relocation is at ``place`` (offset ``at``) refer to ``new``, not to ``old``.

        ElfError when it is not seen to refer to ``old``. A reference by way of the global offset table is left alone.
        """
        if self.bias:
            _redirect_x86(data, at, place, kind in self.got, old, new)
        else:
            _redirect_arm(data, at, place, kind, old, new)

    def behind(self, data: bytes | bytearray, at: int) -> tuple[int, ...]:
        """By how many bytes less than its target a reference at offset ``at`` of code may say: the immediate operand
        behind the address (Intel SDM, volume 2, appendix A). More than one where the bytes do not tell.
        """
        if not self.bias:
            return (0,)
        before = bytes(data[max(at - 6, 0) : at]).rjust(6, b"\0")
        opcode, operand = before[4], before[5]
        if operand in (0xE8, 0xE9) or (opcode == 0x0F and operand & 0xF0 == 0x80):  # branches
            return (0,)
        if operand & 0xC7 != 0x05:
            return (0, 1, 2, 4)
        size = _IMMEDIATES.get(opcode, 0)
        if opcode in (0xF6, 0xF7) and operand & 0x30:  # not, neg, mul, div
            size = 0
        sizes = {size, 2} if size == 4 and 0x66 in before[1:4] else {size}
        if before[3] == 0x0F or before[2] in (0x0F, 0xC5) or before[1] == 0xC4 or before[0] == 0x62:
            sizes |= {0, 1}  # longer opcodes, of which some have one byte
        return tuple(sorted(sizes))

    def own_addresses(self, code: bytes) -> Iterator[int]:
        """Where a function's ``code`` takes the function's own address: offsets of the PC-relative fields.

        The assembler fills them in without a relocation. (AArch64's addresses of pages always have one.)
        """
        if not self.bias:
            return
        for found in _LEA.finditer(code):
            at = found.end()
            if at + 4 <= len(code) and at + 4 + _I32.unpack_from(code, at)[0] == 0:
                yield at


def _redirect_x86(data: bytearray, at: int, place: int, got: bool, old: int, new: int) -> None:
    # `jmp *f@GOTPCREL(%rip)`, six bytes, becomes `jmp f; nop`: the distance lies a byte sooner.
    for shift in (0, -1) if got else (0,):
        (value,) = _I32.unpack_from(data, at + shift)
        if place + shift + 4 + value == old:
            _I32.pack_into(data, at + shift, new - place - shift - 4)
            return
    if not got:
        raise ElfError(f"the instruction at {place:#x} does not refer to {old:#x}")


_PAGE_21, _ADD_12, _JUMP_26, _CALL_26 = 275, 277, 282, 283


def _redirect_arm(data: bytearray, at: int, place: int, kind: int, old: int, new: int) -> None:
    (word,) = _U32.unpack_from(data, at)
    if kind in (_JUMP_26, _CALL_26):
        distance = (word & 0x3FFFFFF) << 2
        if place + (distance ^ 1 << 27) - (1 << 27) != old:
            raise ElfError(f"the branch at {place:#x} does not lead to {old:#x}")
        word = word & ~0x3FFFFFF | (new - place) >> 2 & 0x3FFFFFF
    elif kind == _PAGE_21:
        pages = (new >> 12) - (place >> 12)
        word = word & ~0x60FFFFE0 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
    elif kind == _ADD_12:
        if word >> 10 & 0xFFF != old & 0xFFF:
            raise ElfError(f"the addition at {place:#x} is not to {old:#x}")
        word = word & ~(0xFFF << 10) | (new & 0xFFF) << 10
    else:
        raise ElfError(f"relocation {kind} at {place:#x} cannot lead to a thunk")
    _U32.pack_into(data, at, word)


MACHINES = {
    "x86_64": Machine(
        page=4096,
        calls=frozenset({4}),
        code=frozenset({2}),
        got=frozenset({9, 41, 42}),
        absolute=frozenset({1}),
        distances=frozenset({2, 24}),
        relative=8,
        bias=4,
        lazy=b"\xe8\0\0\0\0\x0f\x1f\0",
    ),
    "aarch64": Machine(
        page=65536,
        calls=frozenset({_JUMP_26, _CALL_26}),
        code=frozenset({274, _PAGE_21, _ADD_12, 278, 284, 285, 286, 299}),
        got=frozenset({311, 312}),
        absolute=frozenset({257}),
        distances=frozenset({260, 261}),
        relative=1027,
        bias=0,
        lazy=b"\x10\0\0\x10\0\0\0\0",  # adr x16, .
    ),
}
