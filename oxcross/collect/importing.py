"""Reads what modules import, inside the CPython that will run them; given to it with ``-c``, never imported.

stdin carries frames (a 4-byte little-endian size, then the bytes) in pairs: the package that relative imports are
relative to, and marshalled code. stdout gets a JSON list of lists: absolute names that the code's import statements
name (a name of ``from`` may be a module or not), and its texts that look like a module's full name; these come as ":name".
"""

from __future__ import annotations

import dis
import json
import marshal
import re
import sys
from struct import Struct
from types import CodeType

_SIZE = Struct("<I")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def named(code: CodeType, package: str, found: set[str]) -> None:
    """Add what ``code`` and the code within it name."""
    recent: list[object] = []
    for one in dis.get_instructions(code):
        if one.opname == "IMPORT_NAME":
            level, names = (recent[-2], recent[-1]) if len(recent) > 1 else (0, None)
            base = str(one.argval)
            if isinstance(level, int) and level:
                above = package.split(".")
                base = ".".join([*above[: len(above) - level + 1], *([base] if base else [])])
            found.add(base)
            if isinstance(names, tuple):
                found.update(f"{base}.{name}" for name in names)
        if one.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            recent.append(one.argval)
    for constant in code.co_consts:
        for value in constant if isinstance(constant, tuple | frozenset) else (constant,):
            if isinstance(value, CodeType):
                named(value, package, found)
            elif isinstance(value, str) and len(value) < 100 and _DOTTED.fullmatch(value):
                found.add(f":{value}")


def main() -> None:
    """Read all pairs, write all results."""
    data = sys.stdin.buffer.read()
    frames, at = [], 0
    while at < len(data):
        (size,) = _SIZE.unpack_from(data, at)
        frames.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    results = []
    for package, code in zip(frames[::2], frames[1::2], strict=True):
        found: set[str] = set()
        named(marshal.loads(code), package.decode(), found)  # noqa: S302 (made by the same build)
        results.append(sorted(found))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
