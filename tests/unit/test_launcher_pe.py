"""The launcher's reader of Windows DLLs in C, built by this machine's compiler with sanitizers: against files made
byte by byte, against what lief reads, and against damage of every kind."""

from __future__ import annotations

import struct
from pathlib import Path

import dlls
import lief
import pytest
import sanitized

from oxcross.pe import Pe

UNITS = ("tests/probe_pe.c", "pe_windows.c", "pe_map_windows.c")
# Offsets in the files of dlls.py, whose "PE\0\0" is at 64.
COFF, OPTIONAL, DIRECTORIES, SECTIONS = 64, 88, 200, 328


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test program launcher/tests/probe_pe.c."""
    return sanitized.build(tmp_path_factory.mktemp("probe") / "probe_pe", UNITS)


def _good(probe: Path, *arguments: str | Path) -> str:
    done = sanitized.run(probe, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _write(folder: Path, name: str) -> Path:
    path = folder / f"{name}.dll"
    path.write_bytes(dlls.samples()[name])
    return path


def _imports(text: str) -> dict[str, list[str]]:
    """What the probe shows: symbols by library."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        kind, _, name = line.partition(" ")
        if kind in {"library", "delayed"}:
            found[name] = []
        elif line.startswith("  "):
            found[list(found)[-1]].append(line.split()[0])
    return found


@pytest.mark.parametrize("name", list(dlls.samples()))
def test_reads_what_lief_reads(probe: Path, tmp_path: Path, name: str) -> None:
    path = _write(tmp_path, name)
    text = _good(probe, "show", path)
    binary = lief.PE.parse(path)
    assert binary is not None
    expected = {
        str(row.name): [f"#{one.ordinal}" if one.is_ordinal else str(one.name) for one in row.entries]
        for row in (*binary.imports, *binary.delay_imports)
    }
    assert _imports(text) == expected
    sections = [line for line in text.splitlines() if line.startswith("section ")]
    assert sections == [
        f"section {one.virtual_address:x} {one.virtual_size:x} {one.characteristics:x}"
        for one in binary.sections
    ]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("all", "yes"),
        ("tls", "it has variables for each thread"),
        ("callbacks", "yes"),
        ("delayed", "a section is written to and run, or shared by processes"),
    ],
)
def test_what_goes_through_windows_loader(probe: Path, tmp_path: Path, name: str, answer: str) -> None:
    assert f"mapped: {answer}\n" in _good(probe, "show", _write(tmp_path, name))


@pytest.mark.parametrize(
    ("size", "code", "variables"),
    [
        (8, "90 90", False),
        (8, "65 48 8b 04 25 30 00 00 00", False),
        (9, "90 90", True),
        (8, "65 48 8b 04 25 58 00 00 00", True),  # mov rax, gs:[0x58]
        (8, "65 4c 8b 3c 25 58 00 00 00", True),
        (8, "65 8b 0c 25 58 00 00 00", True),
        (8, "65 48 0f b6 04 25 58 00 00 00", True),
        (8, "65 65 65 65 48 8b 04 25 58 00 00 00", True),
        (8, "65 48 a1 58 00 00 00 00 00 00 00", True),
        (8, "65 48 8b 04 25 58 01 00 00", False),
        (8, "48 8b 04 25 58 00 00 00", False),
        (8, "e8 65 7a 0c 00 ba 58 00 00 00", False),  # seen in SciPy
    ],
)
def test_variables_are_what_code_reads(
    probe: Path, tmp_path: Path, size: int, code: str, variables: bool
) -> None:
    path = tmp_path / "some.dll"
    data = dlls.dll(tls=size, code=bytes.fromhex(code))
    path.write_bytes(data)
    answer = "it has variables for each thread" if variables else "yes"
    assert f"mapped: {answer}\n" in _good(probe, "show", path)
    assert Pe(data).has_variables is variables


