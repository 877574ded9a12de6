"""The launcher's reader of compressed groups in C, with sanitizers, against a sound table and against damage."""

from __future__ import annotations

import importlib.util
import random
import struct
import subprocess
from pathlib import Path

import pytest
import sanitized

from oxcross.elf import Elf, ElfError
from oxcross.inspect.squeezed import groups as inspected
from oxcross.squeeze import unused
from oxcross.squeeze.machine import MACHINES, THUNK
from oxcross.squeeze.table import without


def sound() -> bytes:
    """The fuzzer's first input."""
    spec = importlib.util.spec_from_file_location("seeds", sanitized.LAUNCHER / "fuzz" / "seeds.py")
    assert spec
    assert spec.loader
    seeds = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(seeds)
    table: bytes = seeds.groups()
    return table


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """launcher/tests/groups.c, which unpacks the groups of a table."""
    out = tmp_path_factory.mktemp("groups") / "probe"
    return sanitized.build(out, ("tests/groups.c", "groups.c"), "-lzstd")


def _run(probe: Path, folder: Path, table: bytes) -> subprocess.CompletedProcess[str]:
    path = folder / "table"
    path.write_bytes(table)
    return sanitized.run(probe, path, timeout=60)


def test_a_sound_table(probe: Path, tmp_path: Path) -> None:
    done = _run(probe, tmp_path, sound())
    assert done.returncode == 0, done.stderr
    # Two functions each, at 0 and 64; pointers and the import are the words that they should be.
    lines = [f"{name} 0 64 pointers 100000 f0e0d0c0b1a0908" for name in ("one", "two")]
    assert done.stdout.splitlines() == lines
    assert inspected(memoryview(b"\x7fELF" + bytes(60) + sound())) == ("one", "two")
    assert inspected(memoryview(b"\x7fELF" + bytes(60))) == ()


def test_without_a_group(probe: Path, tmp_path: Path) -> None:
    """Its frames are gone, the other's are where the table says; the segment ends where the file does."""
    table = sound()
    size = 64 + 56 + len(table)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 4096)
    launcher = head + load + table
    for gone, left in (("one", "two"), ("two", "one")):
        made = without(launcher, {gone})
        assert Elf(made).segments[0].filesz == Elf(made).segments[0].memsz == len(made)
        assert inspected(memoryview(made)) == (left,)
        done = _run(probe, tmp_path, made[64 + 56 :])
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [f"{left} 0 64 pointers 100000 f0e0d0c0b1a0908"]
    assert without(launcher, set()) == launcher
    assert without(head + load, {"one"}) == head + load
    with pytest.raises(ElfError, match="not at its end"):
        without(launcher + b"more", {"one"})


def test_groups_of_modules_left_out() -> None:
    builtin = {"_ssl", "_hashlib", "_sqlite3", "_bz2", "math"}
    assert {"sqlite"} <= unused({"_sqlite3", "_ssl"}, builtin)
    assert {"openssl", "bzip2", "numbers"}.isdisjoint(unused({"_sqlite3", "_ssl"}, builtin))


def test_damage(probe: Path, tmp_path: Path) -> None:
    """Any damaged byte is told or does no harm."""
    good = sound()
    told = 0
    rng = random.Random(7)  # noqa: S311 (the same places in every run)
    first_frame = 72 + 2 * 96
    places = [*range(first_frame), *rng.sample(range(first_frame, len(good)), 40)]
    for at in rng.sample(places, 60):
        bad = bytearray(good)
        bad[at] ^= 1 << rng.randrange(8)
        done = _run(probe, tmp_path, bytes(bad))
        assert done.returncode in (0, 70), (at, done.stderr)
        told += done.returncode == 70
        if at >= first_frame:  # the check sum tells; a bit that means nothing may change
            assert done.returncode == 70 or done.stdout == _run(probe, tmp_path, good).stdout, at
            if done.returncode == 70:
                with pytest.raises(ElfError):
                    inspected(memoryview(bytes(bad)))
    assert told > 30
    for size in (0, 71, 72, first_frame - 1, first_frame, len(good) - 1):
        assert _run(probe, tmp_path, good[:size]).returncode == 70


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_instructions(arch: str) -> None:
    """A thunk's branch leads to the entry; a call is turned to a thunk, and only one that leads to its function."""
    machine = MACHINES[arch]
    thunk = machine.thunk(0x20000, 0x12340)
    assert len(thunk) == THUNK
    if arch == "x86_64":
        assert 0x20000 + 5 + int.from_bytes(thunk[1:5], "little", signed=True) == 0x12340
        code, at, kind = bytearray(b"\xe8" + (0x5000 - 0x1005).to_bytes(4, "little")), 1, 4
    else:
        word = int.from_bytes(thunk[4:], "little")
        assert word >> 26 == 0b000101
        assert 0x20004 + ((word & 0x3FFFFFF) - (1 << 26)) * 4 == 0x12340
        code, at, kind = bytearray((0x94000000 | (0x5000 - 0x1000) >> 2).to_bytes(4, "little")), 0, 283
    machine.redirect(code, at, 0x1000 + at, kind, 0x5000, 0x9000)
    if arch == "x86_64":
        assert 0x1005 + int.from_bytes(code[1:5], "little") == 0x9000
    else:
        assert 0x1000 + (int.from_bytes(code, "little") & 0x3FFFFFF) * 4 == 0x9000
    with pytest.raises(ElfError, match="0x5000"):
        machine.redirect(code, at, 0x1000 + at, kind, 0x5000, 0x9000)
