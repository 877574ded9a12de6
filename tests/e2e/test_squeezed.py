"""Compressed executables: what the start unpacks, what is gone of them and what says so, and how small they get."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from program import build, oxcross

from oxcross import targets
from oxcross.squeeze import table

PROGRAM = """\
import sys

gone = {"_ssl", "_sqlite3", "_curses", "_codecs_jp"}
print(sorted(gone & set(sys.builtin_module_names)))
for name in sys.argv[1:]:
    try:
        __import__(name)
    except ImportError as error:
        print(type(error).__name__, error.name)
    else:
        print(name)
"""


def _run(executable: Path, *arguments: str) -> list[str]:
    done = subprocess.run([executable, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_left_out(project: Callable[..., Path], compression: str) -> None:
    """What nothing imports cannot be imported, whether its program code is there or not; what is kept works."""
    folder = project("hello", compression=f'"{compression}"')
    (folder / "hello.py").write_text(PROGRAM, encoding="utf-8")
    configuration = folder / "pyproject.toml"
    whole = configuration.read_text(encoding="utf-8")
    built = build(folder)
    size = built.stat().st_size
    names = ["_ssl", "_sqlite3", "_curses", "_codecs_jp", "sqlite3"]
    assert _run(built, *names) == ["['_codecs_jp', '_curses', '_sqlite3', '_ssl']", *names]

    thin = '\n[tool.oxcross.stdlib]\nexclude = ["openssl", "eastern-encodings", "terminals"]\nunreached = false\ninclude = ["sqlite3"]\n'
    configuration.write_text(whole + thin, encoding="utf-8")
    built = build(folder)
    gone = [f"ModuleNotFoundError {name}" for name in ("_ssl", "_curses", "_codecs_jp", "ssl")]
    assert _run(built, "_ssl", "_curses", "_codecs_jp", "ssl", "sqlite3", "hashlib") == [
        "['_sqlite3']",
        *gone,
        "sqlite3",
        "hashlib",
    ]
    seen = json.loads(oxcross("inspect", "--json", str(built)).stdout)
    if compression == "zstd":
        assert {"openssl", "terminal", "cjk"}.isdisjoint(seen["compressed"])
        assert {"sqlite", "rest", "start"} <= set(seen["compressed"])
        assert built.stat().st_size < size - 2_000_000


def _maps(executable: Path, line: list[str]) -> list[str]:
    """The memory of a process that is about to print its first line: the pipe that it prints to is full."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    filled = 0
    while True:
        try:
            filled += os.write(writer, bytes(4096))
        except BlockingIOError:
            break
    os.set_blocking(writer, True)
    with subprocess.Popen([*line, executable], stdout=writer, stdin=subprocess.DEVNULL) as process:
        os.close(writer)
        folder = Path("/proc", str(process.pid))
        deadline = time.monotonic() + 60
        while not (folder / "syscall").read_text().startswith("1 "):  # write(2)
            assert time.monotonic() < deadline, "it never wrote"
            time.sleep(0.01)
        seen = (folder / "maps").read_text().splitlines()
        with open(reader, "rb") as stream:  # noqa: PTH123 (a descriptor)
            said = stream.read()
    assert said[filled:] == b"hello world\n"
    return seen


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("target", ["linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl"])
def test_what_the_start_unpacks(project: Callable[..., Path], target: str) -> None:
    """One group; all others are as they were, so start.txt names all that runs (`./invoke trace-start` makes it anew)."""
    built = build(project("hello", compression='"zstd"'), target=target)
    found = table.find(built.read_bytes())
    assert found is not None
    maps = _maps(built, list(targets.get(target).runner))
    rows = [line.split() for line in maps]
    base = min(
        int(row[0].partition("-")[0], 16) for row in rows if row[-1] == str(built) and int(row[2], 16) == 0
    )
    readable = [tuple(int(end, 16) for end in row[0].split("-")) for row in rows if row[1].startswith("r")]
    unpacked = {
        row.name for row in found.rows if any(first <= base + row.start < last for first, last in readable)
    }
    assert unpacked == {"start"}
    assert len(found.rows) > 10


def test_hello_is_small(project: Callable[..., Path]) -> None:
    """The size that is promised: hello, compressed, with nothing that it does without, in 8 MB."""
    folder = project("hello", compression='"zstd"')
    configuration = folder / "pyproject.toml"
    thin = '\n[tool.oxcross.stdlib]\nexclude = ["openssl", "eastern-encodings"]\nunreached = false\n'
    configuration.write_text(configuration.read_text(encoding="utf-8") + thin, encoding="utf-8")
    built = build(folder)
    assert _run(built) == ["hello world"]
    assert built.stat().st_size <= 8_000_000


def test_allocators(project: Callable[..., Path]) -> None:
    """Each of CPython's allocators can be chosen; CPython's own name for what it uses says which it is."""
    program = """\
import ctypes
ask = ctypes.pythonapi._PyMem_GetCurrentAllocatorName
ask.restype = ctypes.c_char_p
print(ask().decode())
"""
    folder = project("hello")
    (folder / "hello.py").write_text(program, encoding="utf-8")
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    for allocator, name in {"default": "pymalloc", "malloc": "malloc", "mimalloc": "mimalloc"}.items():
        chosen = f'\n[tool.oxcross.interpreter]\nallocator = "{allocator}"\n'
        configuration.write_text(text + chosen, encoding="utf-8")
        assert _run(build(folder)) == [name]
