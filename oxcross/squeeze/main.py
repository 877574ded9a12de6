"""The two commands that the ``squeeze`` step runs: ``plan`` and ``split``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from oxcross.elf import ElfError
from oxcross.squeeze.groups import START, assign, graph
from oxcross.squeeze.linked import Linked, read_map
from oxcross.squeeze.machine import MACHINES
from oxcross.squeeze.script import script
from oxcross.squeeze.write import write

_USAGE = "usage: plan LAUNCHER MAP SCRIPT | split LAUNCHER FRAME-PROGRAM OUT"


def main() -> None:
    """Run the command of sys.argv; what is wrong with a launcher ends the step."""
    try:
        match sys.argv[1:]:
            case ["plan", launcher, listed, out]:
                plan(Path(launcher), Path(listed), Path(out))
            case ["split", launcher, frame, out]:
                split(Path(launcher), frame, Path(out))
            case _:
                sys.exit(_USAGE)
    except ElfError as error:
        sys.exit(f"squeeze: {error}")


def plan(launcher: Path, listed: Path, out: Path) -> None:
    """Write the linker script; ``listed`` is the map of the launcher's link."""
    here = Path(__file__).parent
    known = tomllib.loads((here / "groups.toml").read_text(encoding="utf-8"))
    start = (here / "start.txt").read_text(encoding="utf-8").split()
    linked = Linked(launcher.read_bytes())
    machine = MACHINES[linked.elf.arch]
    whole = graph(linked, read_map(listed), machine)
    modules = {name: row["modules"] for name, row in known.items()}
    groups = assign(linked, whole, modules, frozenset(start))
    out.write_text(script(linked, whole, groups, machine.page), encoding="utf-8")


def split(launcher: Path, frame: str, out: Path) -> None:
    """Write the compressed launcher; ``frame`` is the program that makes zstd frames (launcher/squeeze/frame.c)."""

    def compress(data: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            plain, stored = Path(folder) / "plain", Path(folder) / "stored"
            plain.write_bytes(data)
            subprocess.run([frame, plain, stored], check=True)
            return stored.read_bytes()

    out.write_bytes(write(Linked(launcher.read_bytes()), frozenset({START}), compress))
    out.chmod(0o755)
