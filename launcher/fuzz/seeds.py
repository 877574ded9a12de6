# ruff: noqa: INP001 (a script)
"""Writes the fuzzers' first inputs: valid blobs of several kinds, paths in them, a shared library."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

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
        found.append(pack.blob(resources, settings, {}, "zstd" if compression == "zstd" else "none"))
    return found


def main(folder: Path) -> None:
    """Write the seeds below ``folder``, one folder for each fuzzer."""
    for name in ("blob", "paths", "handover", "needed"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, blob in enumerate(blobs()):
        (folder / "blob" / str(number)).write_bytes(blob)
        for name, pairs in (("paths", PATHS), ("handover", WORDS)):
            for at, texts in enumerate(pairs):
                head = "".join(f"{text}\0" for text in ("/opt/app", *texts)).encode()
                (folder / name / f"{number}-{at}").write_bytes(head + blob)
    libraries = sorted(
        Path("/usr/lib").rglob("*.so*"), key=lambda path: path.stat().st_size if path.is_file() else 1 << 60
    )
    for number, library in enumerate(path for path in libraries[:400] if path.read_bytes()[:4] == b"\x7fELF"):
        if number < 4:
            (folder / "needed" / str(number)).write_bytes(library.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
