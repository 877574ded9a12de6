"""A step's tree as one file: tar (POSIX.1-2001, pax) in zstd. The same tree gives the same bytes, with the same zstd.

What is unpacked comes from elsewhere. Only files, folders and relative links that stay in the tree are made, each once, each in a
folder that was made before; the modes are the two there are in the store. tarfile only reads the headers, it extracts nothing.
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import zstandard

from oxcross import trees
from oxcross.cache.statement import Untrue
from oxcross.plan import SOURCE_DATE_EPOCH

_LEVEL: Final = 9
_WINDOW_LOG: Final = 27  # 128 MiB: a library's twins, shared and static, lie far apart
_CHUNK: Final = 1 << 20
_HEADERS: Final = 4096  # bytes for each path, at most: the headers, what fills the blocks up
_KINDS: Final = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link"}
_BAD: Final = (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError, OverflowError, RecursionError)


def pack(tree: Path, archive: Path) -> None:
    """Write the new file ``archive``. Untrue for a tree with a link that leads out of it."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=_WINDOW_LOG, enable_ldm=True, threads=max(1, os.cpu_count() or 1)
    )
    with (
        archive.open("xb") as file,
        zstandard.ZstdCompressor(compression_params=parameters).stream_writer(file) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, entry in trees.walk(tree):
            info = entry.stat(follow_symlinks=False)
            row = tarfile.TarInfo(path)
            row.mtime = SOURCE_DATE_EPOCH
            if stat.S_ISDIR(info.st_mode):
                row.type, row.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(row)
            elif stat.S_ISLNK(info.st_mode):
                row.type, row.mode = tarfile.SYMTYPE, 0o777
                row.linkname = os.readlink(entry.path)  # noqa: PTH115 - as it is: Path would tidy it
                _check_link(path, row.linkname)
                tar.addfile(row)
            else:
                row.size, row.mode = info.st_size, 0o755 if info.st_mode & 0o100 else 0o644
                with Path(entry.path).open("rb") as content:
                    tar.addfile(row, content)


def unpack(archive: Path, tree: Path, *, size: int, paths: int) -> None:
    """Fill the empty folder ``tree``: so many bytes of content and so many paths, no more.

    Untrue for what is no such archive, or has anything else in it; what was made stays, for the caller to remove.
    """
    try:
        with archive.open("rb") as file, _bounded(file, size + _HEADERS * (paths + 16)) as stream:
            _fill(stream, tree, size, paths)
    except _BAD as error:
        raise Untrue(f"its archive is damaged: {str(error) or type(error).__name__}") from None


def _bounded(file: BinaryIO, most: int) -> io.BufferedReader:
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG)
    return io.BufferedReader(_Bounded(decompressor.stream_reader(file), most), _CHUNK)


class _Bounded(io.RawIOBase):
    """No more than so many bytes of a stream."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream = stream
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        done: int = self._stream.readinto(buffer)
        self._left -= done
        if self._left < 0:
            raise Untrue("its archive holds more than is said")
        return done


def _fill(stream: io.BufferedReader, tree: Path, size: int, paths: int) -> None:
    folders = {""}
    links = []
    with tarfile.open(fileobj=stream, mode="r|", errorlevel=2) as tar:
        for member in tar:
            size -= member.size
            paths -= 1
            if size < 0 or paths < 0:
                raise Untrue("its archive holds more than is said")
            name = member.name
            kind = _KINDS.get(member.type)
            if kind is None or member.issparse():
                raise Untrue(f"its archive holds neither a file, a folder nor a link: {name!r}")
            if not _plain(name) or posixpath.dirname(name) not in folders:
                raise Untrue(f"its archive holds a path that has no place in it: {name!r}")
            try:
                _make(tar, member, kind, tree / name)
            except FileExistsError:
                raise Untrue(f"its archive holds a path twice: {name!r}") from None
            if kind == "folder":
                folders.add(name)
            elif kind == "link":
                links.append(name)
    for name in links:  # one that goes through another may lead elsewhere than it reads
        if not (tree / name).resolve().is_relative_to(tree.resolve()):
            raise Untrue(f"a link leads out of the tree: {name!r}")


def _make(tar: tarfile.TarFile, member: tarfile.TarInfo, kind: str, path: Path) -> None:
    if kind == "folder":
        path.mkdir(mode=0o755)
    elif kind == "link":
        _check_link(member.name, member.linkname)
        path.symlink_to(member.linkname)
    else:
        content = tar.extractfile(member)
        mode = 0o755 if member.mode & 0o100 else 0o644
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            while content and (chunk := content.read(_CHUNK)):
                file.write(chunk)


def _plain(name: str) -> bool:
    """Whether it is a path below a folder, as short as it can be written."""
    parts = name.split("/")
    return "\0" not in name and all(part not in ("", ".", "..") for part in parts) and len(name) < 4096


def _check_link(name: str, target: str) -> None:
    """Untrue for a link that leads out of the tree, or nowhere."""
    parts = PurePosixPath(posixpath.normpath(posixpath.join(posixpath.dirname(name), target))).parts
    if not target or "\0" in target or target.startswith("/") or parts[:1] == ("..",):
        raise Untrue(f"a link leads out of the tree: {name!r} -> {target!r}")
