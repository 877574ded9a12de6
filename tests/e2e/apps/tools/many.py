"""Two commands: one tells what it was given, the other starts itself again."""

from __future__ import annotations

import os
import subprocess
import sys


def tell() -> int:
    """Print what the command sees; with the argument ``file`` also where it lies."""
    print("tell", sys.argv[0], sys.argv[1:])
    if sys.argv[1:] == ["file"]:
        print(__file__, sys.executable, os.path.exists(sys.argv[0]), sep="\n")
    return len(sys.argv) - 1


def again() -> int:
    """Print what the command sees; then, in the way that AGAIN says, start a second process."""
    print("again", sys.argv[0], sys.argv[1:], flush=True)
    lines = {
        "script": [sys.executable, *sys.argv],  # Django's reloader
        "arguments": [sys.executable, *sys.argv[1:]],  # programs made for PyInstaller
        "original": [sys.executable, *sys.orig_argv[1:]],  # werkzeug's
        "file": sys.argv,  # a link's path, or one below the executable
        "replace": [sys.executable, *sys.argv],  # gunicorn's
        "python": [sys.executable, "-c", "import sys; print('python', sys.executable, sys.argv)", "tell"],
    }
    way = os.environ.pop("AGAIN", None)
    if way == "replace":
        os.execv(sys.executable, lines[way])
    if way == "file":
        os.posix_spawn(sys.argv[0], sys.argv, os.environ)
        os.wait()
        os.environ["PATH"] = os.path.dirname(sys.argv[0])
        os.execvp("again", sys.argv)
    if way:
        subprocess.run(lines[way], check=False)
    return len(sys.argv) - 1
