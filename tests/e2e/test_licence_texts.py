"""Licences and bills of materials of real executables: all that is inside is named, with its text, on every system."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from program import POSIX, build, oxcross

from oxcross import runner, targets

Project = Callable[..., Path]


def _licences(executable: Path, target: str = "linux-x64") -> str:
    row = targets.get(target)
    line = [str(executable), "--oxcross-licenses"]
    if row.os == "windows":
        line = runner.line(row, executable, "--oxcross-licenses")
    with runner.warmed(row):
        done = subprocess.run(
            line, env=runner.environment(row), capture_output=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stderr
    assert b"\r" not in done.stdout
    return done.stdout.decode()


def _heads(text: str) -> dict[str, tuple[str, str]]:
    """Version and licence of all that a text names, by name."""
    found = {}
    for heads in re.findall(r"^={80}\n((?:[^\n]+ \S+: [^\n]+\n)+)={80}\n\n", text, re.MULTILINE):
        for line in heads.splitlines():
            name, _, licence = line.partition(": ")
            found[name.rpartition(" ")[0]] = (name.rpartition(" ")[2], licence)
    return found


def _inspected(executable: Path) -> dict[str, tuple[str, str]]:
    done = oxcross("inspect", str(executable), "--json")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    every = [*report["libraries"], *report["distributions"]]
    return {one["name"]: (one["version"], one["licence"]) for one in every}


def _bill(executable: Path) -> dict[str, Any]:
    done = oxcross("sbom", str(executable))
    assert done.returncode == 0, done.stderr
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.stdout) is None
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def test_an_application_with_wheels(project: Project, tmp_path: Path) -> None:
    folder = project("numpy_app")
    executable = build(folder)
    text = _licences(executable)
    inside = _inspected(executable)
    assert _heads(text) == inside
    assert {"numpy", "openssl", "cpython", "libgcc-amd64", "libstdc++-amd64"} <= set(inside)
    for phrase in (
        "Apache License\n                           Version 2.0",  # OpenSSL's
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
        "NumPy Developers",
        "GNU GENERAL PUBLIC LICENSE",
        "GCC RUNTIME LIBRARY EXCEPTION",
        "is part of oxcross",
    ):
        assert phrase in text, phrase
    assert re.search(r"\nlibgcc-amd64 [^\n]+\nlibstdc\+\+-amd64 [^\n]+\n=", text), "one text of both"
    bill = _bill(executable)
    assert {one["name"]: one["version"] for one in bill["components"]} == {
        name: version for name, (version, _) in inside.items()
    }
    [numpy] = [one for one in bill["components"] if one["name"] == "numpy"]
    assert re.fullmatch(r"pkg:pypi/numpy@[\d.]+\?file_name=numpy-\S+-manylinux\S+\.whl", numpy["purl"])
    assert re.fullmatch(r"[0-9a-f]{64}", numpy["hashes"][0]["content"])
    again = tmp_path / "elsewhere"
    shutil.copytree(folder, again, ignore=shutil.ignore_patterns("build"))
    assert build(again).read_bytes() == executable.read_bytes()
    assert _bill(build(again)) == bill


def test_without_python(hello: Path) -> None:
    """They are printed where nothing else works, and what cannot be written is an error."""
    done = subprocess.run(
        [hello, "--oxcross-licenses"], env={"PYTHONHASHSEED": "no number"}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    for redirection in (">/dev/full", ">&-"):
        line = ["sh", "-c", f'"$0" --oxcross-licenses {redirection}', str(hello)]
        failed = subprocess.run(line, capture_output=True, text=True, check=False)
        assert failed.returncode == 74
        assert failed.stderr == f"oxcross: {hello}: the licences cannot be written to standard output\n"


def test_damaged(hello: Path, tmp_path: Path) -> None:
    """A changed byte of the texts is seen before anything is printed."""
    data = bytearray(hello.read_bytes())
    at = data.rindex(bytes.fromhex("28b52ffd"))  # the frame of the texts is the last (zstd's magic, RFC 8878)
    data[at + 100] ^= 0xFF
    broken = tmp_path / "hello"
    broken.write_bytes(data)
    broken.chmod(0o755)
    done = subprocess.run([broken, "--oxcross-licenses"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr == f"oxcross: {broken}: damaged: the texts of its licences\n"


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("target", [*POSIX, "win-x64"])
def test_on_every_system(project: Project, target: str) -> None:
    executable = build(project("hello"), target=target)
    found = _heads(_licences(executable, target))
    assert found == _inspected(executable)
    row = targets.get(target)
    assert ("musl" in found, "mingw-w64" in found) == (row.libc == "musl", row.os == "windows")
    assert {"cpython", "openssl", "expat", "hacl-star", "zstd", "oxcross"} <= set(found)
    assert ("compiler-rt" in found) == (row.os != "macos")


def test_a_universal_executable(project: Project) -> None:
    executable = build(project("hello"), target="macos-universal2")
    bill = _bill(executable)
    named = {
        one["value"] for one in bill["metadata"]["component"]["properties"] if one["name"] == "oxcross:target"
    }
    assert named == {"macos-x64", "macos-arm64"}
    assert {one["name"] for one in bill["components"]} == set(_inspected(executable))
