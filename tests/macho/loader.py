"""The Mach-O loader of this folder: built by the machine's compiler, and the commands that run programs with it."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
# Objects of macOS are read as glibc's and the other way round.
FLAGS = (
    "-std=c11",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fno-strict-aliasing",
    "-fno-omit-frame-pointer",
)
VERSION = "SystemVersion.plist"  # of the system that programs see


@cache
def build(folder: Path | None = None) -> Path:
    """The loader's executable in ``folder``, compiled when it is not there yet for these sources.

    Without a folder, in a temporary one that goes with this process.
    """
    compiler = shutil.which("gcc")
    assert compiler, "the Mach-O loader needs a C compiler: apt-get install gcc"
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="oxcross-macho-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    place = folder / f"macho-{_digest()[:16]}"
    loader = place / "macho"
    if not loader.exists():
        place.mkdir(parents=True, exist_ok=True)
        # Native programs that a macOS program starts are preloaded with it: preload/exec.c. Before the loader, whose
        # presence says that all is there.
        preload: list[Path | str] = [
            SOURCES / "preload" / "exec.c",
            SOURCES / "command.c",
            "-shared",
            "-fPIC",
        ]
        _compile(compiler, preload, place / "macho.preload.so")
        shutil.copyfile(SOURCES / VERSION, place / f"macho.{VERSION}")
        _compile(compiler, [*sorted(SOURCES.glob("*.c")), "-lm"], loader)
    return loader


def command(program: Path, *arguments: str | Path, folder: Path | None = None) -> list[str]:
    """The command line that runs a macOS x86_64 executable."""
    return [str(build(folder)), str(program), *map(str, arguments)]


def _digest() -> str:
    """Of everything that it is built from."""
    files = sorted((*SOURCES.glob("*.[ch]"), *SOURCES.glob("preload/*.c"), SOURCES / VERSION))
    text = "\0".join([*FLAGS, *(f"{file.name}\0{file.read_text(encoding='utf-8')}" for file in files)])
    return hashlib.sha256(text.encode()).hexdigest()


def _compile(compiler: str, inputs: list[Path | str], out: Path) -> None:
    made = out.with_name(f"{out.name}.{os.getpid()}")  # another process may be at it, too
    subprocess.run([compiler, *FLAGS, f"-I{SOURCES}", *inputs, "-o", made], check=True)
    made.replace(out)
