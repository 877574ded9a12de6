"""An application that starts itself, with options of its own that look like Python's.

What it is and what it was given is printed by every process, so that a test sees who ran.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import tempfile

from teamwork import cube


def start(*arguments: str, **options: object) -> int:
    """Run ``sys.executable``; its output comes after ours."""
    sys.stdout.flush()
    return subprocess.run([sys.executable, *arguments], check=False, **options).returncode  # type: ignore[call-overload]


def main() -> int:
    """Run the application; returns the exit status."""
    print("application", sys.argv[1:], flush=True)
    match sys.argv[1:]:
        case ["children"]:
            start("-c", "settings.toml")
            start("-m", "a message")
            start("-v", "-c", "prod")
            start("-", "-I")
            start("-h")
            start("-v")
            start("--multiprocessing-fork", "always")
            start("worker", "-m", "teamwork.tell")
            start("letter.txt")
            with tempfile.TemporaryDirectory() as folder:
                os.symlink(sys.executable, f"{folder}/link")
                subprocess.run([f"{folder}/link", "-m", "teamwork.tell"], check=False)
            place, name = os.path.split(sys.executable)
            subprocess.run([name, "-c", "import sys"], env={**os.environ, "PATH": place}, check=False)
        case ["python"]:
            start("-c", "print('python', __name__)")
            start("-I", "-c", "print('python', __name__)", env={})
            start("-m", "teamwork.tell")
            shell = f"'{sys.executable}' -m teamwork.tell a; exit $?"
            subprocess.run(["env", "-i", "/bin/sh", "-c", shell], check=False)
        case ["down", number] if int(number) > 0:
            return start("down", str(int(number) - 1)) + 1
        case ["loop"]:
            return start("loop")
        case ["-c", "print('python')"] if "RELOADED" not in os.environ:
            return start(*sys.argv[1:], env={**os.environ, "RELOADED": "1"})
        case ["replace", number] if int(number) > 0:
            os.execv(sys.executable, [sys.executable, "replace", str(int(number) - 1)])
        case ["itself", *_] if "RELOADED" not in os.environ:
            os.environ["RELOADED"] = "1"
            os.execv(sys.executable, [sys.executable, *sys.argv])
        case ["pools"]:
            for method in ("spawn", "forkserver", "fork"):
                context = multiprocessing.get_context(method)
                with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as workers:
                    print(method, list(workers.map(cube, range(4))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
