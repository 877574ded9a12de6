"""CPython's own tests inside an executable for Windows, under wine, against the list of what becomes of them: wine.toml.

``./invoke regrtest --windows`` runs all; names of files behind ``--`` run only those. With ``--update`` WINDOWS.md is written anew.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import drive
import listed
import wine_drive
from drive import Job
from listed import Outcome, System

_HERE = Path(__file__).parent
SYSTEM = System(
    table=_HERE / "wine.toml",
    results=_HERE / "WINDOWS.md",
    head="""# CPython's own tests inside an executable for Windows

CPython {version}, win-x64, under wine {under}, without the resources that `python -m test` asks for with `-u`. `otherwise` are
expected failures and the tests that `wine.toml` lists, each with what becomes of it and the reason: there is no plain CPython
for Windows here to compare with. Made by `./invoke regrtest --windows --update`.
""",
    causes={
        "wine": "what wine {under} lacks or does otherwise than Windows",
        "executable": "what differs because everything is in the executable",
        "compiler": "what comes of a build without Visual Studio",
        "time": "what takes too long under wine",
        "absent": "what the C modules of CPython's tests are needed for, which are not built",
    },
)
_JOBS = 3  # files at a time: they wait more than they compute


def prepare(folder: Path) -> Path:
    """Build the executable in the empty ``folder``."""
    return listed.build_executable(folder, wine_drive.TARGET.name)


def run(executable: Path, files: Sequence[str] = (), jobs: int = _JOBS) -> Outcome:
    """Run the files (default: all that are listed)."""
    known = listed.known(SYSTEM)
    with wine_drive.prefixes(executable, jobs) as installed:

        def execute(wanted: Sequence[Job], alone: bool) -> dict[str, drive.File]:
            return wine_drive.run(installed[:1] if alone else installed, wanted)

        wanted = [known.job(name) for name in wine_drive.listed(installed[0], files or known.files)]
        return listed.compare(known, wanted, execute)


if __name__ == "__main__":
    sys.exit(listed.main(SYSTEM, run, prepare, _JOBS))
