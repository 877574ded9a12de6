"""CPython's own tests inside an executable for macOS, under the loader in tests/macho, against the list of what becomes of
them: macho.toml.

``./invoke regrtest --macos`` runs all; names of files behind ``--`` run only those. With ``--update`` MACOS.md is written anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import drive
import listed
from listed import Outcome, System

_HERE = Path(__file__).parent
SYSTEM = System(
    table=_HERE / "macho.toml",
    results=_HERE / "MACOS.md",
    head="""# CPython's own tests inside an executable for macOS

CPython {version}, macos-x64, under {under}, without the resources that `python -m test` asks for with `-u`. That is evidence
about oxcross's own code, and none about macOS: dyld, libSystem and the kernel are not there. `otherwise` are expected failures and
the tests that `macho.toml` lists, each with what becomes of it and the reason. Made by `./invoke regrtest --macos --update`.
""",
    causes={
        "loader": "what {under} lacks or does otherwise than macOS",
        "linux": "what Linux, which is below it, does otherwise than macOS",
        "executable": "what differs because everything is in the executable",
        "libraries": "what comes of the libraries that are linked in, in the place of macOS' own",
        "absent": "what the C modules of CPython's tests are needed for, which are not built",
    },
)
_COMMANDS = _HERE / "commands"  # what macOS has and the tests ask
_JOBS = 3  # files at a time: they wait more than they compute


def prepare(folder: Path) -> Path:
    """Build the executable in the empty ``folder``. Its resources are compressed: platform.libc_ver() searches programs for
    texts that the tests have.
    """
    return listed.build_executable(folder, "macos-x64", 'compression = "zstd-resources"\n')


def run(executable: Path, files: Sequence[str] = (), jobs: int = _JOBS) -> Outcome:
    """Run the files (default: all that are listed)."""
    known = listed.known(SYSTEM)
    command = [str(executable)]
    path = f"{_COMMANDS}:{os.environ['PATH']}"
    told = subprocess.run(
        [*command, "/none", "--list-tests", *(files or known.files)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    wanted = [known.job(name) for name in told.stdout.split()]
    return listed.compare(
        known, wanted, lambda some, alone: drive.run(command, some, 1 if alone else jobs, path)
    )


if __name__ == "__main__":
    sys.exit(listed.main(SYSTEM, run, prepare, _JOBS))