def test_callbacks(probe: Path, tmp_path: Path) -> None:
    path = _write(tmp_path, "callbacks")
    shown = f"tls 8 {dlls.TLS_INDEX:x} {dlls.TEXT:x} {dlls.TEXT + 1:x}\n"
    assert shown in _good(probe, "show", path)
    assert shown in _good(probe, "map", path, "7ff612340000")


@pytest.mark.parametrize("offset", [0, 8, 16, 24])
def test_a_damaged_directory_is_left_to_windows(probe: Path, tmp_path: Path, offset: int) -> None:
    """Variables that end before they begin, an index or callbacks outside the image."""
    data = bytearray(dlls.samples()["callbacks"])
    at = 0x1600 + dlls.TLS - dlls.DATA + offset
    data[at : at + 8] = struct.pack(
        "<Q", dlls.BASE + (0x3F00 if offset == 0 else 0x20 if offset == 8 else 0x4000)
    )
    path = tmp_path / "damaged.dll"
    path.write_bytes(data)
    assert "mapped: it has variables for each thread\n" in _good(probe, "show", path)


def test_exports(probe: Path, tmp_path: Path) -> None:
    text = _good(
        probe, "export", _write(tmp_path, "all"), "add", "data", "forwarded", "other", "#5", "#6", "#8", "#12", "ad",
        "addd", "", "#0",
    )  # fmt: skip
    assert text.splitlines() == [
        "1002", "3000", "-> KERNEL32.GetTickCount", "-> sibling.#5", "1000", "none", "-> KERNEL32.GetTickCount", "none",
        "none", "none", "none", "none",
    ]  # fmt: skip


def test_maps(probe: Path, tmp_path: Path) -> None:
    """Sections where they belong, zeros between them, pointers moved, imports still there."""
    path = _write(tmp_path, "all")
    data = path.read_bytes()
    text = _good(probe, "map", path, "7ff612340000")
    image = bytes.fromhex(text.rpartition("image ")[2].strip())
    assert len(image) == 0x4000
    assert image[:0x400] == data[:0x400]
    assert image[0x400:0x1000] == bytes(0xC00)
    assert image[dlls.TEXT : dlls.TEXT + 0x200] == data[0x400:0x600]
    assert image[dlls.RDATA : dlls.RDATA + 0x1000] == data[0x600:0x1600]
    pointers = struct.unpack_from("<4Q", image, dlls.DATA)
    assert pointers == (0x7FF612341000, 0x7FF612341001, 0x7FF612341002, 0)
    assert _imports(text) == _imports(_good(probe, "show", path))


# Each has another place for the name: the old one's, the headers' slack, a section that is added.
@pytest.mark.parametrize(
    ("sample", "name", "sections"),
    [
        ("all", "app.exe", 3),
        ("tight", "app.exe", 3),
        ("all", "a program with a longer name.exe", 3),
        ("all", "x" * 251 + ".exe", 3),
        ("all", "x" * 800 + ".exe", 4),
        ("row", "a program with a longer name.exe", 4),
        ("tls", "\N{LATIN SMALL LETTER O WITH DIAERESIS}" * 400 + ".exe", 4),
    ],
)
def test_renames(probe: Path, tmp_path: Path, sample: str, name: str, sections: int) -> None:
    path = _write(tmp_path, sample)
    out = tmp_path / "out.dll"
    _good(probe, "rename", path, name, out)
    before, after = _imports(_good(probe, "show", path)), _good(probe, "show", out)
    python = before.pop("python313.dll")
    stable = before.pop("python3.dll")
    found = [line for line in after.splitlines() if line.startswith(("library ", "delayed "))]
    assert [line.partition(" ")[2] for line in found].count(name) == 2
    assert {**before, name: stable} == _imports(after)
    assert python
    assert after.count("section ") == sections
    binary = lief.PE.parse(out)
    assert binary is not None
    header = binary.optional_header
    assert header.checksum == 0
    assert out.read_bytes()[DIRECTORIES + 4 * 8 :][:8] == bytes(8)
    assert not header.has(lief.PE.OptionalHeader.DLL_CHARACTERISTICS.FORCE_INTEGRITY)
    assert header.sizeof_image == 0x4000 + (0x1000 if sections == 4 else 0)
    assert len(binary.sections) == sections
    assert len(out.read_bytes()) == path.stat().st_size + (0x1000 if sections == 4 else 0)


