"""Executables for Windows, run under wine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from oxcross import runner, targets

TARGET = targets.get("win-x64")
_LOST = "wine client error:0: recvmsg: Connection reset by peer"


def windows_path(path: Path) -> str:
    """The path as programs under wine see it: drive Z is this machine's root."""
    return "Z:" + str(path).replace("/", "\\")


def run(
    executable: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 120,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run an executable to its end; its streams are pipes, and their texts UTF-8."""

    def once() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            runner.line(TARGET, executable, *arguments),
            env={**runner.environment(TARGET), **(env or {})},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
            cwd=cwd,
        )

    done = once()
    # Wine's loader lost its server, which ends a while after its last program, before the executable began.
    return once() if not done.stdout and done.stderr.startswith(_LOST) else done
