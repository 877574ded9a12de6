"""Objects of extension modules: isolated ones are linked side by side, whatever names they have inside."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import lief
import pytest
import wheels

SCRIPTS = Path(__file__).resolve().parents[2] / "templates" / "extension"

# A function, a variable, a thread-local one and a comdat group, under the same names in each module.
MODULE = """
#include <stdio.h>
int counter = {number};
_Thread_local int own = 10 * {number};
__attribute__((weak)) int weak(void) {{ return counter++; }}
__asm__(".section .text.shared,\\"axG\\",@progbits,shared,comdat\\n.weak shared\\n.type shared, @function\\n"
        "shared:\\n call helper\\n ret\\n.previous");
extern int shared(void);
int helper(void) {{ return weak() + own; }}
int (*table[])(void) = {{helper, shared}};
void *PyInit__speedups(void) {{ printf("{name} %d %d\\n", table[0](), table[1]()); return table; }}
"""


def script(name: str) -> Any:
    """A module of the build step's scripts."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for their module there
    spec.loader.exec_module(module)
    return module


isolate = script("isolate")
link = script("link")
harvest = script("harvest")


def compiled(folder: Path, name: str, source: str, *flags: str) -> Path:
    """One relocatable object of ``source``, as the step's linker makes it."""
    compiler = shutil.which("cc")
    assert compiler, "these tests need a C compiler: apt-get install gcc"
    (folder / f"{name}.c").write_text(source)
    line: list[str | Path] = [
        compiler,
        "-O1",
        "-fPIE",
        "-ffunction-sections",
        *flags,
        "-c",
        folder / f"{name}.c",
    ]
    subprocess.run([*line, "-o", folder / f"{name}.1.o"], check=True)
    subprocess.run(
        [compiler, "-r", "-nostdlib", folder / f"{name}.1.o", "-o", folder / f"{name}.o"], check=True
    )
    return folder / f"{name}.o"


def test_two_modules_with_the_same_names(tmp_path: Path) -> None:
    objects = []
    for number, name in enumerate(("a._speedups", "b._speedups")):
        made = compiled(tmp_path, name[0], MODULE.format(number=number + 1, name=name)).read_bytes()
        assert "printf" in isolate.undefined(made)
        assert "helper" not in isolate.undefined(made)
        path = tmp_path / f"{name}.o"
        path.write_bytes(isolate.isolate(made, "PyInit__speedups", f"PyInit.{name}"))
        objects.append(path)
    main = """
        void *a(void) __asm__("PyInit.a._speedups");
        void *b(void) __asm__("PyInit.b._speedups");
        int main(void) { return a() == b(); }
    """
    (tmp_path / "main.c").write_text(main)
    subprocess.run(
        ["cc", "-fPIE", "-pie", tmp_path / "main.c", *objects, "-o", tmp_path / "main"], check=True
    )
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.splitlines()) in (
        ["a._speedups 11 12", "b._speedups 22 23"],
        ["a._speedups 12 11", "b._speedups 23 22"],
    )


def test_only_the_init_function_stays_global(tmp_path: Path) -> None:
    made = compiled(tmp_path, "a", MODULE.format(number=1, name="a")).read_bytes()
    path = tmp_path / "isolated.o"
    path.write_bytes(isolate.isolate(made, "PyInit__speedups", "PyInit.a._speedups"))
    file = lief.ELF.parse(str(path))
    assert file is not None
    bindings = {str(one.name): one.binding for one in file.symtab_symbols if one.shndx != 0}
    shown = [name for name, binding in bindings.items() if binding != lief.ELF.Symbol.BINDING.LOCAL]
    assert shown == ["PyInit.a._speedups"]
    assert not any(section.type == lief.ELF.Section.TYPE.GROUP for section in file.sections)
    assert isolate.isolate(made, "PyInit__speedups", "PyInit.a._speedups") == path.read_bytes()


