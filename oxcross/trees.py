"""Folders as values: normalised, listed, hashed, and recognised again without being read.

Two trees with the same digest are the same for every reader: same paths, kinds, modes, contents and
link targets. Owners, times and the order on disk are no part of it.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from oxcross.errors import StoreError
from oxcross.plan import SOURCE_DATE_EPOCH

Row: TypeAlias = tuple[str, str, int, str]
# (relative path, "d" folder | "f" file | "x" executable | "l" link, bytes, SHA-256 or link target or "")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def walk(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every entry below ``root`` with its relative POSIX path, sorted, folders before content."""

    def visit(folder: str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = prefix + entry.name
            yield path, entry
            if entry.is_dir(follow_symlinks=False):
                yield from visit(entry.path, path + "/")

    return visit(os.fspath(root), "")


def normalise(root: Path) -> None:
    """Set modes (0755, 0644) and times so that they no longer tell who made the tree, and when.

    Raises StoreError for what is neither a file, a folder nor a symbolic link.
    """
    when = (SOURCE_DATE_EPOCH, SOURCE_DATE_EPOCH)
    pending = [os.fspath(root)]
    folders: list[str] = []
    while pending:
        folder = pending.pop()
        folders.append(folder)
        Path(folder).chmod(0o755)  # first: a folder without r or x could not be listed
        with os.scandir(folder) as found:
            for entry in found:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    pending.append(entry.path)
                    continue
                if stat.S_ISREG(mode):
                    wanted = 0o755 if mode & 0o100 else 0o644
                    if stat.S_IMODE(mode) != wanted:
                        Path(entry.path).chmod(wanted)
                elif not stat.S_ISLNK(mode):
                    raise StoreError("neither a file, a folder nor a link", where=entry.path)
                os.utime(entry.path, when, follow_symlinks=False)
    for folder in folders:
        os.utime(folder, when)


def listing(root: Path) -> list[Row]:
    """Every path below ``root`` with its content's SHA-256: reads all of it."""
    rows: list[Row] = []
    for path, entry in walk(root):
        info = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(info.st_mode):
            rows.append((path, "d", 0, ""))
        elif stat.S_ISLNK(info.st_mode):
            target = os.readlink(entry.path)  # noqa: PTH115 - as it is: Path would tidy it
            rows.append((path, "l", 0, target))
        else:
            kind = "x" if info.st_mode & 0o100 else "f"
            rows.append((path, kind, info.st_size, file_sha256(Path(entry.path))))
    return rows


def digest(rows: list[Row]) -> str:
    """The tree's SHA-256, lower-case hex."""
    canonical = json.dumps(rows, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def total_size(rows: list[Row]) -> int:
    """Bytes of content."""
    return sum(size for _, _, size, _ in rows)


def stamp(root: Path) -> str:
    """A hash of what stat(2) says of every path below ``root``: reads no content.

    The change time and the inode are in it, so a file that was written, replaced or touched since
    gives another stamp even where size and modification time were put back.
    """
    state = hashlib.sha256()
    for path, entry in walk(root):
        info = entry.stat(follow_symlinks=False)
        row = (path, info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
        state.update(repr(row).encode("utf-8", "surrogateescape"))
    return state.hexdigest()


def copy(source: Path, target: Path) -> None:
    """Copy a file or folder to the new path ``target``, sharing blocks where the disk can.

    cp(1) does: Python learns of reflinks in 3.14, and takes five times as long for small files.
    """
    subprocess.run(
        ["cp", "-RP", "--preserve=mode,timestamps", "--reflink=auto", "--", source, target], check=True
    )


def remove(path: Path) -> None:
    """Remove a file or a whole folder if it is there, also one with read-only folders inside."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        if path.is_dir():  # something else removes it at the same time
            shutil.rmtree(path, ignore_errors=True)
    except PermissionError:
        for folder, _, _ in os.walk(path):  # top down: a folder is opened before it is listed
            Path(folder).chmod(0o700)
            for child in Path(folder).iterdir():
                if child.is_dir() and not child.is_symlink():
                    child.chmod(0o700)
        shutil.rmtree(path)


def flush(folder: Path) -> None:
    """Bring all that was written to the file system of ``folder`` to the disk.

    One syncfs(2) instead of an fsync of every file: a toolchain has twenty thousand.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), os.fspath(folder))
    finally:
        os.close(fd)


def flush_folder(folder: Path) -> None:
    """Bring a folder's own list of names to the disk (after a rename into it)."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
