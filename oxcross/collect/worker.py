"""Compiles modules inside the CPython that will run them; given to it with ``-c``, never imported.

stdin and stdout carry frames: a 4-byte little-endian size, then the bytes. In come pairs (path,
source); out go pairs (b"ok", marshalled code) or (b"error", text), in the same order. argv: the
optimisation level.

marshal marks an object as "may be referred to" when more than one reference to it is alive, so its
bytes would depend on what else the process did. Here a reference to every object of the code is held
while it is written: then the bytes are a function of source, path and level alone.
"""

from __future__ import annotations

import marshal
import sys
import warnings
from struct import Struct
from types import CodeType
from typing import IO

SIZE = Struct("<I")
_CODE_PARTS = (
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_cellvars",
    "co_freevars",
    "co_filename",
    "co_name",
    "co_qualname",
    "co_linetable",
    "co_exceptiontable",
)


def hold(value: object, held: list[object]) -> None:
    """Append ``value`` and all that marshal writes for it to ``held``."""
    held.append(value)
    if isinstance(value, CodeType):
        for part in _CODE_PARTS:
            hold(getattr(value, part), held)
    elif isinstance(value, tuple | frozenset):
        for item in value:
            hold(item, held)


def compiled(source: bytes, path: str, optimize: int) -> bytes:
    """The marshalled code (version 4) of a module; SyntaxError, ValueError as ``compile``."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=optimize)
    held: list[object] = []
    hold(code, held)
    return marshal.dumps(code, 4)


def frames(stream: IO[bytes]) -> list[bytes]:
    """All frames until the stream's end."""
    found = []
    while head := stream.read(SIZE.size):
        found.append(stream.read(SIZE.unpack(head)[0]))
    return found


def main() -> None:
    """Read all pairs, write all results."""
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20000)
    optimize = int(sys.argv[1])
    pairs = frames(sys.stdin.buffer)
    for path, source in zip(pairs[::2], pairs[1::2], strict=True):
        try:
            kind, result = b"ok", compiled(source, path.decode("utf-8", "surrogateescape"), optimize)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            kind, result = b"error", str(error).encode("utf-8", "replace")
        for frame in (kind, result):
            sys.stdout.buffer.write(SIZE.pack(len(frame)) + frame)


if __name__ == "__main__":
    main()
