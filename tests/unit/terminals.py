"""Programs on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

# What would have a test see another terminal than the one that it has.
ASIDE = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "COLORTERM")


def on_a_terminal(
    line: Sequence[str | Path], env: Mapping[str, str] | None = None, *, columns: int = 100
) -> str:
    """What a command prints to a terminal of that many columns, escape sequences included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    kept = {key: value for key, value in os.environ.items() if key not in ASIDE}
    done = subprocess.Popen(
        line,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=Path(__file__).parents[2],
        env={**kept, "TERM": "xterm", **(env or {})},
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
    return shown.decode().replace("\r\n", "\n")


def script_on_a_terminal(script: str, env: Mapping[str, str] | None = None, *, columns: int = 100) -> str:
    """The same of a Python script."""
    return on_a_terminal([sys.executable, "-W", "error", "-c", script], env, columns=columns)
