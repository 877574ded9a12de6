"""Files below the executable, used in every way: one application of checks, built once for each compression.

macos-x64 executables are run by the loader in tests/macho. What only one system has is left out in the checks themselves.
"""

from __future__ import annotations

import functools
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from macho_tools import toolchain
from program import APPS, build

from oxcross import targets
from oxcross.collect import distributions

SOURCE = APPS / "files"
TAGS = {"linux-x64": "py3-none-manylinux_2_17_x86_64", "macos-x64": "py3-none-macosx_11_0_x86_64"}
WHEELS = ("libraries",)  # the modules of checks for which wheels bring shared libraries or programs
# The modules of checks for one system, and what the checks of another one are without.
ONLY = {"cached": "macos-x64"}
WITHOUT = {
    "linux-x64": set[str](),
    "macos-x64": {"run_wheel_program"},  # ninja is in C++, and the loader has no libc++.1.dylib
}
LIBRARY = r"""
#define _GNU_SOURCE 1
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int add(int a, int b) { return a + b; }

int first_byte(const char *path)
{
    FILE *file = fopen(path, "rb");
    int byte = file == NULL ? -errno : fgetc(file);
    if (file != NULL) {
        fclose(file);
    }
    return byte;
}

int count_names(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    return folder != NULL && closedir(folder) == 0 ? count : -1;
}

/* readdir_r is out of favour and in use. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
int count_names_reentrant(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent entry, *found;
    int count = 0;
    while (folder != NULL && readdir_r(folder, &entry, &found) == 0 && found != NULL) {
        count++;
    }
    return folder != NULL && closedir(folder) == 0 ? count : -1;
}

int count_names_sorted(const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    if (count > 0) {
        free(names);
    }
    return count;
}
"""
# One library that several others need, found by its name alone.
BASE = "int base(void) { return 40; }"
USERS = 8
USER = "int base(void); int use(void) { return base() + NUMBER; }"
# macOS: a chain of libraries in folders of their own, and a program that needs it.
MIDDLE = "int base(void); int middle(void) { return base() + 1; }"
DEEP = "int middle(void); int deep(void) { return middle() + 1; }"
CALLING = r"""
#include <stdio.h>
#include <stdlib.h>

int base(void);

int main(int argc, char **argv)
{
    printf("%d\n", base() + (argc > 1 ? atoi(argv[1]) : 0));
    return 0;
}
"""
POINTERS = r"""
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int (*function)(const char *, int);

static const function constant = access;
static function variable = access;

int by_call(const char *path) { return access(path, R_OK); }
int by_constant(const char *path) { return (*(const volatile function *)&constant)(path, R_OK); }
int by_variable(const char *path) { return (*(volatile function *)&variable)(path, R_OK); }
int by_name(const char *path) { return ((function)dlsym(RTLD_DEFAULT, "access"))(path, R_OK); }
int by_name_of_all(const char *path)
{
    void *all = dlopen("/usr/lib/libSystem.B.dylib", RTLD_LAZY);
    return all == NULL ? -2 : ((function)dlsym(all, "access"))(path, R_OK);
}
"""
PROGRAM = r"""
#include <stdio.h>

int main(int argc, char **argv)
{
    printf("program:");
    for (int i = 1; i < argc; i++) {
        printf(" %s", argv[i]);
    }
    printf("\n");
    return 0;
}
"""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# The least that is a workbook (ECMA-376).
WORKBOOK = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="numbers" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData><row r="1">'
    '<c r="A1"><v>1</v></c><c r="B1"><v>2.5</v></c></row></sheetData></worksheet>',
}

TOOL = b"""#!python
import sys
sys.stdout.reconfigure(errors="surrogateescape")
print("tool", sys.argv[0], sys.argv[1:], open(sys.argv[2]).read(), end="")
"""


