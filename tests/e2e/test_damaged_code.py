"""Bytecode with damage that its check sum does not tell of: to read it gives code or an exception, never a crash."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from program import APPS, build

from oxcross.inspect.executable import locate
from oxcross.pack import Blob, Codec, Section
from oxcross.pack.codec import check_sum
from oxcross.pack.format import MODULE, PAYLOAD, STRING, ModuleFlag

ROUNDS = 4
# Behind the type, five numbers, the bytecode's type and size: Python/marshal.c.
FIRST_INSTRUCTION = 1 + 5 * 4 + 1 + 4
# Include/opcode_ids.h of 3.13.
OPCODES = {"ENTER_EXECUTOR": 70, "INSTRUMENTED_LINE": 254, "INSTRUMENTED_RESUME": 236}
# Reads the code of the modules that its arguments name, and shows all of it; runs nothing of it.
PROGRAM = """\
import sys
from importlib.util import find_spec

def read(code):
    assert code.co_filename.startswith(sys.executable), "frozen"
    shown = [code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_consts]
    repr((hash(code), shown, code.co_linetable, code.co_exceptiontable))
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            read(constant)

for name in sys.argv[1:]:
    print(name, end=" ", flush=True)
    try:
        if name not in sys.modules:
            read(find_spec(name).loader.get_code(name))
        print("loaded" if name in sys.modules else "read")
    except Exception as error:
        print(type(error).__name__)
"""


@dataclass(frozen=True)
class Place:
    """Where a module's marshalled code and its check sum lie in the executable."""

    code: slice
    check: slice


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An executable that runs PROGRAM, its bytecode stored as it is."""
    folder = tmp_path_factory.mktemp("damaged") / "hello"
    shutil.copytree(APPS / "hello", folder)
    (folder / "hello.py").write_text(PROGRAM, encoding="utf-8")
    return build(folder)


def _places(executable: Path) -> dict[str, Place]:
    """The standard library's modules outside of packages: to find others means to run their packages."""
    data = executable.read_bytes()
    start, size = locate(data, executable)
    blob = Blob(memoryview(data)[start : start + size])
    modules, payloads = (start + blob.spans[at][0] for at in (Section.MODULES, Section.PAYLOAD))
    places = {}
    for number, row in enumerate(blob.modules):
        code = row.code.codec == Codec.RAW and row.code.size
        if code and row.flags & ModuleFlag.STDLIB and "." not in row.name:
            at = payloads + row.code.offset
            check = modules + number * MODULE.size + 2 * STRING.size + PAYLOAD.size - 4
            places[row.name] = Place(slice(at, at + row.code.size), slice(check, check + 4))
    return places


def _read(executable: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([executable, *names], capture_output=True, text=True, timeout=120, check=False)


def _outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, (done.stdout[-200:], done.stderr)
    return dict(line.split() for line in done.stdout.splitlines())


def _damage(data: bytearray, place: Place, at: int, value: int) -> None:
    data[place.code.start + at] = value
    data[place.check] = check_sum(bytes(data[place.code])).to_bytes(4, "little")


def test_a_damaged_byte(whole: Path, tmp_path: Path) -> None:
    """Each of some hundred modules with one byte changed, several times over."""
    places = _places(whole)
    names = [name for name, outcome in _outcomes(_read(whole, *places)).items() if outcome == "read"]
    assert len(names) > 100
    damaged = Path(shutil.copy(whole, tmp_path))
    seen: Counter[str] = Counter()
    chance = random.Random(3)  # noqa: S311 (the same damage each time)
    for _ in range(ROUNDS):
        data = bytearray(whole.read_bytes())
        for name in names:
            code = places[name].code
            _damage(data, places[name], chance.randrange(1, code.stop - code.start), chance.randrange(256))
        damaged.write_bytes(data)
        outcomes = _outcomes(_read(damaged, *names))
        assert list(outcomes) == names
        seen.update(outcomes.values())
    assert seen["read"] > 100
    assert seen["ValueError"] > 10
    # What CPython itself says of the parts of a code object, and of what is not UTF-8.
    assert set(seen) <= {"read", "ValueError", "SystemError", "TypeError", "UnicodeDecodeError"}


@pytest.mark.parametrize("opcode", OPCODES)
def test_bytecode_that_is_never_stored(whole: Path, tmp_path: Path, opcode: str) -> None:
    """An instruction that CPython puts into running code only, and takes for granted that it did."""
    place = _places(whole)["this"]
    data = bytearray(whole.read_bytes())
    _damage(data, place, FIRST_INSTRUCTION, OPCODES[opcode])
    damaged = Path(shutil.copy(whole, tmp_path))
    damaged.write_bytes(data)
    assert _outcomes(_read(damaged, "this")) == {"this": "ValueError"}


def test_another_object(whole: Path, tmp_path: Path) -> None:
    """Where a module's code is to be, None is: the program ends and says so."""
    data = bytearray(whole.read_bytes())
    _damage(data, _places(whole)["this"], 0, ord("N"))
    damaged = Path(shutil.copy(whole, tmp_path))
    damaged.write_bytes(data)
    done = _read(damaged, "this")
    assert done.returncode == 70
    assert "a module's code" in done.stderr
