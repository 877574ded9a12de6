# ruff: noqa: INP001 (a script)
"""Writes the first inputs of the fuzzer of marshalled code; run by the CPython whose format they are in.

Small modules of the standard library, and code with constants of every type.
"""

import marshal
import os
import sys
from pathlib import Path

LARGEST = 6000  # bytes of source; fuzzers want small inputs
TUPLE = (1, "two", b"three")
CONSTANTS: tuple[object, ...] = (
    (None, True, False, ..., StopIteration),
    (0, -1, 1 << 31, -(1 << 100), 1 << 300, 0.5, float("nan"), -2.5j),
    ("", "a", "word", "word of many", "é", "\u20ac", "\U0001f600", "\ud800", b"", b"\x00\xff"),
    (TUPLE, TUPLE, (TUPLE, TUPLE), ((), ((), (((),),)))),
    (frozenset(), frozenset(TUPLE), frozenset({TUPLE, frozenset({TUPLE})})),
    ([1, [2]], {3, "four"}, {"five": [6], 7: {}}),
)


def main(folder: Path) -> None:
    """Write the inputs into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    empty = compile("", "empty.py", "exec")
    codes = [empty.replace(co_consts=constants) for constants in CONSTANTS]
    sources = [path for path in Path(os.__file__).parent.rglob("*.py") if path.stat().st_size <= LARGEST]
    codes += [compile(path.read_bytes(), path.name, "exec", dont_inherit=True) for path in sorted(sources)]
    for number, code in enumerate(codes):
        (folder / str(number)).write_bytes(marshal.dumps(code))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
