# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Stands for the linker where a build asks for a shared library: one relocatable object is made instead.

    link.py LINKER COMPILER ARGUMENTS...

ARGUMENTS are those of ``cc -shared``. Objects go in, archives give what is asked of them, and a library that
is named (``-lfoo``) has to be there as ``libfoo.a``: in the folders that are named, or in those of
``$OXCROSS_LIBRARIES``. What every executable is linked with (libc, and libpython itself) is left for later.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# Part of libc or of the compiler's run time, which the executable has, and C++'s library, which is in $OXCROSS_CXX.
_LATER = {
    "c", "m", "dl", "pthread", "rt", "util", "resolv", "crypt", "gcc", "gcc_s", "atomic",
    "stdc++", "c++", "c++abi", "supc++",
}  # fmt: skip
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".s", ".S")
_WITH_VALUE = {
    "-Xlinker",
    "-isystem",
    "-include",
    "-framework",
    "-target",
    "-MF",
    "-MT",
    "-MQ",
    "-x",
    "-T",
    "-u",
}


@dataclass
class Line:
    """What a link line asks for: ``inputs`` in their order, with lld's own switches between them."""

    output: str = "a.out"
    inputs: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)  # for the compiler, should there be sources


def read(arguments: list[str]) -> Line:
    """The arguments of ``cc -shared``."""
    line = Line()
    words = iter(_expanded(arguments))
    for word in words:
        if word == "-o":
            line.output = next(words)
        elif word in ("-L", "-l"):
            (line.folders if word == "-L" else line.inputs).append(next(words))
            if word == "-l":
                line.inputs[-1] = "-l" + line.inputs[-1]
        elif word.startswith("-L"):
            line.folders.append(word[2:])
        elif word.startswith("-l"):
            line.inputs.append(word)
        elif word.startswith("-Wl,"):
            line.inputs += [
                part for part in word.split(",")[1:] if part in ("--whole-archive", "--no-whole-archive")
            ]
        elif word in _WITH_VALUE:
            value = next(words)
            if word not in ("-Xlinker", "-T", "-u"):
                line.flags += [word, value]
        elif word in ("-I", "-D", "-U"):
            line.flags += [word, next(words)]
        elif word.startswith("-"):
            if word not in ("-shared", "-pthread", "-rdynamic"):
                line.flags.append(word)
        elif word.endswith(_SOURCES):
            line.sources.append(word)
        else:
            line.inputs.append(word)
    return line


def _expanded(arguments: list[str]) -> list[str]:
    """The arguments with those of response files (``@FILE``) in their places."""
    words: list[str] = []
    for word in arguments:
        words += Path(word[1:]).read_text(encoding="utf-8").split() if word.startswith("@") else [word]
    return words


def located(line: Line, own: list[str], cxx: str) -> list[str]:
    """The inputs with each library as its archive, C++'s (in the folder ``cxx``) last. SystemExit names what is not there."""
    found: list[str] = []
    missing: list[str] = []
    for word in line.inputs:
        name = word[2:] if word.startswith("-l") else ""
        if not name:
            found.append(word)
        elif name not in _LATER and not name.startswith("python3"):
            archives = [Path(folder, f"lib{name}.a") for folder in (*line.folders, *own)]
            there = [str(path) for path in archives if path.is_file()]
            found += there[:1]
            missing += [] if there else [name]
    if missing:
        names = ", ".join(f"lib{name}.a" for name in missing)
        sys.exit(
            f"oxcross: {line.output} asks for {names}, which this target does not have as a static library"
        )
    return [*found, *(sorted(map(str, Path(cxx).glob("*.a"))) if cxx else [])]


def main(linker: str, compiler: str, arguments: list[str]) -> None:
    line = read(arguments)
    own = [folder for folder in os.environ.get("OXCROSS_LIBRARIES", "").split(":") if folder]
    with tempfile.TemporaryDirectory() as folder:
        for number, source in enumerate(line.sources):
            made = f"{folder}/{number}.o"
            subprocess.run([compiler, *line.flags, "-c", source, "-o", made], check=True)
            line.inputs.insert(number, made)
        output = Path(line.output)
        name = output.name.partition(".")[0]
        init = "PyInit_" + (output.absolute().parent.name if name == "__init__" else name)
        inputs = located(line, own, os.environ.get("OXCROSS_CXX", ""))
        # What nobody uses goes at the executable's link: with -r, --gc-sections would take the tables that exceptions need.
        subprocess.run([linker, "-r", "-u", init, *inputs, "-o", line.output], check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
