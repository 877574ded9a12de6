"""What this machine lacks for building, and the command that mends it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from oxcross.checkup import machine
from oxcross.checkup.check import Check
from oxcross.errors import OxcrossError, ToolError
from oxcross.plan import FIXED_ENVIRONMENT

# Host tools that steps call, and the package that has each where its name is another; the docker engine's
# images bring them along. "apt dnf apk pacman", one word when all agree.
TOOLS: Final[Mapping[str, str]] = {
    "sh": "dash dash busybox dash",
    "cp": "coreutils",
    "sed": "sed",
    "awk": "mawk gawk gawk gawk",
    "grep": "grep",
    "tar": "tar",
    "gzip": "gzip",
    "xz": "xz-utils xz xz xz",
    "patch": "patch",
    "make": "make",
    "perl": "perl",
    "tclsh": "tcl",
}

# Programs for executables of Windows alone: what signs them, and what runs them here.
FOR_WINDOWS: Final[Mapping[str, str]] = {
    "osslsigncode": "osslsigncode",
    "wine": "wine",
}

# Packages of this Python for executables of macOS alone: the extra "macos".
FOR_MACOS: Final[Mapping[str, str]] = {
    "apple_platform": "it signs executables for macOS with a certificate, and makes bundles",
    "cryptography": "it reads certificates and keys, for signing and notarizing for macOS",
}

_OTHERS: Final[Mapping[str, str]] = {**FOR_WINDOWS, "unshare": "util-linux"}
_CONTAINER: Final = ("/.dockerenv", "/run/.containerenv")  # what Docker's and Podman's have

_MANAGERS: Final[Mapping[str, tuple[int, str]]] = {  # program: column of TOOLS, command
    "apt-get": (0, "apt-get install -y"),
    "dnf": (1, "dnf install -y"),
    "apk": (2, "apk add"),
    "pacman": (3, "pacman -S --needed"),
}


def examine(store: str = "", project: str = "", *, online: bool = False) -> list[Check]:
    """Look at everything, also at what the project in that folder asks for, if there is one; takes a second at most, and
    longer when an osxcross is looked at for the first time. ``online``: also at the servers, for seconds.
    """
    return [
        _python(),
        _uv(),
        _store(store),
        machine.temporary(),
        machine.clock(),
        *(_tool(name) for name in TOOLS),
        *(_for_windows(name) for name in FOR_WINDOWS),
        *(_for_macos(name) for name in FOR_MACOS),
        *_osxcross(project, store),
        *machine.runners(),
        machine.git(),
        _namespaces(),
        _docker(),
        *_project(project),
        *(_online() if online else ()),
    ]


def able(checks: Iterable[Check]) -> bool:
    """Whether a build can run: all that is always needed, and one of the engines."""
    bad = {check.group for check in checks if not check.ok}
    return "always" not in bad and not {"local", "docker"} <= bad


def lacking(checks: Sequence[Check]) -> list[Check]:
    """What is missed, rather than only to be known: what is always needed, an engine where there is none, what the project asks for."""
    bad = {check.group for check in checks if not check.ok}
    missed = {"always", "project"} | ({"local", "docker"} if {"local", "docker"} <= bad else set())
    return [check for check in checks if not check.ok and check.group in missed]


def require_tools() -> None:
    """ToolError, with the command that installs them, unless every tool of the local engine is there."""
    if missing := [name for name in TOOLS if _which(name) is None]:
        raise ToolError(
            f"this machine lacks {', '.join(missing)}, which building without Docker needs",
            hint=install(missing),
        )


def install(tools: Iterable[str]) -> str:
    """The command that installs the packages of these tools with this machine's package manager."""
    found = next((name for name in _MANAGERS if shutil.which(name, path=_search_path())), "apt-get")
    column, line = _MANAGERS[found]
    packages: dict[str, None] = {}
    for tool in tools:
        names = TOOLS.get(tool, _OTHERS.get(tool, tool)).split()
        packages[names[column] if len(names) > 1 else names[0]] = None
    prefix = "" if os.geteuid() == 0 else "sudo "
    return f"{prefix}{line} {' '.join(packages)}"


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"


def _which(name: str) -> str | None:
    """Where steps would find the tool: not on the user's PATH, which no step sees."""
    return shutil.which(name, path=_tool_path())


def _tool_path() -> str:
    return FIXED_ENVIRONMENT["PATH"]


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check(name="python", ok=sys.version_info >= (3, 11), detail=f"Python {version}", fix="")