def _compile(text: str, out: Path, *options: str, target: str = "linux-x64") -> bytes:
    compiler = shutil.which("cc") or shutil.which("clang")
    if target == "macos-x64":
        compiler = toolchain("x86_64").compiler
    assert compiler, "this test needs a C compiler: apt-get install gcc"
    line = [compiler, "-x", "c", "-O1", "-Wall", "-Wextra", "-", "-o", str(out), *options]
    subprocess.run(line, input=text, text=True, check=True)
    return out.read_bytes()


def _libraries(folder: Path) -> dict[str, bytes]:
    """What needs a library, and that library, which takes a while to be brought into memory."""
    shared = ("-shared", "-fPIC", f"-L{folder}", "-Wl,--no-as-needed")
    base = _compile(BASE, folder / "libfilesbase.so", *shared, "-Wl,-soname,libfilesbase.so")
    files = {
        "files_native/libdata.so": _compile(LIBRARY, folder / "libdata.so", "-shared", "-fPIC"),
        "files_native.libs/libfilesbase.so": base + random.Random(1).randbytes(6_000_000),  # noqa: S311
        "files_native/libnosoname.so": _compile(BASE, folder / "libnosoname.so", *shared),
    }
    needing = {"libasking.so": "nosoname"} | {f"libuser{number}.so": "filesbase" for number in range(USERS)}
    for number, (name, needed) in enumerate(needing.items(), start=-1):
        options = (*shared, f"-DNUMBER={number}", f"-l{needed}")
        files[f"files_native/{name}"] = _compile(USER, folder / name, *options)
    return files


def _dylibs(folder: Path) -> dict[str, bytes]:
    """The same for macOS, laid out as delocate does it and otherwise, with more that only dyld has."""
    files = {}

    def make(name: str, text: str, *options: str, needed: Sequence[str] = (), install: str = "") -> None:
        kind = [] if name.startswith("bin/") else ["-dynamiclib", f"-Wl,-install_name,{install or name}"]
        out = folder / Path(name).name
        libraries = [f"-Wl,{folder / Path(one).name}" for one in needed]
        files[f"files_native/{name}"] = _compile(text, out, *kind, *options, *libraries, target="macos-x64")

    (folder / "random").write_bytes(random.Random(1).randbytes(6_000_000))  # noqa: S311
    base, middle = ".dylibs/libfilesbase.dylib", ".dylibs/inner/libmiddle.dylib"
    large = f"-Wl,-sectcreate,__TEXT,__random,{folder / 'random'}"
    make("libdata.so", LIBRARY, "-D_DARWIN_C_SOURCE")
    make("libnosoname.so", BASE, install="@loader_path/libnosoname.so")
    make("libasking.so", USER, "-DNUMBER=-1", needed=["libnosoname.so"])
    make(base, BASE, large, install="@loader_path/.dylibs/libfilesbase.dylib")
    for number in range(0, USERS, 2):
        make(f"libuser{number}.so", USER, f"-DNUMBER={number}", needed=[base])
    make(base, BASE, large, install="@rpath/libfilesbase.dylib")
    here = "-Wl,-rpath,@loader_path/.dylibs"
    for number in range(1, USERS, 2):
        make(f"libuser{number}.so", USER, f"-DNUMBER={number}", here, needed=[base])
    make(middle, MIDDLE, needed=[base], install="@rpath/inner/libmiddle.dylib")
    make("libdeep.so", DEEP, "-Wl,-rpath,@loader_path/nowhere", here, needed=[middle])
    make("bin/calling", CALLING, "-Wl,-rpath,@executable_path/../.dylibs", needed=[base])
    make("libpointers.so", POINTERS)
    make("libgone.dylib", BASE, install="@rpath/libgone.dylib")
    make("libbroken.so", USER, "-DNUMBER=0", here, needed=["libgone.dylib"])
    del files["files_native/libgone.dylib"]
    files["files_native/libother.so"] = files["files_native/libdata.so"].replace(
        b"\x07\0\0\1", b"\x0c\0\0\1", 1
    )
    return files


