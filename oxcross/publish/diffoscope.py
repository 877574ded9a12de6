"""diffoscope on what differs, where it is installed: its whole answer in a file, the beginning of it for people.

It is given the pieces that differ rather than executables of 30 MB, which it would take minutes to take apart.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from oxcross.publish.contained import Pieces
from oxcross.publish.difference import Explained

_PROGRAM: Final = "diffoscope"
_SECONDS: Final = 120
_MOST_LINES: Final = 25
_LONGEST: Final = 160  # characters of a line
_DIFFERENT: Final = 1  # its exit status when the files differ


def look(released: Path, rebuilt: Path, explained: Explained, out: Path) -> list[str]:
    """The beginning of diffoscope's answer, which ``out`` has all of; nothing where there is no diffoscope, or no need."""
    if explained.complete or shutil.which(_PROGRAM) is None:
        return []
    with tempfile.TemporaryDirectory(prefix="oxcross-") as name:
        for side, path, pieces in (
            ("released", released, explained.released),
            ("rebuilt", rebuilt, explained.rebuilt),
        ):
            Path(name, side).mkdir()
            if explained.released or explained.rebuilt:
                _lay_out(pieces, Path(name, side))
            else:
                shutil.copyfile(path, Path(name, side, released.name))
        line = [_PROGRAM, "--no-progress", "--exclude-directory-metadata=yes", f"--timeout={_SECONDS // 2}"]
        line += ["--text-color=never", "--text", str(out), "released", "rebuilt"]
        try:
            done = subprocess.run(
                line,
                cwd=name,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [f"{_PROGRAM} did not end in {_SECONDS} s"]
    if done.returncode != _DIFFERENT or not out.is_file():
        return [f"{_PROGRAM}: {done.stderr.strip()[-_LONGEST:] or f'exit status {done.returncode}'}"]
    lines = out.read_text(encoding="utf-8", errors="replace").splitlines()
    shown = [one[:_LONGEST] for one in lines[:_MOST_LINES]]
    return [*shown, f"… {len(lines)} lines of {_PROGRAM}: {out}"]


def _lay_out(pieces: Pieces, folder: Path) -> None:
    """A file for each piece; names may be anything, so what is no plain part of a path is replaced."""
    for kind, name in pieces:
        parts = [re.sub(r"[^\w.+-]", "_", part)[:200].lstrip(".") or "_" for part in (kind, *name.split("/"))]
        file = folder.joinpath(*parts[:-1], f"{parts[-1]}.{'code' if kind == 'module' else 'piece'}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pieces[kind, name])