def _tool(name: str) -> Check:
    path = _which(name)
    if path is None:
        return Check(
            name=name, ok=False, detail="not in /usr/bin or /bin", fix=install([name]), group="local"
        )
    return Check(name=name, ok=True, detail=path, group="local")


def _for_windows(name: str) -> Check:
    """Not a must: executables are built without it."""
    path = shutil.which(name)
    detail = (
        path
        or {
            "osslsigncode": "not found: it signs executables for Windows",
            "wine": "not found: executables for Windows are inspected, but not run",
        }[name]
    )
    return Check(
        name=name, ok=path is not None, detail=detail, fix="" if path else install([name]), group="windows"
    )


def _for_macos(name: str) -> Check:
    """Not a must: executables for macOS get an ad-hoc signature without it."""
    from importlib.util import find_spec

    from oxcross.macos.apple import EXTRA

    there = find_spec(name) is not None
    detail = "installed" if there else f"not found: {FOR_MACOS[name]}"
    return Check(name=name, ok=there, detail=detail, fix="" if there else EXTRA, group="macos")


def _osxcross(folder: str, store: str) -> list[Check]:
    """The user's own tool chain, when the project's configuration names one."""
    if not folder or not (Path(folder) / "pyproject.toml").is_file():
        return []
    from oxcross import project as projects
    from oxcross import wanted
    from oxcross.store import Store, named

    try:
        views = [one for one in projects.load(Path(folder)).views.values() if one.macos.osxcross]
    except OxcrossError:
        return []  # a build says what is wrong with it
    try:
        with Store(named(store)) as opened:
            rows = [wanted.row(view, opened) for view in views]
    except OxcrossError as error:
        return [Check(name="osxcross", ok=False, detail=error.message, fix=error.hint or "", group="macos")]
    found = {
        f"{row.osxcross.folder.path}: {row.osxcross.host}, macOS {row.osxcross.sdk}"
        for row in rows
        if row.osxcross
    }
    return [Check(name="osxcross", ok=True, detail=detail, group="macos") for detail in sorted(found)]


def _uv() -> Check:
    from oxcross.collect.uv import how_to_install

    try:
        import uv

        return Check(name="uv", ok=True, detail=uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        path = shutil.which("uv")
    if path:
        return Check(name="uv", ok=True, detail=path)
    fix = how_to_install()
    if getattr(sys, "frozen", False):
        detail = "not on PATH, and no part of this executable: projects with requirements need it"
        return Check(name="uv", ok=False, detail=detail, fix=fix, group="requirements")
    return Check(name="uv", ok=False, detail="not found: it resolves requirements", fix=fix)


def _store(folder: str) -> Check:
    from oxcross.store import named

    try:
        return machine.store(named(folder))
    except OxcrossError as error:
        return Check(name="store", ok=False, detail=str(error), fix="set OXCROSS_STORE=FOLDER")


def _project(folder: str) -> list[Check]:
    from oxcross.checkup import project

    return project.examine(Path(folder).absolute()) if folder else []


def _online() -> list[Check]:
    from oxcross.checkup import network

    return network.examine()


def _namespaces() -> Check:
    """Not a must: without them the local engine works, but a step is not held apart from the machine."""
    from oxcross.engine.local import LocalEngine

    said: list[str] = []
    mode = LocalEngine(notice=said.append).mode
    if mode == "namespaces":
        return Check(name="namespaces", ok=True, detail="steps run in a root of their own", group="isolation")
    detail = said[0] if said else "switched off by OXCROSS_LOCAL"
    if not said:
        fix = "unset OXCROSS_LOCAL"
    elif "not installed" in detail:
        fix = install(["unshare"])
    elif any(Path(mark).exists() for mark in _CONTAINER):
        fix = "start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    else:
        fix = "sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"
    return Check(name="namespaces", ok=False, detail=detail, fix=fix, group="isolation")


def _docker() -> Check:
    from oxcross.engine import choose

    try:
        engine = choose("docker")
    except OxcrossError as error:
        fix = install(["docker.io"]) if shutil.which("apt-get", path=_search_path()) else install(["docker"])
        if shutil.which("dockerd", path=_search_path()):
            fix = "systemctl start docker" if _has_systemd() else "dockerd &"
        if "Permission denied" in error.message:
            fix = 'sudo usermod -aG docker "$USER", then log in again'
        return Check(name="docker", ok=False, detail=error.message, fix=fix, group="docker")
    engine.close()
    return Check(name="docker", ok=True, detail="a daemon answers", group="docker")


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()