def test_no_room_for_a_name(probe: Path, tmp_path: Path) -> None:
    done = sanitized.run(
        probe, "rename", _write(tmp_path, "tight"), "a program with a longer name.exe", tmp_path / "out"
    )
    assert done.returncode == 70
    assert done.stderr == "damaged: its headers have no room for another section\n"


@pytest.mark.parametrize(
    ("offset", "value", "answer"),
    [
        (0, b"ZM", "it is no DLL"),
        (60, b"\xff\xff\xff\xff", "it is no DLL"),
        (60, struct.pack("<I", 66), "it is no DLL"),
        (COFF, b"NE", "it is no DLL"),
        (COFF + 4, b"\x64\xaa", "it is not for x86-64"),
        (COFF + 6, b"\xff\xff", "it is truncated"),
        (COFF + 20, b"\x10\0", "it is not for 64 bits"),
        (OPTIONAL, b"\x0b\x01", "it is not for 64 bits"),
        (OPTIONAL + 16, b"\xff\xff\xff\x7f", "its size is damaged"),
        (OPTIONAL + 32, b"\x01\x10", "its alignment is damaged"),
        (OPTIONAL + 36, b"\0\0\0\0", "its alignment is damaged"),
        (OPTIONAL + 56, b"\0\0\0\x80", "its size is damaged"),
        (OPTIONAL + 60, b"\0\0\1\0", "its size is damaged"),
        (OPTIONAL + 60, b"\0\1\0\0", "its header is damaged"),
        (SECTIONS + 8, b"\0\0\0\x10", "a section lies outside the image"),
        (SECTIONS + 12, b"\1\x10\0\0", "a section lies outside the image"),
        (SECTIONS + 40 + 12, b"\0\x10\0\0", "a section lies outside the image"),
        (SECTIONS + 16, b"\0\0\0\x70", "a section lies outside the file"),
        (SECTIONS + 20, b"\1\0\0\0", "a section lies outside the file"),
        (DIRECTORIES + 8, b"\xf0\xff\xff\xff", "its table of imports is damaged"),
        (DIRECTORIES + 13 * 8, b"\xf0\x3f\0\0", "its table of imports is damaged"),
    ],
)
def test_says_what_is_wrong(probe: Path, tmp_path: Path, offset: int, value: bytes, answer: str) -> None:
    data = bytearray(dlls.samples()["all"])
    data[offset : offset + len(value)] = value
    path = tmp_path / "damaged.dll"
    path.write_bytes(data)
    done = sanitized.run(probe, "show", path)
    assert (done.returncode, done.stderr) == (70, f"damaged: {answer}\n")


@pytest.mark.parametrize("name", list(dlls.samples()))
def test_truncated(probe: Path, tmp_path: Path, name: str) -> None:
    """At every byte."""
    path = _write(tmp_path, name)
    assert _good(probe, "cut", path) == f"0 of {path.stat().st_size}\n"


@pytest.mark.parametrize("name", list(dlls.samples()))
def test_flipped_headers(probe: Path, tmp_path: Path, name: str) -> None:
    """Every single bit of them."""
    assert int(_good(probe, "flip", _write(tmp_path, name), "0", str(SECTIONS + 3 * 40))) > 0


def test_flipped_tables(probe: Path, tmp_path: Path) -> None:
    """The same of imports, exports, relocations and the rest."""
    path = _write(tmp_path, "all")
    used = len(path.read_bytes()[0x600:0x1600].rstrip(b"\0"))
    assert used > 500
    assert int(_good(probe, "flip", path, str(0x600), str(0x600 + used))) > used
