"""What is inside an archive, file by file: so that two can be compared by what they hold."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, kw_only=True)
class Member:
    """``header``: what the archive says of it beside its name and size; ``path``: its content, unpacked."""

    header: str
    path: Path


def unpack(archive: Path, folder: Path) -> dict[str, Member] | None:
    """The members of a tar or zip archive by name, below ``folder`` in files that are called otherwise: names are not taken on trust.

    None for what is no archive, or cannot be read to its end.
    """
    found: dict[str, Member] = {}
    folder.mkdir()
    try:
        for name, header, content in _members(archive):
            path = folder / str(len(found))
            with path.open("wb") as out:
                if content:
                    with content:
                        shutil.copyfileobj(content, out)
            found[name] = Member(header=header, path=path)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        return None  # RuntimeError: zipfile's word for what is encrypted
    return found


def _members(archive: Path) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for row in opened.infolist():
                yield row.filename, f"mode {row.external_attr >> 16:o}, {row.date_time}", opened.open(row)
        return
    with tarfile.open(archive, "r|*") as stream:
        for one in stream:
            header = f"type {one.type!r}, mode {one.mode:o}, {one.uid}:{one.gid}, {one.mtime} {one.linkname}"
            yield one.name, header, stream.extractfile(one) if one.isreg() else None
