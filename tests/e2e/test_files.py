"""Files below the executable, used in every way: one application of checks, built once for each compression.

macos-x64 executables are run by the loader in tests/macho. What only one system has is left out in the checks themselves.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from filesapp import SOURCE, TAGS, WHEELS, built, built_static

from oxcross import targets

# The modules of checks for one system, and what the checks of another one are without.
ONLY = {"cached": "macos-x64"}
WITHOUT = {
    "linux-x64": set[str](),
    "macos-x64": {"run_wheel_program"},  # ninja is in C++, and the loader has no libc++.1.dylib
}


def _modules(target: str) -> list[Path]:
    """Those whose checks are for this target."""
    found = sorted((SOURCE / "src" / "files_app").glob("*.py"))
    return [module for module in found if ONLY.get(module.stem, target) == target]


def _names(without: Sequence[str] = (), target: str = "linux-x64") -> list[str]:
    return [
        name
        for module in _modules(target)
        if module.stem not in without
        for name in re.findall(r"^def check_(\w+)", module.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def _checked(
    scratch: Path, executable: Path, *modules: str, before: Sequence[str] = (), cache: Path | None = None
) -> dict[str, str | None]:
    """What came of the checks: None, or the traceback."""
    scratch.mkdir()
    done = subprocess.run(
        [*before, executable, *modules],
        env={
            **os.environ,
            "FILES_SCRATCH": str(scratch),
            "OXCROSS_CACHE": str(cache or scratch.with_name("cache")),
        },
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


def _all_checked(scratch: Path, executable: Path, target: str) -> dict[str, str | None]:
    modules = [module.stem for module in _modules(target)]
    checks = [name for name in modules if _names([one for one in modules if one != name], target)]
    return _checked(scratch, executable, *checks)


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory, emulated: None) -> Callable[[str], Path]:
    """A function that builds the executable for a target."""
    del emulated
    return functools.cache(lambda target: built(tmp_path_factory.mktemp("files"), target))


@pytest.fixture(scope="session")
def results(
    make: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, str | None]]:
    """A function that gives what came of a target's checks."""
    return functools.cache(
        lambda target: _all_checked(tmp_path_factory.mktemp("files") / "scratch", make(target), target)
    )


@pytest.mark.parametrize(
    ("target", "name"),
    [(target, name) for target in TAGS for name in _names((), target) if name not in WITHOUT[target]],
)
def test_check(results: Callable[[str], dict[str, str | None]], target: str, name: str) -> None:
    found = results(target)
    assert found[name] is None, found[name]


@pytest.mark.parametrize("target", [name for name, row in targets.load().items() if row.static])
def test_static(tmp_path: Path, target: str) -> None:
    """The same where the linker puts the files before libc's functions, not the dynamic linker."""
    executable = built_static(tmp_path, target)
    modules = [module.stem for module in _modules(target)]
    checks = [name for name in modules if name not in WHEELS and _names([*(set(modules) - {name})])]
    results = _checked(tmp_path / "scratch", executable, *checks)
    assert sorted(results) == sorted(_names(WHEELS))
    assert {name: text for name, text in results.items() if text} == {}


@pytest.mark.parametrize("target", TAGS)
def test_compressed(tmp_path: Path, target: str, emulated: None) -> None:
    """The same, with files that must be decoded: also for other programs, in the child that becomes one."""
    del emulated
    executable = built(tmp_path, target, 'compression = "zstd"\n')
    results = _all_checked(tmp_path / "scratch", executable, target)
    assert sorted(results) == sorted(_names((), target))
    assert [text for name, text in results.items() if text and name not in WITHOUT[target]] == []


# No file of macOS has a name that is not UTF-8.
@pytest.mark.parametrize(
    ("target", "name"),
    [("linux-x64", b"folder \xff\xfe \xc3\xa9/app \xe9"), ("macos-x64", b"folder \xc3\xa9/app \xc3\xa8")],
)
def test_odd_path(make: Callable[[str], Path], tmp_path: Path, target: str, name: bytes) -> None:
    """But for extension modules, which CPython itself loads from no path that is not UTF-8."""
    odd = tmp_path / os.fsdecode(name)
    odd.parent.mkdir()
    shutil.copy(make(target), odd)
    results = _checked(tmp_path / "scratch", odd, "reading", "listing", "refusing", "handing")
    assert "argument" in results
    assert [text for text in results.values() if text] == []


