"""Leaving parts of the interpreter out of a compressed executable: what is gone, what says so, and how small it gets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from program import build, oxcross

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