def _wheel(folder: Path, tag: str, libraries: Callable[[Path], dict[str, bytes]]) -> None:
    """A wheel with libraries and programs among its data."""
    folder.mkdir()
    information = "files_native-1.0.dist-info"
    target = "macos-x64" if "macosx" in tag else "linux-x64"
    programs = {
        "files_native/program": _compile(PROGRAM, folder / "program", target=target),
        "files_native/script": b'#!/bin/sh\necho "script: $*"\n',
        "files_native/tool": TOOL,
    }
    files = {
        **programs,
        **libraries(folder),
        "files_native/__init__.py": b"",
        f"{information}/METADATA": b"Metadata-Version: 2.4\nName: files-native\nVersion: 1.0\n",
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
    }
    files[f"{information}/RECORD"] = distributions.record(files, information)
    with zipfile.ZipFile(folder / f"files_native-1.0-{tag}.whl", "w") as archive:
        for path, content in files.items():
            member = zipfile.ZipInfo(path)
            runs = path in programs or "/bin/" in path
            member.external_attr = (0o100755 if runs else 0o100644) << 16
            archive.writestr(member, content)


def _project(folder: Path, settings: str) -> Path:
    """The application with the data that a program has to make."""
    project = folder / "files"
    shutil.copytree(SOURCE, project)
    with (project / "pyproject.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(settings)
    data = project / "src" / "files_app" / "data"
    (data / "big.bin").write_bytes(bytes(range(250)) * 20_000)
    (data / "tree.xml").write_text('<root name="tree"><leaf>leaf</leaf></root>\n', encoding="ascii")
    with zipfile.ZipFile(data / "archive.zip", "w") as archive:
        archive.writestr("inner.txt", "inner\n")
    base = sqlite3.connect(data / "base.db")
    base.execute("create table words (word text)")
    base.executemany("insert into words values (?)", [("one",), ("two",), ("three",)])
    base.commit()
    base.close()
    with zipfile.ZipFile(data / "book.xlsx", "w") as archive:
        for path, content in WORKBOOK.items():
            archive.writestr(path, '<?xml version="1.0" encoding="UTF-8"?>' + content)
    return project


def _build(folder: Path, target: str, settings: str = "") -> Path:
    project = _project(folder, settings)
    _wheel(folder / "wheels", TAGS[target], _dylibs if target == "macos-x64" else _libraries)
    return build(project, target=target, env={"UV_FIND_LINKS": str(folder / "wheels")})


def _build_static(folder: Path, target: str) -> Path:
    """For a target that loads no shared libraries: without the wheels that have some, and the checks of them."""
    project = _project(folder, "")
    configuration = project / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    for name in ("lxml", "ninja", "python-calamine"):
        text = text.replace(f'    "{name}",\n', "")
    configuration.write_text(text, encoding="utf-8")
    for name in WHEELS:
        (project / "src" / "files_app" / f"{name}.py").unlink()
    _wheel(folder / "wheels", "py3-none-any", lambda _: {})
    return build(project, target=target, env={"UV_FIND_LINKS": str(folder / "wheels")})


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
    return functools.cache(lambda target: _build(tmp_path_factory.mktemp("files"), target))


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
    executable = _build_static(tmp_path, target)
    modules = [module.stem for module in _modules(target)]
    checks = [name for name in modules if name not in WHEELS and _names([*(set(modules) - {name})])]
    results = _checked(tmp_path / "scratch", executable, *checks)
    assert sorted(results) == sorted(_names(WHEELS))
    assert {name: text for name, text in results.items() if text} == {}


@pytest.mark.parametrize("target", TAGS)
def test_compressed(tmp_path: Path, target: str, emulated: None) -> None:
    """The same, with files that must be decoded: also for other programs, in the child that becomes one."""
    del emulated
    executable = _build(tmp_path, target, 'compression = "zstd"\n')
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
