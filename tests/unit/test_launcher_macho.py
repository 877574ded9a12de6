"""The launcher's reader of Mach-O files in C, built by this machine's compiler with sanitizers: against files made byte by
byte, and against damage of every kind."""

from __future__ import annotations

import struct
from pathlib import Path

import dylibs
import pytest
import sanitized

UNITS = ("tests/probe_macho.c", "macho.c")
EVERY = [
    "needs @loader_path/../pkg.dylibs/libtwo.dylib",
    "needs @rpath/libthree.dylib",
    "needs @executable_path/libfour.dylib",
    "needs /usr/lib/libSystem.B.dylib",
    "folder @loader_path/lib",
    "folder /opt/lib",
]


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test program launcher/tests/probe_macho.c."""
    return sanitized.build(tmp_path_factory.mktemp("probe") / "probe_macho", UNITS)


def _good(probe: Path, *arguments: str | Path) -> str:
    done = sanitized.run(probe, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _write(folder: Path, data: bytes) -> Path:
    path = folder / "some.dylib"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "machine", "kind", "names"),
    [
        ("x64", "x64", dylibs.DYLIB, EVERY),
        ("arm64", "arm64", dylibs.BUNDLE, EVERY[:2]),
        ("bare", "x64", dylibs.DYLIB, []),
        ("fat", "x64", dylibs.DYLIB, EVERY),
        ("fat", "arm64", dylibs.BUNDLE, EVERY[:2]),
        ("wide", "x64", dylibs.DYLIB, EVERY),
        ("wide", "arm64", dylibs.BUNDLE, EVERY[:2]),
    ],
)
def test_reads(probe: Path, tmp_path: Path, name: str, machine: str, kind: int, names: list[str]) -> None:
    samples = dylibs.samples()
    text = _good(probe, "show", _write(tmp_path, samples[name]), machine)
    size = len(samples[machine] if name in {"fat", "wide"} else samples[name])
    assert text.splitlines() == [f"type {kind} of {size} bytes", *names]


@pytest.mark.parametrize(
    ("name", "start", "folder", "place"),
    [
        ("@loader_path/libx.dylib", "@loader_path", "pkg/inner", "pkg/inner/libx.dylib"),
        ("@loader_path/libx.dylib", "@loader_path", "", "libx.dylib"),
        ("@loader_path/../pkg.dylibs/libx.dylib", "@loader_path", "pkg", "pkg.dylibs/libx.dylib"),
        ("@loader_path//./../a/../libx.dylib", "@loader_path", "pkg/inner", "pkg/libx.dylib"),
        ("@loader_path/../../libx.dylib", "@loader_path", "pkg/inner", "libx.dylib"),
        ("@loader_path/../../../libx.dylib", "@loader_path", "pkg/inner", "nowhere"),
        ("@loader_path/..", "@loader_path", "pkg", ""),
        ("@loader_path", "@loader_path", "pkg", "pkg"),
        ("@loader_path/..", "@loader_path", "", "nowhere"),
        ("@loader_pathology/libx.dylib", "@loader_path", "pkg", "nowhere"),
        ("@rpath/libx.dylib", "@loader_path", "pkg", "nowhere"),
        ("/usr/lib/libSystem.B.dylib", "@loader_path", "pkg", "nowhere"),
        ("libx.dylib", "@loader_path", "pkg", "nowhere"),
        ("@rpath/libx.dylib", "@rpath", "lib", "lib/libx.dylib"),
        ("@loader_path/" + "x" * 57, "@loader_path", "pkg", "pkg/" + "x" * 57),
        ("@loader_path/" + "x" * 60, "@loader_path", "pkg", "nowhere"),
        ("@loader_path/x", "@loader_path", "x" * 63, "nowhere"),
        ("@loader_path/x", "@loader_path", "x" * 64, "nowhere"),
    ],
)
def test_places(probe: Path, name: str, start: str, folder: str, place: str) -> None:
    assert _good(probe, "place", name, start, folder) == place + "\n"


def _damaged(offset: int, value: bytes, name: str = "x64") -> bytes:
    data = bytearray(dylibs.samples()[name])
    data[offset : offset + len(value)] = value
    return bytes(data)


def _u32(value: int) -> bytes:
    return struct.pack("<I", value)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", "it is no Mach-O file"),
        (b"\x7fELF" + bytes(60), "it is no Mach-O file"),
        (_damaged(0, _u32(0xFEEDFACE)), "it is no Mach-O file"),
        (_damaged(4, _u32(dylibs.ARM64)), "it is not for this machine"),
        (_damaged(16, _u32(1 << 28)), "it is truncated"),
        (_damaged(20, _u32(1 << 30)), "it is truncated"),
        (_damaged(dylibs.HEADER + 4, _u32(4)), "its load commands are damaged"),
        (_damaged(dylibs.HEADER + 4, _u32(1 << 20)), "its load commands are damaged"),
        (_damaged(16, _u32(9)), "its load commands are damaged"),
        (
            dylibs.dylib(dylibs.X64, [struct.pack("<II", dylibs.NEEDED, 8)]),
            "a name in its load commands is damaged",
        ),
        (
            dylibs.dylib(dylibs.X64, [struct.pack("<IIII", dylibs.RPATH, 16, 12, 0xFFFFFFFF)]),
            "a name in its load commands is damaged",
        ),
        (
            dylibs.dylib(dylibs.X64, [struct.pack("<IIII", dylibs.RPATH, 16, 16, 0)]),
            "a name in its load commands is damaged",
        ),
        (
            dylibs.dylib(dylibs.X64, [struct.pack("<IIII", dylibs.RPATH, 16, 4, 0)]),
            "a name in its load commands is damaged",
        ),
        (dylibs.fat([(dylibs.ARM64, dylibs.samples()["arm64"])]), "it is not for this machine"),
        (_damaged(4, b"\xff\xff\xff\xff", "fat"), "its slices are damaged"),
        (_damaged(4, b"\0\0\0\x40", "fat")[:1000], "its slices are damaged"),
        (_damaged(16, b"\xff\xff\xff\xff", "fat"), "it is truncated"),
        (_damaged(20, b"\xff\xff\xff\xff", "fat"), "it is truncated"),
        (_damaged(40 + 8, b"\xff" * 8, "wide"), "it is truncated"),
        (_damaged(40 + 16, b"\xff" * 8, "wide"), "it is truncated"),
    ],
)
def test_says_what_is_wrong(probe: Path, tmp_path: Path, data: bytes, answer: str) -> None:
    done = sanitized.run(probe, "show", _write(tmp_path, data), "x64")
    assert (done.returncode, done.stderr) == (70, f"damaged: {answer}\n")


@pytest.mark.parametrize("name", ["arm64", "fat", "wide"])
def test_truncated(probe: Path, tmp_path: Path, name: str) -> None:
    """At every byte. What is read is all of the file for arm64, and comes first in one of the fat files."""
    data = dylibs.samples()[name]
    good = {"arm64": 0, "fat": 0, "wide": len(dylibs.samples()["x64"])}[name]
    assert _good(probe, "cut", _write(tmp_path, data), "arm64") == f"{good} of {len(data)}\n"


@pytest.mark.parametrize("name", list(dylibs.samples()))
def test_flipped(probe: Path, tmp_path: Path, name: str) -> None:
    """Every single bit of headers and load commands."""
    data = dylibs.samples()[name]
    path = _write(tmp_path, data)
    machine = "arm64" if name == "arm64" else "x64"
    used = 80 if name in {"fat", "wide"} else len(data)
    assert int(_good(probe, "flip", path, machine, "0", str(used))) > 0
    if name == "fat":
        assert int(_good(probe, "flip", path, machine, "4096", str(len(data)))) > 0
