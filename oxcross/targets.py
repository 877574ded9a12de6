"""The targets: what oxcross builds for, a row of ``targets.toml`` each.

A recipe, a check or a report asks the row; nothing asks for a target by its name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from oxcross.errors import UsageError, nearest
from oxcross.plan import Folder

_TABLE = Path(__file__).with_name("targets.toml")
# What a Python says of its system, as environment markers name it (PEP 508), by ``Target.os``.
SYSTEMS: Mapping[str, Mapping[str, str]] = {
    "linux": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"},
    "windows": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows"},
    "macos": {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin"},
}
_MACHINES = {
    ("windows", "x86_64"): "AMD64",
    ("macos", "aarch64"): "arm64",
}  # platform.machine(), where it differs


@dataclass(frozen=True, kw_only=True)
class Osxcross:
    """A user's own tool chain for macOS (https://github.com/tpoechtrager/osxcross), as one target is built with it."""

    folder: Folder
    host: str  # what its programs' names begin with: x86_64-apple-darwin20.4
    sdk: str  # its SDK's version: 11.3


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """A platform. Fields are as in ``targets.toml``; paths and names only, nothing is looked up."""

    name: str
    triple: str  # the wrappers' prefix: x86_64-linux-gnu-cc
    zig: str  # the compiler's own name for triple and floor
    image: str  # which image of images/ the docker engine uses
    os: str  # linux | windows | macos
    arch: str  # x86_64 | aarch64 | universal2
    libc: str  # glibc | musl | ucrt | libsystem
    static: bool = False  # its executables have no dynamic linker and load no shared library
    floor: str | None = None  # the oldest system it runs on: glibc, Windows or macOS version
    uv_platform: str | None = None  # uv's --python-platform
    wheel_tags: tuple[str, ...] = ()  # platform tags that its wheels may carry, best first
    runner: tuple[str, ...] = ()  # command that runs the target's programs here; () is none needed
    runner_environment: Mapping[str, str] = field(default_factory=dict)  # what it wants to find there
    runner_packages: tuple[str, ...] = ()  # Debian's, that bring it
    elsewhere: bool = False  # nothing here can run the target's programs
    platform_tag: str  # as extension modules carry it: cpython-313-x86_64-linux-gnu
    soabi_form: str = "cpython-{version}-{tag}"
    extensions: tuple[str, ...] = (".{soabi}.so", ".abi3.so", ".so")  # what their names end with, best first
    from_source: bool = (
        True  # whether extension modules can be built from source distributions, and linked in
    )
    slices: tuple[str, ...] = ()  # the targets whose executables one of its own holds, for as many machines
    runtime: tuple[str, ...] = ()  # sources of the compiler's run-time libraries that wheels may need
    build: Mapping[str, Any] = field(default_factory=dict)  # what templates take, by library
    osxcross: Osxcross | None = None  # in no row: a project's own (wanted.row)

    def soabi(self, version: str) -> str:
        """The SOABI of a CPython version ("3.13.15" or "3.13") on this target."""
        major, minor, *_ = version.split(".")
        return self.soabi_form.format(version=f"{major}{minor}", tag=self.platform_tag)

    def extension_suffixes(self, soabi: str) -> tuple[str, ...]:
        """importlib.machinery.EXTENSION_SUFFIXES of a CPython of that SOABI."""
        return tuple(form.format(soabi=soabi) for form in self.extensions)

    @property
    def markers(self) -> Mapping[str, str]:
        """What its Pythons say of the platform, as environment markers name it (PEP 508)."""
        machine = _MACHINES.get((self.os, self.arch), self.arch)
        return {**SYSTEMS[self.os], "platform_machine": machine}


@cache
def load() -> Mapping[str, Target]:
    """All targets by name, in the table's order."""
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["target"]
    targets = [Target(**{key: _frozen(value) for key, value in row.items()}) for row in rows]
    return {target.name: target for target in targets}


def get(name: str) -> Target:
    """The target of that name. UsageError with the nearest valid name when there is none."""
    targets = load()
    if name not in targets:
        raise UsageError(
            f"there is no target {name!r}", hint=nearest(name, targets), page="a-target-that-there-is-not"
        )
    return targets[name]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
