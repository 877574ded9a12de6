"""A user's own osxcross, with Apple's SDK, in the place of the default tool chain.

It is looked at where it lies and steps read it there (``plan.Folder``): Apple's SDK is nobody's to pass on. What its own
``osxcross-conf`` says of it, and the digest of all its files, are kept in the store under a hash of what stat(2) says of
them, so that a plan reads none of them again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from oxcross import trees
from oxcross.errors import ConfigError
from oxcross.macos.settings import IMAGE
from oxcross.plan import Folder
from oxcross.store import Store
from oxcross.targets import Osxcross, Target

_OLDEST = (11, 0)  # of the SDK, as of the executables
_SECONDS = 20.0
_FORMAT = 1  # of what is kept in the store
_ARCHITECTURES: Final = {"x86_64": ("x86_64",), "aarch64": ("arm64", "aarch64")}
_BUILD_ONE = "build one and name its folder `target`: https://github.com/tpoechtrager/osxcross"
_PACK_ONE = "package one from Xcode (osxcross's README.SDK.md), and build osxcross with it"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What there is to know of a folder of osxcross, whatever the target."""

    folder: Folder
    darwin: str  # OSXCROSS_TARGET: darwin20.4
    sdk: str  # its version


def target(plain: Target, setting: str, store: Store, where: str) -> Target:
    """The row of a target that is built with the osxcross of ``setting`` (a folder's path, or "image:NAME"); the same
    object each time. ``where`` names file and key, for errors.

    Raises ConfigError for a folder that cannot be built with, ToolError when an image cannot be had.
    """
    seen = look(setting, store, where)
    names = [f"{arch}-apple-{seen.darwin}" for arch in _ARCHITECTURES[plain.arch]]
    programs = seen.folder.path / "bin"
    for host in names:
        if all(_runs(programs / f"{host}-{tool}", seen.folder.path) for tool in ("clang", "clang++")):
            return _variant(plain, Osxcross(folder=seen.folder, host=host, sdk=seen.sdk))
    raise ConfigError(
        f"no compiler for {plain.name}: {programs} has no {names[0]}-clang with a -clang++",
        where=where,
        hint="build osxcross with an SDK of macOS 11.0 or later, which is for both architectures",
    )


@cache
def _variant(plain: Target, tools: Osxcross) -> Target:
    return replace(plain, osxcross=tools)


_seen: dict[tuple[str, Path], Seen] = {}  # once for each process: a build must not see two states of it


def look(setting: str, store: Store, where: str) -> Seen:
    """What a folder or an image has; see ``target``."""
    place = (setting, store.root)
    if place not in _seen:
        if setting.startswith(IMAGE):
            from oxcross.macos import osxcross_image

            folder = osxcross_image.folder(setting.removeprefix(IMAGE), where)
        else:
            folder = Path(setting)
        _seen[place] = _look(folder, store, where)
    return _seen[place]


def _look(folder: Path, store: Store, where: str) -> Seen:
    _check(folder, where)
    try:
        stamp = trees.stamp(folder)
        name = json.dumps(["osxcross", _FORMAT, str(folder), stamp])
        key = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        if (kept := store.value(key)) is not None:
            facts = json.loads(kept)
        else:
            darwin, sdk = _ask(folder, where)
            facts = {"sha256": trees.digest(trees.listing(folder)), "darwin": darwin, "sdk": sdk}
            store.put_value(key, json.dumps(facts).encode())
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error}", where=where, hint="all of it must be readable for you"
        ) from None
    return Seen(folder=Folder(folder, facts["sha256"]), darwin=facts["darwin"], sdk=facts["sdk"])


def _check(folder: Path, where: str) -> None:
    """ConfigError unless the folder has the shape of osxcross's ``target`` folder."""
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}", where=where, hint=_BUILD_ONE)
    if not (folder / "bin" / "osxcross-conf").is_file():
        inner = folder / "target"
        hint = f'osxcross = "{inner}"' if (inner / "bin" / "osxcross-conf").is_file() else _BUILD_ONE
        raise ConfigError(f"no osxcross: {folder} has no bin/osxcross-conf", where=where, hint=hint)
    if not any(path.is_dir() for path in (folder / "SDK").glob("MacOSX*.sdk")):
        raise ConfigError(f"no SDK: {folder}/SDK has no MacOSX*.sdk", where=where, hint=_PACK_ONE)
    clang = folder / "bin" / "clang"
    if clang.is_symlink() and not _inside(clang, folder):
        raise ConfigError(
            f"{clang} leads out of the folder, which is all that steps see",
            where=where,
            hint="remove the link, and the pinned clang is taken; or install that clang there, headers and all",
        )


def _ask(folder: Path, where: str) -> tuple[str, str]:
    """What the folder is built for, and its SDK's version, from its own osxcross-conf."""
    said = _run(folder, where)
    found = dict(re.findall(r'^export OSXCROSS_(\w+)="?([^"\n]*)"?$', said, re.MULTILINE))
    if missing := [name for name in ("TARGET", "SDK", "SDK_VERSION") if not found.get(name)]:
        raise ConfigError(
            f"{folder}/bin/osxcross-conf does not say OSXCROSS_{missing[0]}", where=where, hint=_BUILD_ONE
        )
    darwin, sdk, version = found["TARGET"], Path(found["SDK"]), found["SDK_VERSION"]
    if not sdk.is_dir():
        raise ConfigError(
            f"there is no SDK {sdk}, of which osxcross-conf speaks", where=where, hint=_PACK_ONE
        )
    if not _inside(sdk, folder):
        raise ConfigError(
            f"the SDK {sdk} lies outside of the folder, which is all that steps see",
            where=where,
            hint=f"move it to {folder}/SDK",
        )
    if not re.fullmatch(r"darwin\d+(\.\d+)?", darwin) or not re.fullmatch(r"\d+(\.\d+)*", version):
        raise ConfigError(
            f"{folder}/bin/osxcross-conf says what is not understood: {darwin!r}, {version!r}",
            where=where,
            hint=_BUILD_ONE,
        )
    if tuple(map(int, version.split("."))) < _OLDEST:
        raise ConfigError(
            f"its SDK is that of macOS {version}, and 11.0 is the oldest that is built with",
            where=where,
            hint=_PACK_ONE,
        )
    return darwin, version


def _run(folder: Path, where: str) -> str:
    """What osxcross-conf prints, on this machine."""
    program = folder / "bin" / "osxcross-conf"
    try:
        done = subprocess.run(
            [program],
            env={
                "PATH": f"{folder}/bin:/usr/bin:/bin",
                "LD_LIBRARY_PATH": f"{folder}/lib",
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        reason = "" if done.returncode == 0 else f"exit status {done.returncode}"
        if reason and (lines := (done.stderr or done.stdout).strip().splitlines()):
            reason = lines[-1]
    except subprocess.TimeoutExpired:
        reason = "no answer"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise ConfigError(
            f"{program} cannot run here: {reason}",
            where=where,
            hint="run it by hand to see more; an osxcross must be built for this kind of machine",
        )
    return done.stdout


def _runs(program: Path, folder: Path) -> bool:
    """Whether it is a program, and one that steps see."""
    return os.access(program, os.X_OK) and _inside(program, folder)


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
