"""Windows' functions and UCRT's, with the virtual file system behind them: a C program asks them of the same files twice, once
of a blob's and once of a folder's on disk, and is to be told the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from program import oxcross

from oxcross import pack, runner, targets

LAUNCHER = Path(__file__).parents[2] / "launcher"
TARGET = targets.get("win-x64")
UNITS = (
    *("blob.c", "payload.c", "memory.c", "state.c", "vfs.c", "wide_windows.c", "hooks_windows.c"),
    *(
        path.name
        for pattern in ("vfs_*", "handles_*", "crt_*")
        for path in LAUNCHER.glob(f"{pattern}windows.c")
    ),
    "tests/probe_windows.c",
)
FILES = {
    "text.txt": b"first line\nsecond line\nthird line\n",
    "lines.txt": b"one\r\ntwo\r\n\rthree\r\r\nfour\n\r\n",
    "empty": b"",
    "big.bin": bytes(range(250)) * 20_000,
    "deep/deeper/note.txt": b"deep\n",
    "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n.txt": b"umlaut\n",
    "\N{GRINNING FACE}.txt": b"smile",
}
# Where Wine 8 says something else than Windows does, of files on disk.
OTHERS = {
    "\\text.txt\\below": "attributes 3; size 3?; stat errno 2; access 2; find 3; open 3; look 3; _wopen 2",
    "\\text.txt\\": "attributes 123; size 123?; stat errno 22; access 22; find 123; open 123; look 123; _wopen 22",
    "\\a<b": "attributes 123; size 123?; stat errno 22; access 22; find 123; open 123; look 123; _wopen 22",
    "list \\text.txt\\*": "error 267",
}
# Creating, rewriting, opening, opening or creating, truncating; then what each other function says: winerror.h and errno.h.
REFUSED = """\
refuse \\text.txt: 80 19 19 19 19 delete 19 rmdir 267 mkdir 183 attributes 19 move out 17 move in 183 move 19 copy in 19 stream 13
refuse \\new: 19 19 2 19 2 delete 2 rmdir 2 mkdir 19 attributes 2 move out 2 move in 17 move 19 copy in 19 stream 13
refuse \\missing\\new: 3 3 3 3 3 delete 3 rmdir 3 mkdir 3 attributes 3 move out 3 move in 3 move 3 copy in 3 stream 2
refuse \\deep: 80 5 5 5 5 delete 5 rmdir 19 mkdir 183 attributes 19 move out 17 move in 183 move 19 copy in 5 stream 13
refuse \\text.txt\\new: 3 3 3 3 3 delete 3 rmdir 3 mkdir 3 attributes 3 move out 3 move in 3 move 3 copy in 3 stream 2
"""


def _built(step: str) -> Path:
    done = oxcross("cache", "path", f"{TARGET.name}/{step}")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def _windows_path(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """launcher/tests/probe_windows.c, without what loads libraries."""
    folder = tmp_path_factory.mktemp("probe")
    toolchain, zstd = _built("toolchain"), _built("zstd")
    system = toolchain / TARGET.triple / "lib"
    flags = ["-O1", "-std=c11", "-DUNICODE", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes", "-Wvla"]
    line: list[str | Path] = [toolchain / "bin" / f"{TARGET.triple}-cc", *flags, "-Werror", "-c"]
    line += [
        "-DOX_MEMLOAD_WINDOWS_H",
        "-DOX_LOAD_HOOKS(X)=",
        "-iquote",
        LAUNCHER,
        "-isystem",
        zstd / "include",
    ]
    subprocess.run([*line, *(LAUNCHER / unit for unit in UNITS)], cwd=folder, check=True)
    out = folder / "probe.exe"
    line = [toolchain / "bin" / f"{TARGET.triple}-lld-link", "-lldmingw", "-nologo", "-machine:x64"]
    line += ["-subsystem:console,10.0", "-alternatename:__image_base__=__ImageBase", f"-out:{out}"]
    line += ["-alternatename:__guard_dispatch_icall_dummy=probe_call"]
    line += [*sorted(folder.glob("*.o")), system / "crt2.obj", zstd / "lib" / "libzstd.a"]
    line += [system / f"{name}.lib" for name in ("libmingw32", "ntdll", "kernel32")]
    line += [*sorted(system.glob("api-ms-win-crt-*.lib")), system / "zigc.lib", system / "compiler_rt.lib"]
    subprocess.run(line, check=True)
    return out


@pytest.fixture
def told(probe: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """What is told of a blob's files, or, without a compression, of those on disk."""

    def run(compression: pack.Compression | None) -> list[str]:
        resources = pack.Resources()
        folder = tmp_path / "folder.app"
        mount = "C:\\with space\\folder.app"
        for path, content in FILES.items():
            resources.add_file(pack.File(path, pack.Payload.raw(content)))
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        (tmp_path / "blob").write_bytes(
            pack.blob(pack.encode(resources, compression or "none"), [], {"name": "probe"})
        )
        arguments = [mount, "refuse"] if compression else [_windows_path(folder)]
        done = subprocess.run(
            runner.line(TARGET, probe, _windows_path(tmp_path / "blob"), mount, *arguments),
            env=runner.environment(TARGET),
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("utf-8", "replace").splitlines(keepends=True)

    return run


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_functions(told: Callable[..., list[str]], compression: pack.Compression) -> None:
    found = told(compression)
    expected = told(None)
    for number, line in enumerate(expected):
        name = line.partition(": ")[0]
        if name in OTHERS:
            expected[number] = f"{name}: {OTHERS[name]}\n"
    assert found[: len(expected)] == expected
    assert "".join(found[len(expected) :]) == REFUSED
