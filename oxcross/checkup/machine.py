"""What a machine can lack that is no program: a file system that does what the store needs, a temporary folder, the right time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from oxcross import runner, targets
from oxcross.checkup.check import Check

NEEDED_BYTES: Final = 3_000_000_000  # the store after a first build of one target, and its scratch space
_NEEDED_FILES: Final = 50_000  # the same in files
_SCRATCH_BYTES: Final = 50_000_000
_LATE_SECONDS: Final = 86400.0


def store(root: Path) -> Check:
    """Whether a store can be at ``root``, which need not be there yet."""
    existing = next(path for path in (root, *root.parents) if os.path.lexists(path))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            name="store", ok=False, detail=f"{existing} cannot be written", fix="set OXCROSS_STORE=FOLDER"
        )
    free = shutil.disk_usage(existing).free
    facts = os.statvfs(existing)
    detail = f"{root}: {free / 1e9:.1f} GB free"
    if free < NEEDED_BYTES:
        fix = f"make room, or set OXCROSS_STORE=FOLDER: a first build takes {NEEDED_BYTES / 1e9:.0f} GB"
        return Check(name="store", ok=False, detail=detail, fix=fix)
    if facts.f_files and facts.f_favail < _NEEDED_FILES:
        fix = f"make room, or set OXCROSS_STORE=FOLDER: a first build makes {_NEEDED_FILES} files"
        return Check(name="store", ok=False, detail=f"{root}: room for {facts.f_favail} files only", fix=fix)
    if lacking := _lacking(existing):
        fix = "set OXCROSS_STORE=FOLDER, on a file system of Linux's own (ext4, xfs, btrfs …) that is mounted without noexec"
        return Check(name="store", ok=False, detail=f"{root}: {lacking}", fix=fix)
    return Check(name="store", ok=True, detail=detail)


def temporary() -> Check:
    """The folder for what is of short life; reproduce builds there, and starts what it built."""
    fix = "set TMPDIR=FOLDER"
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:
        return Check(name="temporary", ok=False, detail="there is no folder for temporary files", fix=fix)
    free = shutil.disk_usage(folder).free
    if free < _SCRATCH_BYTES:
        return Check(
            name="temporary",
            ok=False,
            detail=f"{folder}: {free / 1e6:.1f} MB free",
            fix=f"make room, or {fix}",
        )
    if starts_nothing(folder):
        detail = f"{folder} is mounted with noexec: oxcross reproduce starts what it built there"
        return Check(name="temporary", ok=False, detail=detail, fix=fix, group="reproduce")
    return Check(name="temporary", ok=True, detail=f"{folder}: {free / 1e9:.1f} GB free")


def clock() -> Check:
    """Whether it can be as late as the clock says: oxcross is older. A wrong time breaks TLS, signatures and requests to buckets."""
    now = time.time()
    made = Path(__file__).stat().st_mtime
    detail = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    if now < made - _LATE_SECONDS:
        then = time.strftime("%Y-%m-%d", time.gmtime(made))
        detail = f"{detail}, but oxcross itself is of {then}"
        return Check(name="clock", ok=False, detail=detail, fix="timedatectl set-ntp true", group="clock")
    return Check(name="clock", ok=True, detail=detail, group="clock")


def git() -> Check:
    """Not a must: without it a release does not say which commit it is of, and cannot be built again."""
    from oxcross.doctor import install

    path = shutil.which("git")
    detail = path or "not found: releases name no commit, and oxcross reproduce needs one"
    return Check(
        name="git",
        ok=path is not None,
        detail=detail,
        fix="" if path else install(["git"]),
        group="reproduce",
    )


def runners() -> list[Check]:
    """What runs other processors' executables here. Not a must: without it they are inspected, but not run."""
    found: dict[str, Check] = {}
    for target in targets.load().values():
        words = runner.command(target)
        if not words or target.os == "windows":
            continue
        lacking = runner.lacking(target)
        if lacking is None:
            check = Check(
                name=words[0], ok=True, detail=f"runs executables for {target.name}", group="running"
            )
        else:
            what, _, fix = lacking.partition(": ")
            detail = f"{what}: executables for {target.name} are inspected, but not run"
            check = Check(name=words[0], ok=False, detail=detail, fix=fix, group="running")
        found.setdefault(words[0], check)
    return list(found.values())


def starts_nothing(folder: Path | str) -> bool:
    """Whether programs there cannot be started (noexec)."""
    return bool(os.statvfs(folder).f_flag & os.ST_NOEXEC)


def _lacking(folder: Path) -> str:
    """What the store needs and this folder's file system does not do; "" when it does all, tried in it."""
    if starts_nothing(folder):
        return "it is mounted with noexec, and compilers lie in the store"
    try:
        with tempfile.TemporaryDirectory(prefix=".oxcross-", dir=folder) as name:
            file = Path(name, "file")
            file.touch()
            with file.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(name, "link").symlink_to("file")
            file.chmod(0o555)
    except OSError as error:
        return f"no locks, links or modes: {error.strerror}"
    return ""
