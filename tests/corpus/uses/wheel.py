"""Wheels unpacked, changed, packed, tagged and converted by ``python -m wheel``."""

from __future__ import annotations

import zipfile
from pathlib import Path

import wheel
from wheel import wheelfile

from uses import helpers
from uses import pip as makes


def main() -> None:
    path = makes.wheel("alpha")
    print(wheel.__version__, path)
    with wheelfile.WheelFile(path) as archive:
        print(archive.parsed_filename.groupdict(), archive.read("alpha/data.txt"), len(archive.namelist()))
    print(helpers.python("-m", "wheel", "unpack", path))
    Path("alpha-1.0/alpha/new.py").write_text("x = 1\n", newline="\n")
    print(helpers.python("-m", "wheel", "pack", "--build-number", "5", "alpha-1.0"))
    print(
        helpers.python(
            "-m", "wheel", "tags", "--python-tag", "py312.py313", "--platform-tag", "linux_x86_64", path
        )
    )
    print(sorted(one.name for one in Path().glob("*.whl")), helpers.python("-m", "wheel", "version"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("alpha/data.txt.more", "not in RECORD")
    try:
        with wheelfile.WheelFile(path) as archive:
            archive.read("alpha/data.txt.more")
    except wheelfile.WheelError as error:
        print(error)
    with wheelfile.WheelFile("beta-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("beta/__init__.py", "")
        archive.writestr("beta-1.0.dist-info/METADATA", "Name: beta\n")
    with zipfile.ZipFile("beta-1.0-py3-none-any.whl") as archive:
        print(archive.read("beta-1.0.dist-info/RECORD").decode())
