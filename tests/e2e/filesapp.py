"""The application of checks of files, with the wheels that it needs: built here from C, for each system."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from macho_tools import toolchain
from program import APPS, build

from oxcross.collect import distributions

SOURCE = APPS / "files"
TAGS = {"linux-x64": "py3-none-manylinux_2_17_x86_64", "macos-x64": "py3-none-macosx_11_0_x86_64"}
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


def built(folder: Path, target: str, settings: str = "") -> Path:
    """The executable for a target that loads shared libraries."""
    project = _project(folder, settings)
    _wheel(folder / "wheels", TAGS[target], _dylibs if target == "macos-x64" else _libraries)
    return build(project, target=target, env={"UV_FIND_LINKS": str(folder / "wheels")})


def built_static(folder: Path, target: str) -> Path:
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
