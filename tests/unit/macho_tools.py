"""Small launchers for macOS, compiled and linked for tests; and what test files link and read them with.

Compiler and linker are asked for by ``toolchain`` alone.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from oxcross import build, link, recipes, report, targets
from oxcross.link.macho import Settings
from oxcross.macho import Macho
from oxcross.store import Store

MACOS = {"x86_64": targets.get("macos-x64"), "aarch64": targets.get("macos-arm64")}
UNIVERSAL = targets.get("macos-universal2")
ARCHES = tuple(MACOS)
FLAGS = ("-adhoc_codesign", "-segprot", "__OXBLOB", "r", "r")

# It writes its blob to standard output. What it does not use is there to be moved: pointers to be rebased and bound, zeros,
# symbols, a weak one.
PROGRAM = r"""
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <mach-o/loader.h>
extern const struct mach_header_64 _mh_execute_header;
__attribute__((used)) static volatile const struct {
    unsigned char magic[16];
    uint64_t address, size, offset, end;
} locator = {"OXCROSS-LOCATOR\n", 0, 0, 0, 0};
extern int preadv(int, const void *, int, long long) __attribute__((weak_import));
const char *const names[] = {"first", "second"};
int (*const writer)(const char *) = puts;
static char zeros[100000];
char *zero(int at) { return zeros + at; }
_Thread_local int own = 7;
int main(void)
{
    const char *blob = (const char *)&_mh_execute_header + locator.address;
    return write(1, blob, locator.size) < 0 || own != 7 || (preadv && names[0] == zero(1));
}
"""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """``libraries`` is the folder of libSystem.tbd."""

    compiler: str
    linker: str
    libraries: Path


@cache
def toolchain(arch: str) -> Toolchain:
    """The compiler and the linker of a macOS target: its toolchain step's, from the user's own store."""
    step = recipes.toolchain(MACOS[arch])
    with Store() as store, report.terminal() as terminal:
        tree = build.workshop(store, terminal).make([step])[step]
    host = MACOS[arch].build["darwin"]
    libraries = next((tree / "SDK").glob("MacOSX*.sdk")) / "usr/lib"
    return Toolchain(f"{tree}/bin/{host}-clang", f"{tree}/bin/{host}-ld", libraries)


@cache
def launcher(
    arch: str, *flags: str, source: str = PROGRAM, floor: str = "11.0", section: str = "__OXBLOB,__blob"
) -> bytes:
    """A launcher without a blob, linked with FLAGS and these."""
    tools = toolchain(arch)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "main.c").write_text(source, encoding="utf-8")
        (folder / "page").write_bytes(b"spare")
        _run(folder, tools.compiler, f"-mmacosx-version-min={floor}", "-w", "-O1", "-g0", "-c", "main.c")
        machine = {"aarch64": "arm64"}.get(arch, arch)
        _run(
            folder, tools.linker, "-arch", machine, "-platform_version", "macos", floor, floor,
            f"-L{tools.libraries}", "-lSystem", "-sectcreate", *section.split(","), "page",
            *(flags if "-no_flags" in flags[:1] else (*FLAGS, *flags)), "main.o", "-o", "launcher",
        )  # fmt: skip
        return (folder / "launcher").read_bytes()


def _run(folder: Path, *line: str) -> None:
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def attach(
    folder: Path,
    image: bytes,
    blob: bytes = b"BLOBDATA" * 9000,
    arch: str = "x86_64",
    settings: Settings | None = None,
) -> link.Linked:
    """An executable in ``folder``."""
    (folder / "launcher").write_bytes(image)
    (folder / "blob").write_bytes(blob)
    out = folder / "out" / arch
    return link.attach(folder / "launcher", folder / "blob", out, MACOS[arch], macos=settings or Settings())


def read(path: Path) -> Macho:
    return Macho(path.read_bytes())
