"""A terminal for programs that say more, or other things, on one."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path


def on_a_terminal(line: Sequence[str | Path], **env: str) -> str:
    """What a command prints to a pseudo-terminal."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        line,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **env},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says EIO when the last writer has left
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert done.wait(30) == 0, shown.decode()
    return shown.decode()
