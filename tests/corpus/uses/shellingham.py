"""The shell above this process found through /proc and ps, and the refusal without one."""

from __future__ import annotations

import os
import subprocess
import sys

import shellingham
from shellingham import posix

from uses import helpers

ASK = "import shellingham; print(shellingham.detect_shell()[0])"


def main() -> None:
    print(shellingham.__version__, posix.__file__)
    for shell in ("bash", "sh"):
        done = subprocess.run(
            [shell, "-c", f'"{sys.executable}" -c "{ASK}"; exit 3'],
            capture_output=True,
            text=True,
            check=False,
        )
        print(shell, done.returncode, done.stdout.strip(), done.stderr.strip()[-60:])
    print(
        posix._get_login_shell("-bash"),
        helpers.python("-c", "import shellingham.posix.proc; print(shellingham.posix.proc.__name__)"),
    )
    try:
        print(posix.get_shell(os.getpid(), max_depth=0))
    except TypeError as error:
        print(error)
    print(issubclass(shellingham.ShellDetectionFailure, EnvironmentError))
