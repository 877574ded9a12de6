"""uv, the program that resolves and installs wheels: where it is, how it is called, what its errors say.

Only what is not cached needs it: a rebuild from oxcross.lock and the store does without.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from oxcross.cpython import series_of
from oxcross.errors import CollectError, ToolError
from oxcross.plan import SOURCE_DATE_EPOCH
from oxcross.project import Project
from oxcross.targets import Target

# The glibc versions that uv's --python-platform knows (uv 0.9 and later).
_GLIBCS = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
_TIMEOUT = 1800.0  # seconds
_LINES = 25  # of uv's reasons are shown: a build backend can say hundreds


@cache
def find() -> str:
    """The path of uv: of the Python package, else of PATH. ToolError when there is none."""
    try:
        from uv import find_uv_bin

        return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        pass
    if found := shutil.which("uv"):
        return found
    raise ToolError(
        "uv is needed to resolve and install requirements, and is not there",
        hint=f"install it: {how_to_install()}",
    )


def how_to_install() -> str:
    """The command that gives oxcross a uv: beside it, or on PATH for its executable, which has no place for one."""
    return "pipx install uv" if getattr(sys, "frozen", False) else "python3 -m pip install uv"


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    doing: str,
    where: str,
    page: str | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run uv in ``folder``, with ``variables`` in its environment, and return its stdout.

    When it fails, CollectError with its own reasons, without its internals: ``doing`` and ``where``
    say what was to be done and for what, ``page`` what explains it.
    """
    command = [find(), "--no-progress", "--color", "never", *arguments]
    environment = {
        **os.environ,
        **variables,
        "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
        "UV_NO_WRAP": "1",  # its reasons are read line by line, whatever COLUMNS says
        "UV_PYTHON_DOWNLOADS": "never",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("VIRTUAL_ENV", None)
    if os.environ.get("OXCROSS_OFFLINE") == "1":
        environment["UV_OFFLINE"] = "1"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except OSError as error:
        raise ToolError(f"uv cannot be run: {error.strerror}", where=command[0]) from error
    except subprocess.TimeoutExpired as error:
        raise CollectError(f"{doing}: uv took longer than {_TIMEOUT:.0f} s", where=where) from error
    if done.returncode:
        said = explain(done.stderr)
        raise CollectError(f"{doing}:\n{said}", where=where, hint=hint(done.stderr), page=page)
    return done.stdout


def explain(stderr: str) -> str:
    """uv's reasons, one per line and indented."""
    lines = []
    for line in stderr.splitlines():
        text = line.strip()
        if text and not re.match(r"(warning|hint|Using|Resolved|Prepared|Downloading|Downloaded)\b", text):
            text = re.sub(r"^(error|cause|Caused by):\s*|^[\u00d7\u2502-\u257f\u2192\u25b6]+\s*", "", text)
            text = text.replace(", we can conclude that your requirements are unsatisfiable.", ".")
            lines.append(f"    {text}")
    hints = re.findall(r"^hint: (.*)", stderr, re.MULTILINE)
    lines += [
        f"    {text}" for text in hints if "Wheels are available" in text or "only found wheels" in text
    ]
    return "\n".join(lines[-_LINES:]) or "    uv gave no reason"


def hint(stderr: str) -> str:
    """The next step that fits uv's reasons."""
    if failed := re.search(r"Failed to build `([^`/]+==[^`/]+)`", stderr):
        return (
            f"{failed[1]} has no wheel for this target, and its build backend fails here: ask for a version that has one, "
            "or build the wheel and name its folder in UV_FIND_LINKS"
        )
    if re.search(r"no (usable )?wheels|no matching|matching (platform|Python ABI) tag", stderr):
        return (
            "ask for a version that has a wheel for this target, leave the target out, or build the wheel and name its folder "
            "in UV_FIND_LINKS"
        )
    if "was not found in the package registry" in stderr:
        return "check the spelling, or name the index that has it (UV_INDEX, or [[tool.uv.index]])"
    if re.search(r"hash", stderr, re.IGNORECASE):
        return "the file's hashes and the index disagree: renew the file, and find out why if it was not you"
    if re.search(r"offline|dns|connect|timed out|tcp|network|error sending", stderr, re.IGNORECASE):
        return "the package index cannot be reached: check the network, or name a mirror (UV_DEFAULT_INDEX)"
    return "the same in full: run uv with these requirements"


def python() -> list[str]:
    """Arguments that say which Python uv itself may use; this one, where it is a real interpreter."""
    if getattr(sys, "frozen", False) or not sys.executable:
        return []
    return ["--python", sys.executable]


def oldest(project: Project, target: Target) -> str:
    """The oldest system that wheels may ask for: a version of macOS, or of glibc."""
    return project.macos.minimum if target.os == "macos" else project.glibc


def variables(target: Target, oldest: str) -> dict[str, str]:
    """What of that uv is told by its environment."""
    return {"MACOSX_DEPLOYMENT_TARGET": oldest} if target.os == "macos" else {}


def platform(target: Target, oldest: str) -> str:
    """uv's name of the target's platform, taking wheels that need at most this system."""
    name = target.uv_platform or ""
    if target.libc != "glibc":
        return name
    wanted = tuple(map(int, oldest.split(".")))
    best = max((known for known in _GLIBCS if known <= wanted), default=_GLIBCS[0])
    return re.sub(r"manylinux.*", f"manylinux_{best[0]}_{best[1]}", name)


def common(target: Target, oldest: str, version: str, *, wheels: bool = True) -> list[str]:
    """Arguments for distributions of a target, whatever the machine is; as ``wheels``, or from source as well."""
    return [
        "--python-platform", platform(target, oldest), "--python-version", series_of(version),
        *(["--only-binary", ":all:"] if wheels else []), *python(),
    ]  # fmt: skip
