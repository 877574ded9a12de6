"""The launcher's readers (blob, paths, shared libraries) in C, built by this machine's compiler with
sanitizers, against what oxcross.pack wrote, and against damage of every kind."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sanitized

from oxcross import pack
from oxcross.pack import format as fmt

GOLDEN = Path(__file__).with_name("golden_blob.hex")
UNITS = (
    *("tests/probe.c", "blob.c", "vfs.c", "vfs_posix.c", "state.c", "needed.c"),
    *("handover.c", "handover_linux.c", "sha256.c"),
)


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test program launcher/tests/probe.c."""
    return sanitized.build(tmp_path_factory.mktemp("probe") / "probe", UNITS)


def _run(probe: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return sanitized.run(probe, *arguments, timeout=60)


def _resources() -> pack.Resources:
    """A set with one of everything; payloads raw, so that its blob depends on no compressor."""
    raw = pack.Payload.raw
    resources = pack.Resources()
    resources.add_module(pack.Module("os", "lib/python3.13/os.py", raw(b"code of os"), stdlib=True))
    resources.add_module(pack.Module("pkg", "pkg/__init__.py", raw(b"code of pkg"), package=True))
    resources.add_module(pack.Module("pkg.fast", "pkg/fast.so", raw(b"\x7fELF fast"), extension=True))
    resources.add_module(pack.Module("space", "space", None))
    resources.add_module(pack.Module("space.inner", "space/inner.py", raw(b"code of space.inner")))
    resources.add_file(pack.File("pkg/__init__.py", raw(b"# text")))
    resources.add_file(pack.File("pkg/fast.so", raw(b"\x7fELF fast")))
    resources.add_file(
        pack.File("pkg/data/\N{LATIN SMALL LETTER U WITH DIAERESIS}.bin", raw(bytes(range(256))))
    )
    resources.add_file(pack.File("pkg/data/empty", raw(b"")))
    resources.add_file(pack.File("pkg/data/run", raw(b"#!/bin/sh\n"), executable=True))
    resources.add_file(pack.File("pkg.libs/libx.so.1", raw(b"\x7fELF x")))
    resources.add_library(pack.Library("libx.so.1", "pkg.libs/libx.so.1"))
    return resources


def _blob() -> bytes:
    settings = [
        pack.Setting(pack.Key.RUN_KIND, pack.Run.MODULE),
        pack.Setting(pack.Key.RUN_TARGET, text="pkg"),
        pack.Setting(pack.Key.STDLIB, text="lib/python3.13"),
        pack.Setting(pack.Key.WARNING, text="error"),
        pack.Setting(pack.Key.WARNING, text="ignore::UserWarning"),
    ]
    return pack.blob(_resources(), settings, {"name": "golden"})


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(_blob())
    return path


def test_golden_blob() -> None:
    """The format does not change by accident. After a change on purpose: raise OX_VERSION, write the file anew."""
    assert bytes.fromhex(GOLDEN.read_text(encoding="ascii")) == _blob()


def test_c_reads_what_python_wrote(probe: Path, blob: Path) -> None:
    done = _run(probe, "blob", blob)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    resources = _resources()
    for name, module in resources.modules.items():
        code = module.code
        check = code.check if code and code.stored else 0xFFFFFFFF
        assert any(
            line.startswith(f"module {name} {module.path} ") and line.endswith(f"{check:08x}")
            for line in lines
        )
    for path, file in resources.files.items():
        assert any(
            line.startswith(f"file {path} {path.rpartition('/')[2]} {file.data.size} ") for line in lines
        )
    assert "directory pkg/data 3" in lines
    assert "library libx.so.1 0" in lines
    assert [line for line in lines if line.startswith("setting 19 ")] == [
        "setting 19 0 error",
        "setting 19 0 ignore::UserWarning",
    ]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/opt/bin/app", "self"),
        ("/opt/bin/app/", "virtual '' 40755 0"),
        ("/opt/bin/app/.", "virtual '' 40755 0"),
        ("/opt/bin/app/pkg/..", "virtual '' 40755 0"),
        ("/opt/bin/app/pkg", "virtual 'pkg' 40755 0"),
        ("/opt/bin/app/pkg/__init__.py", "virtual 'pkg/__init__.py' 100644 6"),
        ("/opt/bin/app//pkg/./data/../__init__.py", "virtual 'pkg/__init__.py' 100644 6"),
        ("/opt//bin/./app/pkg/data/run", "virtual 'pkg/data/run' 100755 10"),
        ("/opt/bin/app/pkg/data/run/", "missing Not a directory"),
        ("/opt/bin/app/pkg/data/run/x/y", "missing Not a directory"),
        ("/opt/bin/app/nothing/here", "missing No such file or directory"),
        ("/opt/bin/app/pkg/../../beside", "outside /opt/bin/beside"),
        ("/opt/bin/app/../../../..", "outside /"),
        ("/opt/bin/application/pkg", "elsewhere"),
        ("/opt/bin/ap", "elsewhere"),
        ("/opt/bin", "elsewhere"),
        ("/", "elsewhere"),
        ("", "outside "),
        ("/opt/.config/app/pkg", "elsewhere"),
        ("pkg/__init__.py", "outside pkg/__init__.py"),
        ("app/pkg/nothing", "outside app/pkg/nothing"),
        ("/opt/bin/app/" + "x" * 5000, "missing File name too long"),
    ],
)
def test_paths(probe: Path, blob: Path, path: str, answer: str) -> None:
    done = _run(probe, "paths", blob, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, answer + "\n", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cat", "F"], ["cat", "100"]),
        (["F", "F", "G", "F"], ["F", "100", "101", "100"]),
        (["x", "--cafile=F", "if=F", "@G", "-d=@G"], ["x", "--cafile=100", "if=100", "@101", "-d=@101"]),
        (["x", "a=b=F", "xF", "-iF", "F:G", "=", "@", ""], ["x", "a=b=F", "xF", "-iF", "F:G", "=", "@", ""]),
        (["ls", "D", "D/", "D/missing", "D/missing/x"], ["ls", "D", "D/", "D/missing", "D/missing/x"]),
        (["x", "D//./data/../__init__.py"], ["x", "100"]),
        (["nice", "F", "SELF", "F"], ["nice", "100", "SELF", "F"]),
        (["env", "--", "A=F", "B=D", "C=D:F"], ["env", "--", "A=100", "B=D", "C=D:F"]),
        (["cat", "F", "--", "A=F", "B=G"], ["cat", "100", "--", "A=100", "B=101"]),
        (["nice", "SELF", "--", "A=F"], ["nice", "SELF", "--", "A=F"]),
        (["--", "A=F"], ["--", "A=100"]),
    ],
)
def test_words_for_other_programs(probe: Path, blob: Path, words: list[str], expected: list[str]) -> None:
    """F and G are files, D a folder, SELF the executable, 100 and 101 what is handed over."""
    names = {
        "SELF": "/opt/bin/app",
        "D": "/opt/bin/app/pkg",
        "F": "/opt/bin/app/pkg/__init__.py",
        "G": "/opt/bin/app/pkg/data/empty",
        "100": "/proc/self/fd/100",
        "101": "/proc/self/fd/101",
    }

    def spell(word: str) -> str:
        return re.sub("SELF|D|F|G|100|101", lambda found: names[found[0]], word)

    done = _run(probe, "words", blob, *map(spell, words))
    assert done.stderr == ""
    assert done.stdout.splitlines() == [*map(spell, expected), *([] if "--" in expected else ["--"])]


