"""The seeds' wheels verified, interpreters described, and an environment of the system's Python made and used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import virtualenv
from virtualenv import cli_run, session_via_cli
from virtualenv.seed.wheels import embed

from uses import helpers

OFFLINE = ["--no-download", "--no-periodic-update"]


def main() -> None:
    points = metadata.entry_points(group="virtualenv.activate")
    print(virtualenv.__version__, sorted(point.name for point in points))
    for name, version in sorted(embed.BUNDLE_SUPPORT.get("3.13", {}).items()):
        found = embed.get_embed_wheel(name, "3.13")
        print(name, version, found.path.is_file() if found else None)
    session = session_via_cli(["planned", "--without-pip", "--activators", "bash,python", *OFFLINE])
    print(session.interpreter.version_info.minor, session.interpreter.implementation, session.creator.dest)
    print(session.interpreter.executable == sys.executable, Path("planned").exists())
    # Not this Python: an executable is no interpreter to be linked into an environment.
    system = shutil.which("python3", path=os.defpath)
    made = cli_run(["made", "-p", str(system or shutil.which("python3")), "--app-data", "cache", *OFFLINE])
    print(sorted(path.name for path in made.creator.bin_dir.glob("activate*")))
    code = "import pip, sys; print(pip.__file__, sys.prefix != sys.base_prefix)"
    done = subprocess.run([made.creator.exe, "-I", "-c", code], capture_output=True, text=True, check=False)
    print(done.returncode, done.stdout, done.stderr)
    print(helpers.python("-m", "virtualenv", "--version").split(" from ")[0])
    print(helpers.python("-m", "virtualenv", "--help").splitlines()[0])
