"""Files below the executable, used in every way: one application of checks, built once for each compression."""

from __future__ import annotations

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
from program import APPS, build

from oxcross import targets
from oxcross.collect import distributions

SOURCE = APPS / "files"
TAG = "py3-none-manylinux_2_17_x86_64"
WHEELS = ("libraries",)  # the modules of checks for which wheels bring shared libraries or programs
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


def _compile(text: str, out: Path, *options: str) -> bytes:
    compiler = shutil.which("cc") or shutil.which("clang")
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


def _wheel(folder: Path, tag: str, libraries: Callable[[Path], dict[str, bytes]]) -> None:
    """A wheel with libraries and programs among its data."""
    folder.mkdir()
    information = "files_native-1.0.dist-info"
    programs = {
        "files_native/program": _compile(PROGRAM, folder / "program"),
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
            member.external_attr = (0o100755 if path in programs else 0o100644) << 16
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


def _build(folder: Path, settings: str = "") -> Path:
    project = _project(folder, settings)
    _wheel(folder / "wheels", TAG, _libraries)
    return build(project, env={"UV_FIND_LINKS": str(folder / "wheels")})


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


def _names(without: Sequence[str] = ()) -> list[str]:
    return [
        name
        for module in sorted((SOURCE / "src" / "files_app").glob("*.py"))
        if module.stem not in without
        for name in re.findall(r"^def check_(\w+)", module.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def _checked(
    scratch: Path, executable: Path, *modules: str, before: Sequence[str] = ()
) -> dict[str, str | None]:
    """What came of the checks: None, or the traceback."""
    scratch.mkdir()
    done = subprocess.run(
        [*before, executable, *modules],
        env={**os.environ, "FILES_SCRATCH": str(scratch)},
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def results(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    return _checked(tmp_path_factory.mktemp("files") / "scratch", executable)


@pytest.mark.parametrize("name", _names())
def test_check(results: dict[str, str | None], name: str) -> None:
    assert results[name] is None, results[name]


@pytest.mark.parametrize("target", [name for name, row in targets.load().items() if row.static])
def test_static(tmp_path: Path, target: str) -> None:
    """The same where the linker puts the files before libc's functions, not the dynamic linker."""
    executable = _build_static(tmp_path, target)
    modules = [module.stem for module in sorted((SOURCE / "src" / "files_app").glob("*.py"))]
    checks = [name for name in modules if name not in WHEELS and _names([*(set(modules) - {name})])]
    results = _checked(tmp_path / "scratch", executable, *checks)
    assert sorted(results) == sorted(_names(WHEELS))
    assert {name: text for name, text in results.items() if text} == {}


def test_compressed(tmp_path: Path) -> None:
    """The same, with files that must be decoded: also for other programs, in the child that becomes one."""
    executable = _build(tmp_path, 'compression = "zstd"\n')
    results = _checked(tmp_path / "scratch", executable)
    assert sorted(results) == sorted(_names())
    assert [text for text in results.values() if text] == []


def test_path_that_is_not_utf8(executable: Path, tmp_path: Path) -> None:
    """But for extension modules, which CPython itself loads from no such path."""
    folder = tmp_path / os.fsdecode(b"folder \xff\xfe \xc3\xa9")
    folder.mkdir()
    odd = Path(shutil.copy(executable, folder / os.fsdecode(b"app \xe9")))
    results = _checked(tmp_path / "scratch", odd, "reading", "listing", "refusing", "handing")
    assert "argument" in results
    assert [text for text in results.values() if text] == []


def test_nothing_is_extracted(executable: Path, tmp_path: Path) -> None:
    """No file or folder is made anywhere, but what the checks make in their scratch folder."""
    strace = shutil.which("strace")
    assert strace, "strace is missing: apt-get install strace"
    trace, scratch = tmp_path / "trace", tmp_path / "scratch"
    line = [strace, "-f", "-y", "-s", "4096", "-e", "trace=%file", "-o", str(trace)]
    results = _checked(scratch, executable, "reading", "linked", "libraries", "handing", before=line)
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
