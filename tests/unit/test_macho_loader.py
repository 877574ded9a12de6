"""The test-only Mach-O loader: small programs compiled for macOS 11 run as they would there, with both kinds of fixups;
libraries; what is damaged or missing is an error that says so."""

from __future__ import annotations

import os
import random
import struct
import subprocess
from pathlib import Path

import loader
import macho_tools
import pytest

MACHO = Path(__file__).resolve().parents[1] / "macho"
PROGRAMS = MACHO / "programs"
FIXUPS = ("-fixup_chains", "-no_fixup_chains")
CANNOT_LOAD = 125


@pytest.fixture(scope="session")
def macho(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The loader's executable."""
    return loader.build(tmp_path_factory.mktemp("macho"))


@pytest.fixture(scope="session", params=FIXUPS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every program and library of programs/, linked with one kind of fixups."""
    tools = macho_tools.toolchain("x86_64")
    folder = tmp_path_factory.mktemp(request.param.strip("-"))
    compile_line = [
        tools.compiler,
        "-mmacosx-version-min=11.0",
        "-O1",
        "-g0",
        "-fexceptions",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-c",
    ]
    link_line = [tools.linker, "-arch", "x86_64", "-platform_version", "macos", "11.0", "11.0"]
    link_line += [f"-L{tools.libraries}", "-lSystem", request.param]
    absent = "lib/libabsent.dylib"
    flags = {
        "absent": ["-dylib", "-install_name", "@rpath/libabsent.dylib"],
        "inner": ["-dylib", "-install_name", "@loader_path/libinner.dylib"],
        "outer": [
            "-dylib",
            "-install_name",
            "@rpath/libouter.dylib",
            "-reexport_library",
            "lib/libinner.dylib",
        ],
        "bundle": ["-bundle", "-undefined", "dynamic_lookup", "-weak_library", absent],
        "program": [
            "lib/libouter.dylib",
            "-weak_library",
            absent,
            "-rpath",
            "@executable_path/lib",
            "-export_dynamic",
        ],
    }
    (folder / "lib").mkdir()
    libraries = ("absent", "inner", "outer")
    for name in dict.fromkeys([*libraries, *sorted(path.stem for path in PROGRAMS.glob("*.c"))]):
        out = f"lib/lib{name}.dylib" if name in libraries else name
        _make([*compile_line, str(PROGRAMS / f"{name}.c")], folder)
        _make([*link_line, *flags.get(name, []), f"{name}.o", "-o", out], folder)
    (folder / absent).unlink()
    return folder


def _make(line: list[str], folder: Path) -> None:
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def _run(*line: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )


def _good(*line: str | Path, **environment: str) -> str:
    done = _run(*line, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("name", ["threads", "signals", "events", "terminal", "machine", "unwinding"])
def test_a_program_finds_what_macos_promises(macho: Path, built: Path, name: str) -> None:
    assert _good(macho, built / name) == "ok\n"


@pytest.mark.parametrize("name", ["files", "sockets", "processes"])
def test_a_program_with_a_folder_of_its_own(macho: Path, built: Path, tmp_path: Path, name: str) -> None:
    assert _good(macho, built / name, tmp_path) == "ok\n"


def test_arguments_and_the_end(macho: Path, built: Path) -> None:
    done = _run(macho, "--argv0", "own name", built / "start", "a", "", GIVEN="given")
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.splitlines() == ["own name", "a", "", "given", "atexit", "destructor"]


def test_libraries_and_bundles(macho: Path, built: Path) -> None:
    lines = _good(macho, built / "program", built / "bundle").splitlines()
    assert lines == ["inner begins", "outer begins, inner has 6", "ok", "inner ends"]


def test_a_slice_of_a_universal_file(macho: Path, built: Path, tmp_path: Path) -> None:
    program = (built / "program").read_bytes()
    other = 0x0100000C  # arm64
    rows = ((other, 0x4000, 4), (0x01000007, 0x8000, len(program)))
    head = struct.pack(">2I", 0xCAFEBABE, 2) + b"".join(
        struct.pack(">5I", cpu, 0, offset, size, 14) for cpu, offset, size in rows
    )
    universal = tmp_path / "universal"
    universal.write_bytes(head.ljust(0x8000, b"\0") + program)
    (tmp_path / "lib").symlink_to(built / "lib")
    assert "ok" in _good(macho, universal, built / "bundle").splitlines()
    universal.write_bytes(struct.pack(">2I5I", 0xCAFEBABE, 1, other, 0, 0x4000, 4, 14).ljust(0x5000, b"\0"))
    done = _run(macho, universal)
    assert (done.returncode, done.stdout) == (CANNOT_LOAD, "")
    assert "incompatible architecture" in done.stderr


def test_shells_run_programs_of_macos(macho: Path, built: Path, tmp_path: Path) -> None:
    """``system`` of a macOS program starts a shell of Linux, which starts a macOS program."""
    script = f"{built}/machine && {built}/start x; exit $?"
    assert _run(macho, built / "shell", script, GIVEN="given").returncode == 3


def test_what_is_missing_is_listed_and_told_when_called(macho: Path, built: Path) -> None:
    assert _good(macho, built / "missing") == "not there\n", "a weak import"
    listed = _run(macho, "--missing", built / "missing", built / "bundle")
    assert listed.returncode == 1
    assert sorted(listed.stdout.splitlines()) == [
        "_acl_init\t/usr/lib/libSystem.B.dylib",
        "_mkfifoat\t/usr/lib/libSystem.B.dylib\tweak",
        "_program_function\tflat namespace",
    ]
    called = _run(macho, built / "missing", "call")
    assert called.returncode == -6
    assert called.stderr == (
        "macho: _acl_init of /usr/lib/libSystem.B.dylib was called, and this loader does not have it\n"
    )


@pytest.mark.parametrize("built", FIXUPS[:1], indirect=True)
def test_a_library_that_is_not_there(macho: Path, built: Path, tmp_path: Path) -> None:
    alone = tmp_path / "program"
    alone.write_bytes((built / "program").read_bytes())
    done = _run(macho, alone)
    assert (done.returncode, done.stdout) == (CANNOT_LOAD, "")
    assert done.stderr.startswith("macho: Library not loaded: @rpath/libouter.dylib\n  Referenced from: ")


def test_every_name_is_one_of_macos(macho: Path) -> None:
    """No shim has a name that libSystem does not export."""
    stub = (macho_tools.toolchain("x86_64").libraries / "libSystem.tbd").read_text(encoding="utf-8")
    words = {word.strip("'\"") for word in stub.replace("[", " ").replace("]", " ").replace(",", " ").split()}
    provided = [line.split("\t") for line in _good(macho, "--provided").splitlines()]
    names = {name for name, library in provided if library.endswith("libSystem.B.dylib")}
    assert len(names) > 1000
    assert names <= words


@pytest.mark.parametrize(
    "content", [b"", b"MZ", b"#!/bin/sh\n", bytes(4096), b"\xcf\xfa\xed\xfe" + bytes(28)]
)
def test_files_of_other_kinds(macho: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    done = _run(macho, path)
    assert (done.returncode, done.stdout) == (CANNOT_LOAD, "")
    assert done.stderr.startswith(f"macho: {path}: ")


def _linkedit(image: bytes | bytearray) -> int:
    """Where in the file the segment of tables begins."""
    at = 32
    for _ in range(struct.unpack_from("<I", image, 16)[0]):
        if image[at + 8 : at + 18] == b"__LINKEDIT":
            return int(struct.unpack_from("<Q", image, at + 40)[0])
        at += struct.unpack_from("<I", image, at + 4)[0]
    pytest.fail("no __LINKEDIT")


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_an_error_not_a_crash(macho: Path, built: Path, tmp_path: Path, seed: int) -> None:
    """In the load commands, in the tables that they lead to; files that end too soon."""
    dice = random.Random(seed)  # noqa: S311 - the same damage every time
    image = bytearray((built / "missing").read_bytes())
    areas = [(12, 32 + struct.unpack_from("<I", image, 20)[0]), (_linkedit(image), len(image))]
    for _ in range(dice.randint(1, 4)):
        image[dice.randrange(*dice.choice(areas))] = dice.choice(
            [0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)]
        )
    path = tmp_path / "damaged"
    path.write_bytes(image[: dice.choice([len(image), len(image), dice.randrange(len(image))])])
    done = _run(macho, "--missing", path)
    assert done.returncode in {0, 1, CANNOT_LOAD}, done.stderr
