"""Executables for macOS: what can be shown of them without a Mac. Those for x86-64 are run by the loader in tests/macho,
most of all in test_behaviour.py, test_processes.py and test_macos_inputs.py; for arm64 it is shown here that nothing but the
machine is another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from program import APPS, build, oxcross

from oxcross import recipes, targets
from oxcross.macho import Macho, slices

Project = Callable[..., Path]
X64, ARM64 = targets.get("macos-x64"), targets.get("macos-arm64")
# What configure finds of the machine: long double is double on arm64, and x87 is not there.
OF_THE_MACHINE = {"HAVE_GCC_ASM_FOR_X64", "SIZEOF_LONG_DOUBLE", "ALIGNOF_MAX_ALIGN_T", "HAVE_GCC_ASM_FOR_X87"}


@pytest.fixture(scope="session")
def pythons() -> tuple[Path, Path]:
    """The outputs of the two targets' cpython steps."""
    found = []
    for target in (X64, ARM64):
        done = oxcross("cache", "path", f"{target.name}/cpython")
        assert done.returncode == 0, done.stderr
        found.append(Path(done.stdout.strip()))
    return found[0], found[1]


@pytest.fixture(scope="session")
def hellos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The hello-world executable for each of macOS' targets, and for Linux."""
    folder = tmp_path_factory.mktemp("hellos") / "hello"
    folder.mkdir()
    for name in ("pyproject.toml", "hello.py"):
        (folder / name).write_bytes((APPS / "hello" / name).read_bytes())
    names = ("linux-x64", "macos-x64", "macos-arm64", "macos-universal2")
    return {name: build(folder, target=name) for name in names}


def test_scripts_differ_in_the_machine_only() -> None:
    for step in (
        "toolchain",
        *recipes.LIBRARIES.keys() & {"zlib", "bzip2", "xz", "zstd", "sqlite", "ncurses", "libedit"},
    ):
        one, other = (
            (recipes.toolchain(target) if step == "toolchain" else recipes.library(target, step)).script
            for target in (X64, ARM64)
        )
        assert _neutral(one) == _neutral(other), step
    for make in (recipes.cpython, recipes.launcher):
        assert _neutral(make(X64, "3.13").script) == _neutral(make(ARM64, "3.13").script)


def _neutral(script: str) -> str:
    return re.sub(r"\b(x86_64|aarch64|arm64|x64)\b", "MACHINE", script)


def test_pythons_differ_in_the_machine_only(pythons: tuple[Path, Path]) -> None:
    configured = [
        set((tree / "include/python3.13/pyconfig.h").read_text(encoding="utf-8").splitlines())
        for tree in pythons
    ]
    differing = {
        re.sub(r"^(?:/\* )?#(?:define|undef) (\w+).*", r"\1", line) for line in configured[0] ^ configured[1]
    }
    assert differing <= OF_THE_MACHINE
    links = [json.loads((tree / "link.json").read_text(encoding="utf-8")) for tree in pythons]
    assert links[0] == links[1]
    libraries = [
        {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.glob("lib/python3.13/**/*.py")}
        for tree in pythons
    ]
    assert libraries[0].keys() == libraries[1].keys()
    assert [name for name in libraries[0] if libraries[0][name] != libraries[1][name]] == [
        "lib/python3.13/_sysconfigdata__darwin_darwin.py"
    ]


def test_hello(hellos: dict[str, Path]) -> None:
    linux = hellos["linux-x64"].stat().st_size
    for name in ("macos-x64", "macos-arm64"):
        assert hellos[name].stat().st_size <= 1.15 * linux


def test_universal_holds_both(hellos: dict[str, Path]) -> None:
    whole = hellos["macos-universal2"].read_bytes()
    parts = [whole[one.offset : one.offset + one.size] for one in slices(whole)]
    assert parts == [hellos[name].read_bytes() for name in ("macos-x64", "macos-arm64")]
    assert [Macho(part).arch for part in parts] == ["x86_64", "aarch64"]


@pytest.mark.parametrize("target", ["macos-x64", "macos-arm64", "macos-universal2"])
def test_inspected(hellos: dict[str, Path], target: str) -> None:
    done = oxcross("inspect", str(hellos[target]), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["target"] == target


def test_not_run_here(project: Project) -> None:
    done = oxcross("run", "--target", "macos-arm64", "--project", str(project("hello")))
    assert done.returncode == 7
    assert done.stderr == (
        "error: macos-arm64 executables cannot be run here: it takes a Mac for that\n"
        "  more: oxcross explain an-executable-that-does-not-run-here\n"
    )
