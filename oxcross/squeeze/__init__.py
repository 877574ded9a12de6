"""Makes the compressed launcher: which parts of it are stored compressed, and how they are entered.

Run by the ``squeeze`` step, twice: ``plan`` reads a launcher that was linked with its relocations and a map, and
writes a linker script that gives each group (groups.toml) a range of its own; ``split`` reads the launcher that was
linked with that script, takes the groups out, and writes the table that launcher/groups.h defines.

The modules here import nothing else of oxcross but ``oxcross.elf``: they run with the Python of the build.
"""

from __future__ import annotations

from pathlib import Path

_MAIN = b"from oxcross.squeeze.main import main\n\nmain()\n"


def tool() -> dict[str, bytes]:
    """The files of a folder that Python runs. ``start.txt`` names the functions of libpython that ran when programs of one
    line did (counted by callgrind in a launcher with symbols); what it lacks costs time, no more.
    """
    here = Path(__file__).resolve().parent
    names = ("main", "linked", "machine", "groups", "script", "split", "write")
    found = {f"oxcross/squeeze/{name}.py": (here / f"{name}.py").read_bytes() for name in names}
    found["oxcross/elf.py"] = (here.parent / "elf.py").read_bytes()
    found["oxcross/squeeze/groups.toml"] = (here / "groups.toml").read_bytes()
    found["oxcross/squeeze/start.txt"] = (here / "start.txt").read_bytes()
    return {"__main__.py": _MAIN, "oxcross/__init__.py": b"", "oxcross/squeeze/__init__.py": b"", **found}
