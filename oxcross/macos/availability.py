"""Finds out which symbols of macOS's C library are newer than the oldest macOS that oxcross knows, from the headers.

Apple's headers say of each function and variable since when it is there (``__API_AVAILABLE(macos(12.0))``,
``__OSX_AVAILABLE``), and clang knows what that comes to, and what the symbol's name is. So all headers are read by clang, and
what it understood is read here. It is run by hand when the compiler's headers are newer than the table:

    python -m oxcross.macos.availability path/to/zig > oxcross/inspect/macos_newer.toml
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

_HEADERS = Path("lib/libc/include/any-darwin-any")  # beside zig
_ARCHES = ("x86_64", "aarch64")
FLOOR = (11, 0)  # of targets.toml: what is not newer than this has no row

# A line of clang's tree: a declaration that is in no other, or an attribute of it.
_DECLARATION = re.compile(
    r"[|`]-(\w+)Decl 0x[0-9a-f]+ (?:prev 0x[0-9a-f]+ )?<[^>]*(?:<[^>]*>[^>]*)*> \S+ (?:(?:implicit|used|referenced|invalid) )*(\w+) '(.*)"
)
_ATTRIBUTE = re.compile(r"[| ] [|`]-(AvailabilityAttr|AsmLabelAttr) 0x[0-9a-f]+ (.*)")
_SINCE = re.compile(r"\bmacos (\d+(?:\.\d+)*) ")
_LABEL = re.compile(r'"([^"]+)"')
_COMMENT = """\
# The functions and variables of macOS's libraries that are newer than macOS {floor}: since which version each is there, by
# the headers of {version} (oxcross/macos/availability.py made this).
"""

Version = tuple[int, ...]


def symbols(tree: Iterable[str]) -> dict[str, Version]:
    """The symbols of clang's ``-ast-dump`` that say since which macOS they are there, as they are written in files."""
    found: dict[str, Version] = {}
    name, since = "", None
    for line in [*tree, "`-EndDecl"]:
        if line.startswith(("|-", "`-")):
            if name and since:
                found[name] = min(since, found.get(name, since))
            declared = _DECLARATION.match(line)
            known = (
                declared is not None and declared[1] in {"Function", "Var"} and " static" not in declared[3]
            )
            name, since = (f"_{declared[2]}" if declared and known else ""), None
        elif attribute := _ATTRIBUTE.match(line):
            if attribute[1] == "AsmLabelAttr" and name and (label := _LABEL.search(attribute[2])):
                name = label[1]
            elif version := _SINCE.search(attribute[2]):
                since = tuple(map(int, version[1].split(".")))
    return found


def of_compiler(zig: Path) -> dict[str, Version]:
    """The symbols of the headers that zig brings. Headers that cannot be read for themselves are read where others include
    them.
    """
    folder = zig.resolve().parent / _HEADERS
    headers = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.h"))
    found: dict[str, Version] = {}
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "all.c"
        source.write_text("".join(f"#include <{name}>\n" for name in headers), encoding="utf-8")
        for arch in _ARCHES:
            line = [
                str(zig.resolve()),
                "cc",
                "-target",
                f"{arch}-macos",
                "-fsyntax-only",
                "-w",
                "-ferror-limit=0",
            ]
            with subprocess.Popen(
                [*line, "-Xclang", "-ast-dump", source.name],
                cwd=scratch,  # zig leaves an empty a.out
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
            ) as clang:
                for name, since in symbols(clang.stdout or ()).items():
                    found[name] = min(since, found.get(name, since))
    return found


def render(found: dict[str, Version], version: str) -> Iterator[str]:
    """The table's text, by version."""
    yield _COMMENT.format(floor=".".join(map(str, FLOOR)), version=version)
    rows = sorted((since, name) for name, since in found.items() if since > FLOOR)
    for since, group in groupby(rows, key=lambda row: row[0]):
        names = "".join(f'    "{name}",\n' for _, name in group)
        yield f'"{".".join(map(str, since))}" = [\n{names}]\n'


def main() -> None:
    """See above."""
    zig = Path(sys.argv[1])
    done = subprocess.run([str(zig), "version"], stdout=subprocess.PIPE, text=True, check=True)
    sys.stdout.write("\n".join(render(of_compiler(zig), f"zig {done.stdout.strip()}")))


if __name__ == "__main__":
    main()