def test_what_is_no_extension_module(tmp_path: Path) -> None:
    made = compiled(tmp_path, "a", "int x(void) { return 1; }").read_bytes()
    with pytest.raises(isolate.ObjectError, match="no function PyInit_a"):
        isolate.isolate(made, "PyInit_a", "PyInit.a")
    common = compiled(tmp_path, "c", "int shared; void *PyInit_c(void) { return &shared; }", "-fcommon")
    with pytest.raises(isolate.ObjectError, match="shared is a common symbol"):
        isolate.isolate(common.read_bytes(), "PyInit_c", "PyInit.c")
    for wrong in (b"", b"\x7fELF", b"MZ" + bytes(100)):
        with pytest.raises(isolate.ObjectError):
            isolate.isolate(wrong, "PyInit_a", "PyInit.a")


def test_link_lines(tmp_path: Path) -> None:
    (tmp_path / "libyaml.a").touch()
    line = link.read(
        [
            "-shared",
            "-Wl,-O1",
            "-pthread",
            "a.o",
            "-I",
            "x",
            "b.c",
            "-L",
            str(tmp_path),
            "-lyaml",
            "-lm",
            "-o",
            "m.so",
        ]
    )
    assert (line.output, line.sources, line.flags) == ("m.so", ["b.c"], ["-I", "x"])
    assert link.located(line, [], "") == ["a.o", str(tmp_path / "libyaml.a")]
    with pytest.raises(
        SystemExit, match=r"m\.so asks for libfoo\.a, libbar\.a, which this target does not have"
    ):
        link.located(link.read(["-o", "m.so", "-lfoo", "-l", "bar"]), [str(tmp_path)], "")
    (tmp_path / "words").write_text("a.o -lyaml")
    assert link.located(link.read([f"@{tmp_path / 'words'}"]), [str(tmp_path)], "") == [
        "a.o",
        str(tmp_path / "libyaml.a"),
    ]
    (tmp_path / "libc++.a").touch()
    assert link.located(link.read(["a.o", "-lstdc++"]), [], str(tmp_path)) == [
        "a.o",
        str(tmp_path / "libc++.a"),
        str(tmp_path / "libyaml.a"),
    ]


def test_a_wheel_is_taken_apart(tmp_path: Path) -> None:
    made = compiled(tmp_path, "a", MODULE.format(number=1, name="a")).read_bytes()
    suffix = ".cpython-313-x86_64-linux-gnu.so"
    files = {
        "one/__init__.py": b"",
        f"one/_speedups{suffix}": made,
        "two/_speedups.abi3.so": made,
        "one-1.0.data/scripts/tool": b"#!python",
        "one-1.0.data/headers/one.h": b"",
    }
    wheel = wheels.make(tmp_path / "wheels", "one", files=files)
    harvest.harvest(wheel, tmp_path / "out", [suffix, ".abi3.so", ".so"])
    tree = tmp_path / "out" / "tree"
    assert (tmp_path / "out" / "modules").read_text() == "one._speedups\ntwo._speedups\n"
    assert sorted(path.name for path in (tmp_path / "out" / "objects").iterdir()) == [
        "one._speedups.o",
        "two._speedups.o",
    ]
    assert (tree / f"one/_speedups{suffix}").read_bytes() == b""
    assert (tree / "bin" / "tool").is_file()
    record = (tree / "one-1.0.dist-info" / "RECORD").read_text().splitlines()
    assert f"one/_speedups{suffix},sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0" in record
    assert {row.partition(",")[0] for row in record} == {
        path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()
    }


def test_a_library_that_is_no_extension_module(tmp_path: Path) -> None:
    made = compiled(tmp_path, "a", "int x(void) { return 1; }").read_bytes()
    wheel = wheels.make(tmp_path / "wheels", "one", files={"one/lib-x.so": made})
    with pytest.raises(SystemExit, match=r"one/lib-x\.so is a shared library, but no extension module"):
        harvest.harvest(wheel, tmp_path / "out", [".so"])
    wheel = wheels.make(tmp_path / "wheels", "two", files={"two/libx.so": made})
    with pytest.raises(SystemExit, match=r"two/libx\.so cannot be linked .*: it has no function PyInit_libx"):
        harvest.harvest(wheel, tmp_path / "out2", [".so"])