def test_nothing_is_extracted(make: Callable[[str], Path], tmp_path: Path) -> None:
    """No file or folder is made anywhere, but what the checks make in their scratch folder."""
    strace = shutil.which("strace")
    assert strace, "strace is missing: apt-get install strace"
    trace, scratch = tmp_path / "trace", tmp_path / "scratch"
    line = [strace, "-f", "-y", "-s", "4096", "-e", "trace=%file", "-o", str(trace)]
    results = _checked(scratch, make("linux-x64"), "reading", "linked", "libraries", "handing", before=line)
    assert [text for text in results.values() if text] == []
    made = set()
    for call in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        found = re.search(
            r" (openat|open|creat|mkdir|mkdirat|rename\w*|link\w*|symlink\w*)\((.*)\) = [0-9]", call
        )
        if found and (
            found[1] not in {"open", "openat"} or re.search(r"O_CREAT|O_WRONLY|O_RDWR|O_TMPFILE", found[2])
        ):
            made.update(re.findall(r'"([^"]*)"', found[2]))
    assert str(scratch / "sent") in made
    assert sorted(path for path in made if path.startswith("/") and not _is_allowed(path, scratch)) == []


def _is_allowed(path: str, scratch: Path) -> bool:
    # What symbolic links point to is in the list, too.
    return path.startswith((f"{scratch}/", "/dev/null", "/usr")) or path.endswith(
        "/build/linux-x64/files-app"
    )


def _load(executable: Path, cache: Path, *arguments: str) -> subprocess.Popen[str]:
    """What a function of an embedded library says, in a process of its own."""
    return subprocess.Popen(
        [executable, "load", *(arguments or ("libdeep.so", "deep"))],
        env={**os.environ, "FILES_SCRATCH": "/", "OXCROSS_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _outcome(loading: subprocess.Popen[str]) -> tuple[int, str]:
    output, errors = loading.communicate(timeout=120)
    return loading.returncode, output + errors


def _cached(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.rglob("*")) if path.is_file()}


DEEP_ONES = {"libdeep.so", "libmiddle.dylib", "libfilesbase.dylib"}


def test_cache_is_mended(make: Callable[[str], Path], tmp_path: Path) -> None:
    """Whatever is in a file's place is no more when the file is used."""
    executable, cache = make("macos-x64"), tmp_path / "cache"
    assert _outcome(_load(executable, cache)) == (0, "42\n")
    whole = _cached(cache)
    assert whole.keys() == DEEP_ONES
    foreign = tmp_path / "foreign"
    for name in DEEP_ONES:
        path = next(cache.rglob(name))
        for damage in (
            lambda path: path.write_bytes(path.read_bytes()[:-1]),
            lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]),
            lambda path: path.write_bytes(b""),
            lambda path: path.chmod(0o666),
            lambda path: path.unlink(),
            lambda path: (path.rename(foreign), path.symlink_to(foreign)),
        ):
            damage(path)
            assert _outcome(_load(executable, cache)) == (0, "42\n")
            assert (_cached(cache), path.stat().st_mode & 0o777, path.is_symlink()) == (whole, 0o644, False)
    shutil.rmtree(path.parent)
    path.parent.touch()
    status, text = _outcome(_load(executable, cache))
    assert (status, "cannot be written: Not a directory; OXCROSS_CACHE can name another" in text) == (1, True)


def test_cache_many_at_once(make: Callable[[str], Path], tmp_path: Path) -> None:
    executable, cache = make("macos-x64"), tmp_path / "cache"
    for _ in range(2):
        started = [_load(executable, cache) for _ in range(6)]
        assert [_outcome(one) for one in started] == [(0, "42\n")] * 6
    assert _cached(cache).keys() == DEEP_ONES


def test_cache_that_cannot_be(make: Callable[[str], Path], tmp_path: Path) -> None:
    """No folder can be made there, or others can write into it: said by what needs a library or gets a file."""
    executable = make("macos-x64")
    (tmp_path / "file").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    reasons = {tmp_path / "file" / "cache": "Not a directory", tmp_path / "open": "Operation not permitted"}
    for cache, reason in reasons.items():
        status, text = _outcome(_load(executable, cache))
        assert status == 1
        assert text.endswith(
            f"/files_native/libdeep.so: macOS loads libraries from files only, and {cache} cannot be written: "
            f"{reason}; OXCROSS_CACHE can name another folder\n"
        )
        results = _checked(tmp_path / "scratch", executable, "handing", cache=cache)
        shutil.rmtree(tmp_path / "scratch")
        assert reason in (results["argument"] or "")
        assert results["self_gets_paths"] is None
