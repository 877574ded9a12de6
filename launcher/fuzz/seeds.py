# ruff: noqa: INP001 (a script)
"""Writes the fuzzers' first inputs: valid blobs of several kinds, paths in them, shared libraries that need each other,
DLLs, Mach-O files."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "unit"))

import dlls
import dylibs
import zstandard

from oxcross import pack
from oxcross.pack import codec

# A folder to go to first, a path.
PATHS = (
    ("", "/opt/app/pkg/__init__.py"),
    ("", "/opt/app/../x"),
    ("", "/opt//app/./pkg/../pkg/"),
    ("", "app/pkg"),
    ("", "/opt/app"),
    ("", "/opt/app/no/x"),
    ("/opt/app/pkg", "./__init__.py"),
    ("/opt/app/", "pkg/../../../etc"),
)
# Arguments, environment: a word a line.
WORDS = (
    (
        "cat\n/opt/app/pkg/__init__.py\n--x=/opt/app/pkg/lib.so\n@/opt/app/pkg/lib.so",
        "A=/opt/app/pkg/lib.so\nB=1",
    ),
    ("nice\n/opt/app/pkg/lib.so\n/opt/app\n/opt/app/pkg/lib.so", "A=/opt/app/pkg/lib.so"),
    ("x\n/opt/app/pkg\na=@/opt/app//pkg/./lib.so\n=", "PWD=/opt/app/pkg"),
)
# Shared libraries and what each needs: a chain, circles, what is not there, what the system may have.
NEEDS: tuple[dict[str, Sequence[str]], ...] = (
    {"libone-0123456789.so.1": ["libtwo-0123456789.so.1", "libc.so.6"], "libtwo-0123456789.so.1": ["libthree.so"],
     "libthree.so": []},
    {"libone-0123456789.so.1": ["libtwo-0123456789.so.1"], "libtwo-0123456789.so.1": ["libone-0123456789.so.1"]},
    {"libself-0123456789.so": ["libself-0123456789.so", "libgone.so"],
     "libstart.so": ["libring-0123456789a.so", "libself-0123456789.so"],
     "libring-0123456789a.so": ["libring-0123456789b.so"],
     "libring-0123456789b.so": ["libring-0123456789c.so", "libgcc_s.so.1"],
     "libring-0123456789c.so": ["libring-0123456789a.so", "libring-0123456789b.so"],
     "libgcc_s.so.1": ["libc.so.6"]},
    {"liba.so": ["libb-0123456789abcd.so", "libc.so"], "libb-0123456789abcd.so": ["liba.so"],
     "libc.so": ["libb-0123456789abcd.so"]},
)  # fmt: skip
# The file to begin with; what constructors, systems and programs do.
BEHAVIOURS = (
    b"\x00\x00",
    b"\x01\x07",
    b"\x03\x03",
    b"\x00\x09",
    b"\x02\x10",
    b"\x02\x21",
    b"\x01\x50",
    b"\x00\x73",
)


def library(needed: Sequence[str]) -> bytes:
    """The least that the reader of shared libraries takes for one (System V ABI, "Program Loading and Dynamic Linking")."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in needed)
    places = [strings.index(b"\0" + name.encode() + b"\0") + 1 for name in needed]
    at = 64 + 2 * 56
    entries = [(1, place) for place in places] + [(5, at + 16 * (len(places) + 2)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    size = at + len(dynamic) + len(strings)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    return (
        head
        + load
        + struct.pack("<IIQQQQQQ", 2, 6, at, at, at, len(dynamic), len(dynamic), 8)
        + dynamic
        + strings
    )


def loads() -> list[bytes]:
    """Blobs with such libraries, raw and compressed."""
    found = []
    for needs in NEEDS:
        for compression in ("none", "zstd"):
            resources = pack.Resources()
            for name, needed in needs.items():
                resources.add_file(pack.File(f"pkg.libs/{name}", pack.Payload.raw(library(needed))))
                resources.add_library(
                    pack.Library(name, f"pkg.libs/{name}", fallback="gcc_s" in name, nameless="three" in name)
                )
            found.append(pack.blob(resources, (), {}, compression))
    return found


def blobs() -> list[bytes]:
    """An empty blob, a raw one, a compressed one and one with a dictionary."""
    text = b"def function(argument):\n    return argument\n" * 20
    samples = [text.replace(b"function", b"f%d" % number) * 3 for number in range(64)]
    found = [pack.blob(pack.Resources())]
    for compression, dictionary in (("none", b""), ("zstd", b""), ("zstd", codec.train(samples, 4096))):
        resources = pack.Resources(dictionary=dictionary)
        payload = pack.Payload.raw
        resources.add_module(pack.Module("pkg", "pkg/__init__.py", payload(text), package=True))
        resources.add_module(pack.Module("pkg.a", "pkg/a.py", payload(samples[0])))
        resources.add_module(pack.Module("space", "space", None))
        resources.add_file(pack.File("pkg/__init__.py", payload(text)))
        resources.add_file(pack.File("pkg/lib.so", payload(b"\x7fELF")))
        resources.add_library(pack.Library("lib.so", "pkg/lib.so"))
        settings = [pack.Setting(pack.Key.RUN_KIND, 2), pack.Setting(pack.Key.RUN_TARGET, text="pkg")]
        settings.append(pack.Setting(pack.Key.LICENCES, text="pkg/__init__.py"))
        found.append(pack.blob(resources, settings, {}, "zstd" if compression == "zstd" else "none"))
    return found


def groups() -> bytes:
    """The table of two groups with everything that one may have."""
    code, page = bytes(range(256)) * 12, 4096
    words = [2, 1, 0, 64, 8, page - 8, page + 64, 0, 0xFFFFFFF8, 0xFFFFFFFF]
    index = struct.pack(f"<{len(words)}I", *words)
    compress = zstandard.ZstdCompressor(level=19, write_checksum=True).compress
    frame, index_frame = compress(code + bytes(page)), compress(index)
    first = 72 + 2 * 96
    rows = b"".join(
        struct.pack(
            "<16s7Q6I", name, start, page, page, page, len(code) + page, first, len(frame), first + len(frame),
            len(index_frame), len(index), thunk, 2, flags,
        )
        for name, start, thunk, flags in ((b"one", 16 * page, 0, 0), (b"two", 19 * page, 2, 1))
    )  # fmt: skip
    size = first + len(frame) + len(index_frame)
    head = struct.pack(
        "<16s5Q4I", b"OXCROSS-GROUPS1\n", size, 16 * page, 6 * page, 24 * page, 25 * page, 4, 1, 2, 0
    )
    return head + rows + frame + index_frame


def main(folder: Path) -> None:
    """Write the seeds below ``folder``, one folder for each fuzzer."""
    for name in ("blob", "paths", "handover", "needed", "memload", "groups", "pe", "macho"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, blob in enumerate(blobs()):
        (folder / "blob" / str(number)).write_bytes(blob)
        for name, pairs in (("paths", PATHS), ("handover", WORDS)):
            for at, texts in enumerate(pairs):
                head = "".join(f"{text}\0" for text in ("/opt/app", *texts)).encode()
                (folder / name / f"{number}-{at}").write_bytes(head + blob)
    (folder / "groups" / "0").write_bytes(groups())
    for name, data in dlls.samples().items():
        (folder / "pe" / name).write_bytes(data)
    for name, data in dylibs.samples().items():
        (folder / "macho" / name).write_bytes(data)
    for number, blob in enumerate(loads()):
        for at, behaviour in enumerate(BEHAVIOURS):
            (folder / "memload" / f"{number}-{at}").write_bytes(behaviour + blob)
    libraries = sorted(
        Path("/usr/lib").rglob("*.so*"), key=lambda path: path.stat().st_size if path.is_file() else 1 << 60
    )
    for number, path in enumerate(path for path in libraries[:400] if path.read_bytes()[:4] == b"\x7fELF"):
        if number < 4:
            (folder / "needed" / str(number)).write_bytes(path.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