@pytest.mark.parametrize("section", list(fmt.Section))
def test_damaged_section(probe: Path, blob: Path, tmp_path: Path, section: fmt.Section) -> None:
    """Whatever byte of a section changes, the reader says "damaged" or reads something else; it never strays."""
    data = blob.read_bytes()
    offset, size = fmt.SPAN.unpack_from(data, fmt.SECTIONS_OFFSET + fmt.SPAN.size * section)
    chosen = random.Random(section)  # noqa: S311
    broken = tmp_path / "broken"
    for position in (
        sorted({0, size // 2, size - 1, *(chosen.randrange(size) for _ in range(12))}) if size else ()
    ):
        for change in (0xFF, 0x01):
            bad = bytearray(data)
            bad[offset + position] ^= change
            broken.write_bytes(bad)
            done = _run(probe, "blob", broken, "/opt/bin/app/pkg/data/run")
            assert done.returncode in (0, 70), (position, change, done.stderr)
            words = _run(
                probe, "words", broken, "x", "/opt/bin/app/pkg/data/run", "a=/opt/bin/app/pkg/fast.so"
            )
            assert words.returncode in (0, 70), (position, change, words.stderr)
            if section == fmt.Section.PAYLOAD and any(bad[offset : offset + size]) and done.returncode == 0:
                # Only the padding between payloads may change unnoticed (the whole blob's SHA-256 sees it).
                assert data[offset + position] == 0


def test_licences(probe: Path, tmp_path: Path) -> None:
    """The file that the setting names; nothing where that is no file, or a blob has no such setting."""
    path = tmp_path / "blob"
    for named, said in (
        ("pkg/data/run", True),
        ("pkg/data", False),
        ("no", False),
        ("", False),
        (None, False),
    ):
        settings = [] if named is None else [pack.Setting(pack.Key.LICENCES, text=named)]
        path.write_bytes(pack.blob(_resources(), settings))
        done = _run(probe, "blob", path)
        assert done.returncode == 0
        found = [line.split()[:2] for line in done.stdout.splitlines() if line.startswith("licences")]
        assert found == ([["licences", "10"]] if said else []), named


def test_damaged_header(probe: Path, blob: Path, tmp_path: Path) -> None:
    data = blob.read_bytes()
    broken = tmp_path / "broken"
    for position in range(0, fmt.SHA256_OFFSET - 32, 3):
        bad = bytearray(data)
        bad[position] ^= 0xFF
        broken.write_bytes(bad)
        done = _run(probe, "blob", broken)
        assert done.returncode in (0, 70), (position, done.stderr)


def test_truncated(probe: Path, blob: Path, tmp_path: Path) -> None:
    data = blob.read_bytes()
    broken = tmp_path / "broken"
    for size in (0, 1, 8, 255, 256, 300, len(data) // 2, len(data) - 1):
        broken.write_bytes(data[:size])
        done = _run(probe, "blob", broken)
        assert done.returncode == 70, (size, done.stderr)
        assert done.stderr.startswith("damaged: ")


def test_needed(probe: Path, tmp_path: Path) -> None:
    """DT_NEEDED of a real library as readelf would list them; of a damaged one: no answer or another, no crash."""
    compiler = shutil.which("cc") or "clang"
    library = tmp_path / "lib.so"
    source = tmp_path / "lib.c"
    source.write_text("double f(double x) { extern double cos(double); return cos(x); }\n", encoding="ascii")
    subprocess.run(
        [compiler, "-shared", "-fPIC", source, "-o", library, "-Wl,--no-as-needed", "-lm"], check=True
    )
    done = _run(probe, "needed", library)
    assert done.returncode == 0
    assert done.stdout.split() == ["libm.so.6", "libc.so.6"]
    data = library.read_bytes()
    chosen = random.Random(1)  # noqa: S311
    broken = tmp_path / "broken"
    for position in [*range(0, 64, 3), *(chosen.randrange(len(data)) for _ in range(60))]:
        bad = bytearray(data)
        bad[position] ^= 0xFF
        broken.write_bytes(bad)
        assert _run(probe, "needed", broken).returncode in (0, 70)
    for size in (0, 3, 64, 500, len(data) // 2):
        broken.write_bytes(data[:size])
        assert _run(probe, "needed", broken).returncode == 70


def test_sha256(probe: Path, tmp_path: Path) -> None:
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1000):
        data = bytes(i % 251 for i in range(size))
        path = tmp_path / "data"
        path.write_bytes(data)
        assert _run(probe, "sha256", path).stdout.strip() == hashlib.sha256(data).hexdigest()
