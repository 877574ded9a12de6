"""Child processes that end with us: stopped as a group, and killed when oxcross itself is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

STOPPED = -signal.SIGKILL

# It reads from a pipe that only oxcross holds open: the end of the pipe is the end of oxcross.
_WATCHDOG = 'read -r _; kill -s KILL -- "-$1"'


class Processes:
    """Runs programs, each in a session of its own. Safe for several threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._running: set[int] = set()
        self._stopped = False

    def run(self, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: BinaryIO) -> int:
        """Run to the end; the exit status, negative for a signal. stdin is empty, umask 022.

        Whatever the program left running in its session is killed.
        """
        with self._mutex:
            if self._stopped:
                return STOPPED
            process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o022,
            )
            self._running.add(process.pid)
        try:
            with subprocess.Popen(
                ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(process.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            ) as watchdog:
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
                watchdog.kill()
        finally:
            with self._mutex:  # the pid stays ours until it is reaped here
                self._running.discard(process.pid)
                _kill(process.pid)
                status = process.wait()
        return status

    def allow(self) -> None:
        """Let programs be started again after ``stop``."""
        with self._mutex:
            self._stopped = False

    def stop(self) -> None:
        """Kill every running program with its group, and start no more until ``allow``."""
        with self._mutex:
            self._stopped = True
            for pid in self._running:
                _kill(pid)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
