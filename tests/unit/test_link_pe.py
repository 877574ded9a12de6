"""Linking for Windows: the blob is a section, found by the launcher; headers and checksum are right; bad launchers."""

from __future__ import annotations

import hashlib
import random
import stat
import subprocess
import time
from array import array
from pathlib import Path

import lief
import pytest
from tools import need
from windowed import INFO, WINDOWS, attach, launcher

from oxcross import pe, runner
from oxcross.errors import BuildError
from oxcross.link.pe import Appearance, checksum, ones_sum
from oxcross.pack.format import LOCATOR, LOCATOR_MAGIC
from oxcross.pe import Pe
from oxcross.windows import version
from oxcross.windows.resources import RT_VERSION, Resources


def appearance(subsystem: str = "console") -> Appearance:
    resources = Resources()
    resources.add(RT_VERSION, 1, version.pack((1, 2, 3, 4), (1, 2, 3, 4), {"CompanyName": "Jane & Söhne"}))
    return Appearance(resources, subsystem)


def parsed(path: Path) -> lief.PE.Binary:
    found = lief.PE.parse(path)
    assert found is not None
    return found


@pytest.mark.parametrize("tight", [False, True])
@pytest.mark.parametrize("subsystem", ["", "console", "windows"])
def test_the_program_finds_its_blob(tmp_path: Path, tight: bool, subsystem: str) -> None:
    need(wine="wine")
    blob = random.Random(1).randbytes(1_000_003)  # noqa: S311
    linked = attach(tmp_path, launcher(tight=tight), blob, appearance(subsystem) if subsystem else None)
    done = subprocess.run(
        runner.line(WINDOWS, linked.path), env=runner.environment(WINDOWS), stdout=subprocess.PIPE, check=True
    )
    assert hashlib.sha256(done.stdout[: len(blob)]).digest() == hashlib.sha256(blob).digest()
    said = done.stdout[len(blob) :]
    assert len(said) == INFO
    assert ("Jane & Söhne".encode("utf-16-le") in said) == bool(subsystem)
    assert stat.S_IMODE(linked.path.stat().st_mode) == 0o755
    data = linked.path.read_bytes()
    assert (linked.size, linked.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def blank(content: memoryview) -> bytes:
    """A section's bytes without what the locator says."""
    data = bytes(content)
    at = data.find(LOCATOR_MAGIC)
    return data if at < 0 else data[:at] + data[at + LOCATOR.size :]


@pytest.mark.parametrize("size", [1, 511, 512, 4097, 300_001])
@pytest.mark.parametrize("dressed", [False, True])
@pytest.mark.parametrize("tight", [False, True])
def test_headers(tmp_path: Path, size: int, dressed: bool, tight: bool) -> None:
    image = launcher(tight=tight)
    blob = bytes(range(1, 256)) * (size // 255 + 1)
    linked = attach(tmp_path, image, blob[:size], appearance("windows") if dressed else None)
    data = linked.path.read_bytes()
    before, file = Pe(image), Pe(data)
    names = [section.label for section in file.sections]
    assert names == [".text", ".rdata", ".data", *([".rsrc"] if dressed else []), ".oxblob"]
    assert bytes(file.content(file.sections[-1])) == blob[:size].ljust((size + 511) // 512 * 512, b"\0")
    assert file.sections[-1].size == size
    assert file.sections[-1].flags == pe.SCN_DATA | pe.SCN_READ
    for one, after in zip(
        file.sections, file.sections[1:], strict=False
    ):  # no gaps, in memory or in the file
        assert (one.address + one.size + 4095) // 4096 * 4096 == after.address
        if one.raw_size:
            followers = [other.offset for other in file.sections if other.offset > one.offset]
            assert one.offset + one.raw_size == min(followers)
    assert file.optional.headers_size == (1024 if tight and dressed else before.optional.headers_size)
    for section in before.sections:
        moved = file.section(section.label)
        assert moved is not None
        assert moved.address == section.address
        assert blank(file.content(moved)) == blank(before.content(section))
    assert file.subsystem == ("windows" if dressed else "console")
    assert [one.dll for one in file.imports] == [one.dll for one in before.imports]
    at = data.find(LOCATOR_MAGIC)
    _, address, length, offset, end = LOCATOR.unpack_from(data, at)
    last = file.sections[-1]
    assert (address, length, offset, end) == (last.address, size, last.offset, len(data))
    if dressed:
        assert offset % 4096 == 0


@pytest.mark.parametrize("dressed", [False, True])
def test_lief_finds_nothing_wrong(tmp_path: Path, dressed: bool) -> None:
    path = attach(tmp_path, launcher(), b"x" * 77_777, appearance() if dressed else None).path
    other = parsed(path)
    assert lief.PE.check_layout(other) == (True, "")
    assert other.optional_header.checksum == other.compute_checksum()
    section = other.get_section(".oxblob")
    assert section is not None
    assert bytes(section.content[:4]) == b"xxxx"
    initialised = sum(one.sizeof_raw_data for one in other.sections if one.characteristics & pe.SCN_DATA)
    assert other.optional_header.sizeof_initialized_data == initialised


def test_same_input_same_bytes(tmp_path: Path) -> None:
    first = attach(tmp_path, launcher(), appearance=appearance()).sha256
    assert attach(tmp_path, launcher(), appearance=appearance()).sha256 == first
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["app.exe"]


@pytest.mark.parametrize("tight", [False, True])
def test_symbols_and_paths_are_gone(tmp_path: Path, tight: bool) -> None:
    image = launcher(symbols=True, pdb=b"/home/me/secret.pdb", tight=tight)
    assert [entry.path for entry in Pe(image).debug] == ["/home/me/secret.pdb"]
    data = attach(tmp_path, image, appearance=appearance()).path.read_bytes()
    assert b"secret" not in data
    file = Pe(data)
    assert (file.file.symbols, file.file.symbols_offset) == (0, 0)
    [entry] = file.debug
    assert (entry.time, entry.path) == (file.file.time, "")
    assert bytes(file.view[entry.offset : entry.offset + 4]) == b"RSDS"


def signed() -> bytes:
    image = bytearray(launcher())
    pe.DIRECTORY.pack_into(image, Pe(image).directories_at + 8 * pe.DIR_SECURITY, len(image), 8)
    return bytes(image) + bytes(8)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (launcher(locators=0), "exactly one ox_locator"),
        (launcher(locators=2), "exactly one ox_locator"),
        (b"#!/bin/sh\n", "not a PE file"),
        (launcher()[:90], "behind the file's end"),
        (launcher()[:-1], "behind the file's end"),
        (launcher() + b"more", "bytes behind its last section"),
        (launcher().replace(b".rdata\0\0", b"/4".ljust(8, b"\0")), ""),
        (signed(), "it is signed"),
    ],
)
def test_bad_launchers(tmp_path: Path, image: bytes, message: str) -> None:
    if not message:  # a section with a long name is fine, as long as there are no symbols
        attach(tmp_path, image)
        return
    with pytest.raises(BuildError, match=f"launcher.exe: not a launcher: .*{message}"):
        attach(tmp_path, image)
    assert not list(tmp_path.glob("out/*"))


def test_a_linked_executable_is_no_launcher(tmp_path: Path) -> None:
    linked = attach(tmp_path, launcher())
    with pytest.raises(BuildError, match="a blob already"):
        attach(tmp_path, linked.path.read_bytes())
    linked = attach(tmp_path, launcher(), appearance=appearance())
    with pytest.raises(BuildError, match="resources of its own"):
        attach(tmp_path, linked.path.read_bytes(), appearance=appearance())


def test_damaged_launchers(tmp_path: Path) -> None:
    image = launcher(pdb=b"x.pdb")
    chance = random.Random(7)  # noqa: S311
    for _ in range(300):
        broken = bytearray(image)
        broken[chance.randrange(0x400)] ^= 1 << chance.randrange(8)
        try:
            attach(tmp_path, bytes(broken), b"blob", appearance())
        except BuildError:
            continue


def test_checksum_is_exact() -> None:
    chance = random.Random(3)  # noqa: S311
    for size in (0, 2, 8192, 8194, 50_000):
        for data in (bytes(size), b"\xff" * size, chance.randbytes(size)):
            total = 0
            for word in array("H", data):
                total += word
                total = (total & 0xFFFF) + (total >> 16)
            assert checksum(ones_sum(data), size) == total + size


def test_checksum_is_quick() -> None:
    data = random.Random(3).randbytes(30_000_000)  # noqa: S311
    best = 9.0
    for _ in range(3):
        begun = time.process_time()
        ones_sum(data)
        best = min(best, time.process_time() - begun)
    assert best < 0.25  # 0.04 on a machine that does nothing else
