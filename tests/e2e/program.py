"""The oxcross program as the end-to-end tests call it: a process, as a user runs it."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oxcross import targets

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
APPS = HERE / "apps"
# The POSIX systems' targets whose programs the kernel starts here, some by an emulator or loader (conftest.emulated).
POSIX = [row.name for row in targets.load().values() if row.os == "linux" or row.name == "macos-x64"]


def oxcross(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 3000
) -> subprocess.CompletedProcess[str]:
    """Run the oxcross program as a user does; the caller looks at its exit status."""
    return subprocess.run(
        [sys.executable, "-m", "oxcross", *arguments],
        cwd=cwd or REPOSITORY,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def build(
    project: Path, *arguments: str, target: str = "linux-x64", env: Mapping[str, str] | None = None
) -> Path:
    """Build ``project`` for one target and return the executable's path."""
    done = oxcross("build", "--project", str(project), "--targets", target, "--json", *arguments, env=env)
    assert done.returncode == 0, done.stderr[-8000:]
    artifacts: list[dict[str, Any]] = json.loads(done.stdout)["artifacts"]
    assert [artifact["target"] for artifact in artifacts] == [target]
    return Path(artifacts[0]["path"])


@functools.cache
def reference_python() -> Path:
    """The CPython that linux-x64 executables are made of, as a plain interpreter with its library on disk.

    A copy: it writes its bytecode beside the library, and nothing may change in the store.
    """
    done = oxcross("cache", "path", "linux-x64/cpython")
    assert done.returncode == 0, done.stderr
    folder = Path(tempfile.mkdtemp(prefix="oxcross-reference-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    built = Path(done.stdout.strip())
    for part in ("bin", "lib"):
        shutil.copytree(built / part, folder / part, ignore=shutil.ignore_patterns("*.a"))
    return next((folder / "bin").glob("python3.??"))


def get(url: str) -> tuple[int, str]:
    """Status and text of an HTTP answer."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
